#!/bin/sh
# Prints the folders of an image that a named volume takes its owner and mode from (Docker copies them on first use): folders.sh PACKAGE.
# One a line: mode, uid, gid, path.
set -eu
# Only uid 0 and group 10001 enter the folder of the agent's socket.
echo 0770 0 10001 run/constella
case "$1" in
    # The agent's root part and its front both create files here; the sticky bit keeps the front from removing or replacing what root wrote.
    constella-agent) echo 1770 0 10001 var/lib/constella ;;
    constella-controller) echo 0700 10001 10001 state ;;
esac
