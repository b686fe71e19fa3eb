"""JSON as its standard has it (RFC 8259): Python's own writes NaN and Infinity, which other readers refuse."""

from __future__ import annotations

import json
import math
from typing import Any


def strict_json(data: Any) -> str:
    """The text of a file; numbers that JSON does not have are null."""
    return json.dumps(_with_nulls(data), indent=2, allow_nan=False) + "\n"


def _with_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _with_nulls(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_nulls(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data
