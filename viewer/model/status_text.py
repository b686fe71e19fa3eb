"""What the status bar says, as text; and what a user typed into the zoom field."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

BRIEFLY = 6.0
"""Seconds that a remark may be read for, where nothing asks for more."""

GPU_LATER = "The GPU is being made ready: it draws in a moment."

RIGHT = ", right"
"""After a count of what is right of the line of a split view, or in its right pane."""

FACTOR_BELOW = 20.0
"""A bare number below this is a factor ("4" is 400 %), from it on per cent ("50" is 50 %)."""

_ZOOM = re.compile(
    r"\s*(?P<number>\d+(?:[ ,']\d{3})*(?:\.\d*)?|\.\d+|\d+,\d{1,2})\s*(?P<unit>%|x|×|)\s*",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"\s*[x×]\s*(?P<number>\d+(?:[.,]\d*)?|[.,]\d+)\s*", re.IGNORECASE)


def zoom_text(scale: float) -> str:
    """350 %, 12.5 %, 3.1 %, 100,000 %: three digits are enough to tell two zooms apart."""
    percent = scale * 100
    if percent >= 99.95:
        return f"{percent:,.0f} %"
    if percent >= 9.995:
        text = f"{percent:.1f}"
    elif percent >= 0.9995:
        text = f"{percent:.2f}"
    else:
        text = f"{percent:.3f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def scale_text(scale: float) -> str:
    """As zoom_text, but with up to six digits where these are another scale: a file is made by it."""
    text = zoom_text(scale)
    meant = parse_zoom(text)
    return text if meant and math.isclose(meant, scale, rel_tol=1e-9) else f"{scale * 100:.6g} %"


def parse_zoom(text: str) -> float | None:
    """Device pixels per source pixel meant by "350%", "3.5x", "x4", "4", "50"; None when it is no zoom."""
    # As East Asian and Arabic keyboards write it, and with the spaces that set thousands apart.
    text = unicodedata.normalize("NFKC", text).replace("٪", "%").replace("٫", ".").replace("’", "'")
    match = _PREFIXED.fullmatch(text)
    if match:
        return _positive(float(match["number"].replace(",", ".")))
    match = _ZOOM.fullmatch(text)
    if not match:
        return None
    digits = match["number"]
    if re.fullmatch(r"\d+,\d{1,2}", digits):
        digits = digits.replace(",", ".")  # a decimal comma
    number = float(re.sub(r"[ ,']", "", digits))
    unit = match["unit"]
    if unit == "%" or (not unit and number >= FACTOR_BELOW):
        number /= 100
    return _positive(number)


def _positive(number: float) -> float | None:
    return number if math.isfinite(number) and number > 0 else None


def position_text(x: float, y: float, scale: float) -> str:
    """Source coordinates with as many decimals as a device pixel can tell apart (at least one, at most three)."""
    decimals = min(3, max(1, math.ceil(math.log10(max(scale, 1.0))) + 1))
    return f"{x:z.{decimals}f}, {y:z.{decimals}f}"


def widest_position(extent: tuple[int, int]) -> str:
    """What takes as much room as any position in a picture of extent (height, width), and as most around it."""
    height, width = (max(side, 1000) for side in extent)
    return f"-{width}.000, -{height}.000"


def value_text(value: Sequence[float] | None) -> str:
    """Colour in 0..255: one number for grey, three for RGB, a fourth for alpha."""
    if not value:
        return "–"
    return " ".join(f"{to_byte(v):d}" for v in value)


def to_byte(value: float) -> int:
    """The level of 255 nearest to a value of 0 to 1, of others the nearer end; 0 of what is not finite."""
    if not math.isfinite(value):
        return 0
    return round(min(max(value, 0.0), 1.0) * 255)


def swatch_rgb(value: Sequence[float] | None) -> tuple[int, int, int] | None:
    """The colour to show beside a value; alpha is left out."""
    if not value:
        return None
    r, g, b = (value[0],) * 3 if len(value) < 3 else value[:3]
    return to_byte(r), to_byte(g), to_byte(b)


def count_text(
    in_view: int, shown: int | None = None, kind: str = "", chosen: int | None = None
) -> str:
    """How many Gaussians are in view, and how many of them are drawn when an overlay draws fewer.

    kind: "ellipses" or "centres", of which a capped overlay shows some everywhere, or "drifts": the longest. chosen:
    how many it is asked to draw, where some were chosen.
    """
    if chosen is not None:
        capped = shown is not None and shown < chosen
        return f"{shown:,} of {chosen:,} chosen" if capped else f"{chosen:,} chosen of {in_view:,}"
    if shown is None or not kind or shown >= in_view:
        return f"{in_view:,} Gaussians" if in_view != 1 else "1 Gaussian"
    which = " (longest)" if kind == "drifts" else ""
    return f"{shown:,} of {in_view:,} {kind}{which}"


def widest_count(kind: str = "", some: bool = False) -> str:
    """What takes as much room as any `count_text` of that kind, "" where nothing is marked; some: where some were
    chosen."""
    most = 99_999_999
    return count_text(most, 100_000 if kind else None, kind, most if some else None)


def time_text(ms: float) -> str:
    if ms >= 999.5:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms"


def preview_text(level: int) -> str:
    """The badge of a frame that is coarser than the screen; empty for an exact one."""
    return f"preview 1/{level}" if level > 1 else ""


def progress_text(done: int, total: int, what: str = "Building field") -> str:
    """In whole per cent, which are 100 only when all is done."""
    return f"{what}: {100 * done // max(total, 1)} %"


def building_text(built: int, total: int, built_in_view: int, in_view: int) -> str:
    """Tiles in view while the user waits for some; then how far all is, which nobody waits for."""
    if built_in_view < in_view:
        return f"Building the field: {built_in_view:,} of {in_view:,} tiles"
    return progress_text(built, total)


def unknown_text(title: str, marked_unseen: bool) -> str:
    """Of a method that knows of its Gaussians only once it has drawn, or, marked_unseen, was asked for marks."""
    or_marks = ", or marks are shown" if marked_unseen else ""
    return f"{title}'s Gaussians are known once it has drawn a view, from 100 % up{or_marks}"


def size_text(extent: tuple[int, int]) -> str:
    """Width by height of a picture of extent (height, width)."""
    height, width = extent
    return f"{width:,} × {height:,}"
