"""Damaged pictures on the command line: what there is of them is used, and nobody takes it for the whole."""

from __future__ import annotations

import sys

INCOMPLETE = 3
"""The exit code where a file was written of what there was of a damaged picture."""


def exit_code(path: str, damage: str) -> int:
    """Say what was missing of a picture, if anything; the exit code of the program."""
    if not damage:
        return 0
    print(f"warning: {path}: {damage}", file=sys.stderr)
    return INCOMPLETE
