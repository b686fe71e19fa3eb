"""How many bits a channel the picture has that a field was made of: what is drawn of it may be written as deep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

ENTRY = "bits"  # of a field's metadata: absent for 8, and where it is not known


def note_depth(field: GaussianField, picture: Any) -> None:
    """Let a field tell how deep the picture is that it was made of."""
    bits = getattr(picture, "bits", 8)
    if bits > 8:
        field.metadata[ENTRY] = str(bits)


def is_deep(field: GaussianField) -> bool:
    """Whether it was made of a picture of more than 8 bits a channel."""
    return ENTRY in field.metadata
