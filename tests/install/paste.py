"""An operator who pastes: paste.py FILE HISTORY types the text of the file at the prompt of an interactive bash, as a terminal does with what is
copied, and Enter. The shell keeps its history in HISTORY. Prints what the screen showed."""

import os
import pty
import sys


def until(terminal, wanted):
    screen = b""
    while wanted not in screen:
        try:
            shown = os.read(terminal, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not shown:
            break
        screen += shown
    return screen


def main():
    text = open(sys.argv[1]).read()
    # A shell that keeps everything, whatever this machine's own does; PROMPT is printed by it alone.
    settings = {"HISTFILE": sys.argv[2], "HISTCONTROL": "", "PS1": "PROMPT$((1)) ", "PS2": "", "TERM": "dumb"}
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("bash", ["bash", "--norc", "-i"], {**os.environ, **settings})
    screen = until(terminal, b"PROMPT1")
    os.write(terminal, text.encode() + b"\n" + b"echo pasted-$((40 + 2))\n")
    screen += until(terminal, b"pasted-42")
    os.write(terminal, b"exit\n")
    screen += until(terminal, b"\0")
    os.waitpid(child, 0)
    sys.stdout.write(screen.decode(errors="replace"))


main()
