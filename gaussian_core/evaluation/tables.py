"""The papers' tables from the rows of an evaluation, with their own figures beside."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from gaussian_core.evaluation.published import PUBLISHED
from gaussian_core.evaluation.runner import ManyScales, Row

NAME = 44
"""Characters of the first column, where no name is longer."""

Line = tuple[str, Sequence[str]]


def figure(value: float, digits: int) -> str:
    """A figure in a table; a dash where there is none."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def quality(rows: Sequence[Row]) -> str:
    """PSNR-Y, a table for each set: methods, with their weights' names, by scales, with the time of a picture as
    build + N x a scale and the model's size; then what was published for the same set and scales."""
    tables = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        here = [row for row in rows if row.dataset == dataset]
        scales = list(dict.fromkeys(row.scale for row in here))
        heads = [f"x{scale:g}" for scale in scales]
        title = ", ".join(filter(None, (dataset, str(here[0].degradation), "PSNR-Y")))
        lines: list[Line] = [(title, [*heads, "build ms", "+ N x ms", "parameters"])]
        for method in dict.fromkeys(row.method for row in here):
            own = [row for row in here if row.method == method]
            found = {row.scale: figure(row.psnr_y, 2) for row in own}
            cost = [
                f"{statistics.fmean(row.build_ms for row in own):.0f}",
                f"{statistics.fmean(row.render_ms for row in own):.1f}",
                f"{own[0].parameters:,}",
            ]
            figures = [found.get(scale, "") for scale in scales]
            lines.append((_with_weights(own), [*figures, *cost]))
        for entry in PUBLISHED:
            comparable = _is_of(dataset, entry.dataset) and not here[0].degradation
            if comparable and set(entry.psnr) & set(scales):
                figures = [f"{entry.psnr[s]:.2f}" if s in entry.psnr else "" for s in scales]
                lines.append((f"published: {entry.title} ({entry.source})", figures))
        tables.append(_table(lines))
    return "\n\n".join(tables)


def _is_of(dataset: str, published: str) -> bool:
    """Whether a folder's name or that of the folder around it begins with a set's: DIV2K_valid_HR, Set5/HR."""
    return any(part.startswith(published) for part in Path(dataset).parts[-2:])


def many_scales(results: Sequence[ManyScales]) -> str:
    """What many scales of one picture cost by each method; the last column against the quickest."""
    if not results:
        return ""
    first = results[0]
    heads = ["build ms", "+ N x ms", "total s", "ratio", "parameters"]
    title = f"{first.scales} scales of {first.picture}, x{first.least:g} to x{first.most:g}"
    lines: list[Line] = [(title, heads)]
    quickest = min(result.total for result in results)
    for result in results:
        lines.append(
            (
                _with_weights([result]),
                [
                    f"{1e3 * result.build:.0f}",
                    f"{1e3 * result.render:.1f}",
                    f"{result.total:.2f}",
                    f"{result.total / quickest:.1f}",
                    f"{result.parameters:,}",
                ],
            )
        )
    return _table(lines)


def memory(peaks: dict[str, dict[float, float | None]]) -> str:
    """Peak memory in MB by method, with its weights, and scale."""
    scales = list(next(iter(peaks.values())))
    lines: list[Line] = [("peak MB of a process that renders", [f"x{scale:g}" for scale in scales])]
    for method, values in peaks.items():
        found = [values.get(scale) for scale in scales]  # of one that was interrupted, not all
        cells = ["" if value is None else f"{value:.0f}" for value in found]
        lines.append((method, cells))
    return _table(lines)


def _with_weights(rows: Sequence[Row] | Sequence[ManyScales]) -> str:
    """The method that some rows are of, and by which weights."""
    names = ", ".join(dict.fromkeys(row.weights for row in rows if row.weights))
    return f"{rows[0].method} ({names})" if names else rows[0].method


def _table(lines: Sequence[Line]) -> str:
    """Names and cells under each other."""
    width = max(NAME, *(len(name) for name, _ in lines))
    return "\n".join(
        f"{name:<{width}}" + "".join(f"{cell:>11}" for cell in cells) for name, cells in lines
    )
