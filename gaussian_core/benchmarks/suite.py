"""The sections of `bench`, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from gaussian_core.benchmarks import measuring
from gaussian_core.benchmarks.curves import Curve, build_curves, frame_curves, memory_curves
from gaussian_core.benchmarks.frames import frame_rows
from gaussian_core.benchmarks.handwritten import Race, races
from gaussian_core.benchmarks.liif import Comparison, compare
from gaussian_core.benchmarks.measuring import Row
from gaussian_core.errors import Cancelled
from gaussian_core.machine.memory import peak_memory_mb
from gaussian_core.parallel import Stop

SECTIONS = ("frames", "build", "memory", "liif")

Result = Row | Curve | Comparison | Race


@dataclass
class Report:
    """What has been measured so far."""

    results: list[Result] = field(default_factory=list)

    @property
    def curves(self) -> list[Curve]:
        return [r for r in self.results if isinstance(r, Curve)]

    def as_data(self) -> dict[str, object]:
        """Everything as plain data, for JSON."""
        compared = [r for r in self.results if isinstance(r, Comparison)]
        return {
            "machine": measuring.machine(),
            "rows": [asdict(r) for r in self.results if isinstance(r, Row)],
            "curves": [asdict(r) for r in self.curves],
            "liif": [asdict(r) | {"factor": r.factor} for r in compared],
            "cpp": [asdict(r) for r in self.results if isinstance(r, Race)],
            "peak_memory_mb": peak_memory_mb(),
        }


def run(
    sections: Sequence[str] = SECTIONS, repeats: int = 9, stop: Stop | None = None
) -> Iterator[Result]:
    """Results as they are measured. Raises Cancelled when stopped."""

    def check() -> None:
        if stop is not None and stop():
            raise Cancelled("bench stopped")

    if "frames" in sections:
        yield from frame_rows(repeats, check)
        yield from frame_curves(repeats, check)
    if "build" in sections:
        yield from build_curves(check)
    if "memory" in sections:
        yield from memory_curves(check)
    if "liif" in sections:
        check()
        yield compare(repeats, check)
    if "cpp" in sections:
        yield from races(repeats, check)
