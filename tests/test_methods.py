"""All methods behind one interface: encode a picture once, draw any viewport of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gaussian_core.builder import FIELD_METHODS
from gaussian_core.errors import Cancelled, UserError, WeightsError
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import METHODS, Options, method_of_weights, model_size, open_drawing
from gaussian_core.viewport import Viewport

NEEDS_WEIGHTS = ("liif", "gaussiansr")


def photo(height=20, width=26, channels=3):
    ys, xs = np.mgrid[:height, :width] / 6
    return np.stack([0.5 + 0.4 * np.sin(xs + k) * np.cos(ys) for k in range(channels)], -1).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Small untrained networks, as the training writes them."""
    torch = pytest.importorskip("torch")
    from gaussian_core.models.config import ModelConfig
    from gaussian_core.models.networks import make_network
    from gaussian_core.models.weights import save_model

    folder = tmp_path_factory.mktemp("weights")
    for name in NEEDS_WEIGHTS:
        torch.manual_seed(0)
        config = ModelConfig(architecture=name, channels=8, blocks=1)
        save_model(folder / f"{name}.safetensors", make_network(config), config)
    return folder


def options(name, weights):
    return Options(weights=weights / f"{name}.safetensors" if name in NEEDS_WEIGHTS else None)


@pytest.mark.parametrize("name", list(METHODS))
def test_a_view_is_a_part_of_the_whole(name, weights):
    drawing = open_drawing(Picture.from_array(photo()), name, options(name, weights))
    drawing.encode()
    whole = drawing.draw(Viewport((0, 0), 3.0, (78, 60)))
    part = drawing.draw(Viewport((5, 4), 3.0, (30, 27)))
    assert whole.shape == (60, 78, 3) and whole.dtype == np.float32
    # The rasterizer may drop what is below 1/512 of a Gaussian, at other places in another view.
    np.testing.assert_allclose(part, whole[12:39, 15:45], atol=0.02)
    assert np.abs(part - whole[12:39, 15:45]).mean() < 1e-3


@pytest.mark.parametrize("name", [n for n in METHODS if n not in NEEDS_WEIGHTS])
def test_smooth_pictures_come_out_as_they_are(name):
    drawing = open_drawing(Picture.from_array(photo()), name)
    frame = drawing.draw(Viewport((0, 0), 1.0, (26, 20)))
    assert np.abs(frame - photo()).max() < 0.02


@pytest.mark.parametrize("name", list(METHODS))
def test_every_drawing_stops(name, weights):
    drawing = open_drawing(Picture.from_array(photo()), name, options(name, weights))
    with pytest.raises(Cancelled):
        drawing.draw(Viewport((0, 0), 30.0, (780, 600)), lambda: True)


def test_the_builder_knows_the_methods_that_make_a_field():
    assert [name for name, method in METHODS.items() if method.makes_field] == sorted(
        FIELD_METHODS, key=lambda name: METHODS[name].rank
    )


def test_weights_decide_the_method_and_are_refused_for_another(weights):
    picture = Picture.from_array(photo())
    for name in NEEDS_WEIGHTS:
        path = weights / f"{name}.safetensors"
        assert method_of_weights(path) == name
        assert model_size(open_drawing(picture, None, Options(weights=path))) > 1000
    with pytest.raises(WeightsError, match="holds weights of liif"):
        open_drawing(picture, "continuoussr", Options(weights=weights / "liif.safetensors"))
    with pytest.raises(UserError, match="There is no method 'magic'"):
        open_drawing(picture, "magic")
    # An interpolation needs none and is not disturbed by any.
    open_drawing(picture, "bicubic", Options(weights=weights / "liif.safetensors"))


def test_the_table_of_methods_needs_neither_torch_nor_numba():
    code = (
        "import sys, gaussian_core.methods\n"
        "print([m for m in ('torch', 'numba', 'PIL', 'PySide6') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"
