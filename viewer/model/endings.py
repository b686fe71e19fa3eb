"""What asks the program to end."""

from __future__ import annotations

import signal


def endings() -> list[signal.Signals]:
    """Ctrl-C, the system, a terminal that is closed: those that this system has, but for what the program was started
    to ignore, as by nohup."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
