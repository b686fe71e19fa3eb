"""The networks that a config of ours describes, one for each method that learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussian_core.errors import WeightsError
from gaussian_core.models.config import ModelConfig
from gaussian_core.models.continuoussr import ContinuousSR

if TYPE_CHECKING:
    from gaussian_core.models.gaussiansr import GaussianSR
    from gaussian_core.models.liif import LIIF

    Network = ContinuousSR | LIIF | GaussianSR


def make_network(config: ModelConfig) -> Network:
    """With the weights it starts from. Raises WeightsError for an architecture that this version does not know."""
    if config.architecture == "continuoussr":
        return ContinuousSR(config)
    encoder = {"channels": config.channels, "blocks": config.blocks, "slope": config.slope}
    if config.architecture == "liif":
        from gaussian_core.models.liif import LIIF, LIIFConfig

        return LIIF(LIIFConfig("residual", encoder, offset=0.5, spread=1.0))
    if config.architecture == "gaussiansr":
        from gaussian_core.models.gaussiansr import GaussianSR, GaussianSRConfig

        return GaussianSR(GaussianSRConfig("residual", encoder, enlarged=True))
    raise WeightsError(
        f"This version does not know the architecture {config.architecture[:40]!r}: use other weights."
    )
