#!/bin/sh
# /sbin/reboot of a test's "host": writes down that it was called and what it sees, and reboots nothing.
# A number in /etc/reboot-exit makes it fail with that status as a host's command may.
{
    echo "called args=$*"
    echo "host=$(cat /etc/hostname)"
    for namespace in mnt pid net uts ipc; do echo "$namespace=$(readlink "/proc/self/ns/$namespace")"; done
    echo "uid=$(id -u)"
    grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status
} >>/var/log/reboot-recorded
if [ -f /etc/reboot-exit ]; then
    echo "Failed to talk to init daemon." >&2
    exit "$(cat /etc/reboot-exit)"
fi
exit 0
