"""PySide6 6.12.0 gives back a reference to None too many in every call that returns nothing.

Below Python 3.12, where None is not immortal, its count then reaches zero after some thousands of calls and the process
aborts. pyproject.toml keeps that release out; this test notices it, or another like it.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on: nothing to lose"
)
def test_void_calls_keep_the_references_to_none() -> None:
    thing = QObject()
    calls = 2000
    before = sys.getrefcount(None)
    for _ in range(calls):
        thing.setObjectName("a name")
    # Other threads may take and drop a few meanwhile; one lost a call would be thousands.
    assert abs(sys.getrefcount(None) - before) < calls // 10
