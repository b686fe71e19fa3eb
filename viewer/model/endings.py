"""What asks the program to end."""

from __future__ import annotations

import signal


def endings() -> list[signal.Signals]:
    """Ctrl-C, the system, and where there are such things a terminal that is closed, and Windows' Ctrl-Break.

    Who starts a program by nohup wants it to outlive its terminal. Ctrl-C counts in the background, too, where shells
    have it ignored: who sends it to a training there means it.
    """
    asked = [signal.SIGINT, signal.SIGTERM]
    for name in ("SIGHUP", "SIGBREAK"):
        there = getattr(signal, name, None)
        if there is not None and signal.getsignal(there) is not signal.SIG_IGN:
            asked.append(there)
    return asked
