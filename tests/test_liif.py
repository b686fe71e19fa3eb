"""LIIF against its definition, pixel by pixel, in float64; and encoders against theirs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled, WeightsError
from gaussian_core.imaging.picture import Picture
from gaussian_core.models.gaussiansr_drawing import GaussianSRDrawing
from gaussian_core.models.liif import LIIF, LIIFConfig
from gaussian_core.models.published.drawing import LIIFDrawing
from gaussian_core.models.published.opening import build_model, open_weights
from gaussian_core.models.published.registry import make_encoder
from gaussian_core.resource_files import RESOURCES
from gaussian_core.viewport import Viewport
from tests import published_checkpoints as small

Array = NDArray[np.float64]


def liif_of(**switches: bool) -> LIIF:
    model = build_model(small.checkpoint("liif", small.liif_args(**switches)))
    assert isinstance(model, LIIF)
    return model


def as_float64(model: torch.nn.Module) -> dict[str, Array]:
    return {name: value.double().numpy() for name, value in model.state_dict().items()}


def defined_colour(
    weights: dict[str, Array],
    config: LIIFConfig,
    z: Array,
    x: float,
    y: float,
    cell: tuple[float, float],
) -> Array:
    """Equations 1 to 5 of arXiv 2012.09161 for one place, source pixels; z (C, H, W): the encoder's features.

    The paper's coordinates run over [-1, 1]; differences from a code's centre are in units of half a code's distance.
    """
    _, height, width = z.shape

    def f(features: Array, dx: float, dy: float) -> Array:
        v = np.concatenate([features, [2 * dy, 2 * dx]])
        if config.cell_decoding:
            v = np.concatenate([v, [2 * cell[1], 2 * cell[0]]])
        last = 2 * len(config.hidden)
        for layer in range(0, last + 1, 2):
            v = weights[f"imnet.layers.{layer}.weight"] @ v + weights[f"imnet.layers.{layer}.bias"]
            if layer < last:
                v = np.maximum(v, 0)
        return v

    def code(i: int, j: int) -> Array:
        if not config.feature_unfolding:
            return z[:, i, j]
        around = np.zeros((len(z), 3, 3))
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                if 0 <= i + di < height and 0 <= j + dj < width:
                    around[:, di + 1, dj + 1] = z[:, i + di, j + dj]
        return around.reshape(-1)

    def nearest(place: float, count: int) -> int:
        return min(max(math.floor(place), 0), count - 1)

    if not config.local_ensemble:
        i, j = nearest(y, height), nearest(x, width)
        return f(code(i, j), x - j - 0.5, y - i - 0.5) * 0.5 + 0.5
    corners = [
        (nearest(y + v / 2, height), nearest(x + h / 2, width)) for v in (-1, 1) for h in (-1, 1)
    ]
    areas = [abs((y - i - 0.5) * (x - j - 0.5)) + 1e-9 / 4 for i, j in corners]
    total = sum(areas)
    colour = np.zeros(3)
    for t, (i, j) in enumerate(corners):
        colour += areas[3 - t] / total * f(code(i, j), x - j - 0.5, y - i - 0.5)
    return colour * 0.5 + 0.5


SWITCHES = [
    {},
    {"local_ensemble": False},
    {"feat_unfold": False},
    {"cell_decode": False},
    {"local_ensemble": False, "feat_unfold": False, "cell_decode": False},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda s: ",".join(s) or "all on")
def test_every_pixel_is_as_defined(switches: dict[str, bool]) -> None:
    model = liif_of(**switches)
    image = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        z = model.encode(image)[0].double().numpy()
    weights = as_float64(model)
    # Two scales, and borders: source pixels' centres, corners and the picture's own edges are among the places.
    for view in (Viewport((0, 0), (3, 2.3), (15, 14)), Viewport((1.75, -0.4), (8, 1.1), (20, 8))):
        xs, ys = view.pixel_centres()
        cell = (1 / view.scale[0], 1 / view.scale[1])
        with torch.inference_mode():
            made = model.query(model.codes(model.encode(image)), xs, ys, cell)[0].numpy()
        for row, y in enumerate(ys):
            for column, x in enumerate(xs):
                wanted = defined_colour(weights, model.config, z, x, y, cell)
                np.testing.assert_allclose(made[:, row, column], wanted, atol=2e-5)


def test_chunks_and_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = liif_of()
    images = torch.rand(2, 3, 7, 9)
    view = Viewport((0, 0), 2.5, (22, 17))
    xs, ys = view.pixel_centres()
    with torch.inference_mode():
        both = model.query(model.encode(images), xs, ys, (0.4, 0.4))
        monkeypatch.setattr("gaussian_core.models.liif.CHUNK", 50)
        for k in (0, 1):
            one = model.render(images[k : k + 1], view)
            np.testing.assert_allclose(one, both[k].permute(1, 2, 0).numpy(), atol=1e-5)


def test_render_reports_strips_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaussian_core.models.liif.CHUNK", 64)
    model = liif_of()
    image, view = torch.rand(1, 3, 8, 8), Viewport((0, 0), 4, (32, 32))
    done: list[int] = []
    whole = model.render(image, view, rows=lambda top, strip: done.append(top))
    assert done == list(range(0, 32, 2)) and whole.shape == (32, 32, 3)
    done.clear()
    with pytest.raises(Cancelled):
        model.render(image, view, lambda: len(done) > 3, lambda top, strip: done.append(top))
    assert len(done) == 4


def test_gradients_reach_the_encoder() -> None:
    model = liif_of().requires_grad_(True)
    features = model.encode(torch.rand(1, 3, 6, 6))
    xs = np.linspace(0.1, 5.9, 9)
    model.query(features, xs, xs, (0.5, 0.5)).sum().backward()
    weight = model.encoder.get_parameter("head.0.weight")
    assert weight.grad is not None and float(weight.grad.abs().sum()) > 0


def test_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(WeightsError, match="rcan"):
        LIIF(LIIFConfig(encoder="rcan", encoder_args={}))


# The encoders


def filled(name: str, args: dict[str, Any]) -> torch.nn.Module:
    encoder = make_encoder(name, args)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for value in encoder.parameters():
            fan = value[0].numel() if value.ndim > 1 else 1
            value.copy_(torch.randn(value.shape, generator=generator) * (1 / fan) ** 0.5)
    return encoder.double().eval().requires_grad_(False)


def defined_rdn(w: dict[str, torch.Tensor], x: torch.Tensor, d: int, c: int) -> torch.Tensor:
    """Equations 1 to 9 of arXiv 1802.08797."""

    def conv(name: str, y: torch.Tensor) -> torch.Tensor:
        weight = w[f"{name}.weight"]
        return F.conv2d(y, weight, w[f"{name}.bias"], padding=weight.shape[-1] // 2)

    first = conv("SFENet1", x)
    f = conv("SFENet2", first)
    blocks = []
    for block in range(d):
        known = [f]
        for layer in range(c):
            known.append(conv(f"RDBs.{block}.convs.{layer}.conv.0", torch.cat(known, 1)).relu())
        f = f + conv(f"RDBs.{block}.LFF", torch.cat(known, 1))
        blocks.append(f)
    return first + conv("GFF.1", conv("GFF.0", torch.cat(blocks, 1)))


def test_rdn_is_as_defined() -> None:
    encoder = filled("rdn", {"G0": 4, "RDNconfig": "A", "no_upsampling": True})
    image = torch.rand(1, 3, 7, 6, dtype=torch.float64)
    wanted = defined_rdn(encoder.state_dict(), image, 20, 6)
    torch.testing.assert_close(encoder(image), wanted)


def defined_swinir(
    w: dict[str, torch.Tensor], x: torch.Tensor, window: int, heads: int, depth: int
) -> torch.Tensor:
    """Equations 1 to 9 of arXiv 2108.10257, with attention place by place."""
    height, width = x.shape[-2:]
    full = [-(-side // window) * window for side in (height, width)]
    x = F.pad(x, (0, full[1] - width, 0, full[0] - height), mode="reflect")

    def conv(name: str, y: torch.Tensor) -> torch.Tensor:
        return F.conv2d(y, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)

    def norm(name: str, y: torch.Tensor) -> torch.Tensor:
        y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        return y * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(name: str, y: torch.Tensor) -> torch.Tensor:
        return y @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def group_of(i: int, j: int, shift: int) -> tuple[int, ...]:
        """Places of the moved windows attend to each other, and those cut off at a border not to the other side."""
        return tuple((v - shift) // window for v in (i, j))

    def attention(name: str, y: torch.Tensor, shift: int) -> torch.Tensor:
        q, k, v = linear(f"{name}.qkv", y).chunk(3, -1)
        table = w[f"{name}.relative_position_bias_table"]
        size = y.shape[-1] // heads
        out = torch.zeros_like(y)
        places = [(i, j) for i in range(full[0]) for j in range(full[1])]
        for i, j in places:
            others = [p for p in places if group_of(*p, shift) == group_of(i, j, shift)]
            for h in range(heads):
                part = slice(h * size, (h + 1) * size)
                logits = torch.stack(
                    [
                        q[i, j, part] @ k[a, b, part] * size**-0.5
                        + table[(i - a + window - 1) * (2 * window - 1) + j - b + window - 1, h]
                        for a, b in others
                    ]
                )
                share = logits.softmax(0)
                out[i, j, part] = sum(
                    s * v[a, b, part] for s, (a, b) in zip(share, others, strict=True)
                )
        return linear(f"{name}.proj", out)

    def last(y: torch.Tensor) -> torch.Tensor:
        return y.permute(2, 0, 1)[None]

    shallow = conv("conv_first", x)
    y = norm("patch_embed.norm", shallow[0].permute(1, 2, 0))
    group = y
    for number in range(depth):
        name = f"layers.0.residual_group.blocks.{number}"
        y = y + attention(f"{name}.attn", norm(f"{name}.norm1", y), window // 2 * (number % 2))
        inner = F.gelu(linear(f"{name}.mlp.fc1", norm(f"{name}.norm2", y)))
        y = y + linear(f"{name}.mlp.fc2", inner)
    y = group + conv("layers.0.conv", last(y))[0].permute(1, 2, 0)
    deep = shallow + conv("conv_after_body", last(norm("norm", y)))
    return F.leaky_relu(conv("conv_before_upsample.0", deep), 0.01)[..., :height, :width]


def test_swinir_is_as_defined() -> None:
    args = {**small.SWINIR["args"], "upsampler": "none"}
    encoder = filled("swinir", args)
    image = torch.rand(1, 3, 7, 11, dtype=torch.float64)
    wanted = defined_swinir(encoder.state_dict(), image, 4, 3, 2)
    torch.testing.assert_close(encoder(image), wanted, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "args", "million"),
    [
        ("edsr-baseline", {"no_upsampling": True}, 1.22),
        ("edsr", {"no_upsampling": True}, 38.37),
        ("rdn", {"no_upsampling": True}, 21.97),
        ("swinir", {"no_upsampling": True}, 11.61),
    ],
)
def test_default_sizes_are_the_published_ones(
    name: str, args: dict[str, Any], million: float
) -> None:
    with torch.device("meta"):
        encoder = make_encoder(name, args)
    count = sum(value.numel() for value in encoder.parameters())
    assert abs(count / 1e6 - million) < 0.02


@pytest.mark.parametrize(
    "make",
    [
        lambda: ("edsr-baseline", small.EDSR["args"]),
        lambda: ("rdn", {"G0": 4, "RDNconfig": "A", "no_upsampling": True}),
    ],
    ids=["edsr", "rdn"],
)
def test_the_stated_reach_is_the_reach(make: Callable[[], tuple[str, dict[str, Any]]]) -> None:
    encoder = make_encoder(*make())
    reach = encoder.reach
    assert reach is not None
    image = torch.zeros(1, 3, 3, 2 * reach + 5, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        for value in encoder.parameters():
            value.fill_(0.01)  # every path adds, none cancels
    encoder.double()(image)[0, :, 1, reach + 2].sum().backward()
    assert image.grad is not None
    seen = torch.nonzero(image.grad[0].abs().sum((0, 1)))
    assert int(seen.min()) >= 2 and int(seen.max()) <= 2 * reach + 2
    assert int(seen.max() - seen.min()) == 2 * reach


@pytest.mark.parametrize("spec", [small.HAT, small.SWINIR], ids=["hat", "swinir"])
def test_bands_of_windows_are_the_whole(
    spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = filled(spec["name"], spec["args"])
    image = torch.rand(1, 3, 19, 22, dtype=torch.float64)
    whole = encoder(image)
    monkeypatch.setattr("gaussian_core.models.published.windows.BAND", 24)
    torch.testing.assert_close(encoder(image), whole)


@pytest.mark.parametrize("whole", [1 << 20, 0], ids=["kept", "in parts"])
@pytest.mark.parametrize("method", ["liif", "gaussiansr"])
def test_the_shipped_weights_make_no_rim_around_a_picture(method: str, whole: int) -> None:
    """In training nothing was asked for at the borders of a crop: a picture goes on, mirrored, as far as that."""
    model = open_weights(RESOURCES / f"{method}-light.safetensors")
    draw = LIIFDrawing if isinstance(model, LIIF) else GaussianSRDrawing
    for grey in (0, 255):
        flat = Picture.from_array(np.full((10, 12, 3), grey, np.uint8))
        frame = draw(flat, model, whole).draw(Viewport((0, 0), 2.5, (30, 25)))  # type: ignore[arg-type]
        np.testing.assert_allclose(frame, grey / 255, atol=0.02)
