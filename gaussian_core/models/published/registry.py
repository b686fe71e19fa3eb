"""The encoders by the names that the checkpoints use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gaussian_core.errors import WeightsError
from gaussian_core.models.published.edsr import make_edsr, make_edsr_baseline
from gaussian_core.models.published.encoder import Encoder
from gaussian_core.models.published.hat import make_hat
from gaussian_core.models.published.rdn import make_rdn
from gaussian_core.models.published.swinir import make_swinir
from gaussian_core.models.residual_features import make_residual

ENCODERS: dict[str, Callable[[Any], Encoder]] = {
    "edsr-baseline": make_edsr_baseline,
    "edsr": make_edsr,
    "rdn": make_rdn,
    "swinir": make_swinir,
    "hat": make_hat,
    "residual": make_residual,  # ours
}


def read_spec(spec: Any, what: str) -> tuple[str, dict[str, Any]]:
    """(name, args) of a part's description. Raises WeightsError."""
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise WeightsError(f"the {what} is not described")
    args = spec.get("args", {})
    if not isinstance(args, Mapping):
        raise WeightsError(f"the arguments of the {what} are malformed")
    return spec["name"], dict(args)


def make_encoder(name: str, args: Mapping[str, Any]) -> Encoder:
    """Raises WeightsError for a name or arguments that are not known."""
    if name not in ENCODERS:
        known = ", ".join(ENCODERS)
        raise WeightsError(f"the encoder {name[:40]!r} is not known here (known: {known})")
    return ENCODERS[name](args)
