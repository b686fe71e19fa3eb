"""What asks the program to end."""

from __future__ import annotations

import signal


def endings() -> list[signal.Signals]:
    """Ctrl-C, the system, and where there is such a thing a terminal that is closed.

    Who starts a program by nohup wants it to outlive its terminal. Ctrl-C counts in the background, too, where shells
    have it ignored: who sends it to a training there means it.
    """
    asked = [signal.SIGINT, signal.SIGTERM]
    closed = getattr(signal, "SIGHUP", None)
    if closed is not None and signal.getsignal(closed) is not signal.SIG_IGN:
        asked.append(closed)
    return asked
