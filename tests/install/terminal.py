"""An operator at a terminal: terminal.py ANSWERS COMMAND... types each line of the file when it is asked for, a secret only when the
terminal does not echo (a carriage return within a line is Enter, as in a paste of several lines), and prints what the screen showed. Ends with the command's status."""

import os
import pty
import sys
import termios


def main():
    answers = open(sys.argv[1], newline="").read().rstrip("\n").split("\n")
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    screen = b""
    while True:
        try:
            shown = os.read(terminal, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not shown:
            break
        screen += shown
        line = screen.rsplit(b"\n", 1)[-1]
        if answers and line.rstrip().endswith(b":"):
            while b"not shown" in line and termios.tcgetattr(terminal)[3] & termios.ECHO:
                pass
            os.write(terminal, answers.pop(0).encode() + b"\n")
    sys.stdout.write(screen.decode(errors="replace"))
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


main()
