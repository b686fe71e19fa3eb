"""Start the viewer, or one of its commands: `python main.py -h`."""

from __future__ import annotations

import sys


def start() -> None:
    try:
        from viewer.cli import run_program

        run_program()
    except KeyboardInterrupt:  # Ctrl-C while the first modules are loaded
        print("main.py: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    start()
