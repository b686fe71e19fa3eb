"""A module of the program in a process of its own, such as one whose memory is to be measured."""

from __future__ import annotations

import os
import subprocess
import sys

from gaussian_core.errors import UserError
from gaussian_core.resource_files import ROOT


def printed_by(module: str, *arguments: str, failure: str) -> str:
    """What `python -m module arguments` prints. failure: what could not be done where it fails.

    The module is that of this program, wherever it was started and whether or not it is installed; nothing in the
    user's folder stands for a library of the same name. Raises UserError: the failure, and what the process said last.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONSAFEPATH": "1",
            # Into a pipe Windows would have the few letters of its code page, and others would end the process.
            "PYTHONIOENCODING": "utf-8:surrogateescape",
        },
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended early"])[-1]
        raise UserError(f"{failure}: {said}")
    return done.stdout
