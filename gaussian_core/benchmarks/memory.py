"""Peak memory of a fresh process that opens a picture and shows one view of its field.

`python -m gaussian_core.benchmarks.memory MEGAPIXELS ZOOM METHOD` prints it, in megabytes.
"""

from __future__ import annotations

import sys

from gaussian_core.machine.own_process import printed_by

MODULE = "gaussian_core.benchmarks.memory"


def peak_memory_apart(megapixels: float, zoom: float, method: str) -> float | None:
    """Megabytes; None where the system does not tell. Raises UserError with what the process had to say."""
    failure = f"The memory of {megapixels:g} megapixels could not be measured"
    said = printed_by(MODULE, str(megapixels), str(zoom), method, failure=failure).split()[-1]
    return None if said == "None" else float(said)


def _show(megapixels: float, zoom: float, method: str) -> float | None:
    from gaussian_core.benchmarks.frames import FRAME
    from gaussian_core.benchmarks.subjects import Photo, tiles_in_view
    from gaussian_core.builder import FieldBuilder
    from gaussian_core.machine.memory import peak_memory_mb
    from gaussian_core.rasterizer import rasterize

    photo = Photo(megapixels)
    view = photo.view(zoom, FRAME)
    fields = tiles_in_view(photo, view, FieldBuilder(photo, method))
    rasterize(fields, view, format="bgrx8", backend="cpu")
    return peak_memory_mb()


if __name__ == "__main__":
    print(_show(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
