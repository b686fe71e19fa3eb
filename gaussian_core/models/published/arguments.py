"""The arguments in a checkpoint: each one is read once, checked, and none is left over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gaussian_core.errors import WeightsError

# They change how a network is trained, not what it computes.
TRAINING_ONLY = ("drop_rate", "attn_drop_rate", "drop_path_rate", "use_checkpoint", "pretrained")


class Arguments:
    """Arguments of one part of a model. Every reader raises WeightsError for a value out of place."""

    def __init__(self, owner: str, values: Any) -> None:
        if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
            raise WeightsError(f"the arguments of {owner} are malformed")
        self.owner = owner
        self._left = {key: value for key, value in values.items() if key not in TRAINING_ONLY}

    def integer(self, name: str, default: int, least: int = 1, most: int = 8192) -> int:
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._refuse(name, value)
        return int(value)

    def number(self, name: str, default: float | None) -> float | None:
        value = self._left.pop(name, default)
        if value is None and default is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self._refuse(name, value)
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            self._refuse(name, value)
        return bool(value)

    def choice(self, name: str, default: str, options: Sequence[str]) -> str:
        value = self._left.pop(name, default)
        if not isinstance(value, str) or value not in options:
            self._refuse(name, value)
        return str(value)

    def integers(self, name: str, default: Sequence[int], most: int = 8192) -> tuple[int, ...]:
        """A list of 0 to 64 positive integers."""
        value = self._left.pop(name, default)
        if not isinstance(value, list | tuple) or len(value) > 64:
            self._refuse(name, value)
        if any(isinstance(v, bool) or not isinstance(v, int) or not 1 <= v <= most for v in value):
            self._refuse(name, value)
        return tuple(value)

    def other(self, name: str) -> Any:
        return self._left.pop(name, None)

    def done(self) -> None:
        """Refuse what nobody read: it would change the network in a way that is not known here."""
        if self._left:
            names = ", ".join(sorted(self._left)[:3])
            raise WeightsError(f"{self.owner} has arguments that are not known here ({names})")

    def _refuse(self, name: str, value: object) -> None:
        text = " ".join(repr(value).split())[:40]
        raise WeightsError(f"{self.owner} with {name} = {text} is not known here")
