"""Peak memory of a fresh process that enlarges one picture into a file, strip by strip, as `render` does.

`python -m gaussian_core.evaluation.memory PICTURE METHOD SCALE PRECISION [WEIGHTS]` prints it, in megabytes, and
in another line the name of the weights that it was drawn by, which may be empty.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.errors import Cancelled, UserError
from gaussian_core.machine.own_process import printed_by
from gaussian_core.parallel import Stop

if TYPE_CHECKING:
    from gaussian_core.builder import Precision
    from gaussian_core.methods import Options

MODULE = "gaussian_core.evaluation.memory"


def peak_memory(
    picture: Path, method: str, scale: float, options: Options, stop: Stop | None = None
) -> tuple[float | None, str]:
    """Megabytes, on the CPU, None where the system does not tell; and the name of the weights, see weights_of. Raises
    UserError with what the process had to say, and Cancelled."""
    if stop is not None and stop():
        raise Cancelled("measuring stopped")
    words = [str(picture), method, repr(scale), options.precision]
    if options.weights:
        words.append(str(options.weights))
    try:
        said = printed_by(MODULE, *words, failure=f"{method} at x{scale:g} could not be measured")
    except UserError:
        if stop is not None and stop():  # Ctrl-C ends the process, too
            raise Cancelled("measuring stopped") from None
        raise
    answer, used = said.splitlines()[-2:]
    return None if answer == "None" else float(answer), used


def _main(
    picture: str, method: str, scale: str, precision: Precision, weights: str | None = None
) -> None:
    from gaussian_core.evaluation.runner import weights_of
    from gaussian_core.machine.memory import peak_memory_mb
    from gaussian_core.methods import Options
    from gaussian_core.writing.file_renderer import render_file

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.tif"
        done = render_file(
            picture,
            out,
            float(scale),
            method=method,
            device="cpu",
            weights=weights,
            precision=precision,
        )
        print(peak_memory_mb())
        print(weights_of(done, method, Options(weights=weights)))


if __name__ == "__main__":
    _main(*sys.argv[1:])  # type: ignore[arg-type]
