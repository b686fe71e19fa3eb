"""Training: its rasterizer, samples, and that it goes on where it stood."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gaussian_core.errors import ImageError, OutputError, UserError, WeightsError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer.reference import rasterize_reference
from gaussian_core.viewport import Viewport

torch = pytest.importorskip("torch")

from gaussian_core.models.card import read_card  # noqa: E402
from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.models.continuoussr import Cells, ContinuousSR  # noqa: E402
from gaussian_core.models.weights import save_model  # noqa: E402
from gaussian_core.training import command  # noqa: E402
from gaussian_core.training.dataset import PictureStore, Sampler  # noqa: E402
from gaussian_core.training.grid_rasterizer import sample_cells, sample_table  # noqa: E402
from gaussian_core.training.learners import ContinuousSRLearner, learner_of  # noqa: E402
from gaussian_core.training.loop import Schedule, Trainer  # noqa: E402
from gaussian_core.training.muon import orthogonalise  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402

SMALL = ModelConfig(channels=8, blocks=1, hidden=8)


def random_cells(h, w, dtype=torch.float32):
    torch.manual_seed(0)
    xs, ys = (torch.arange(n, dtype=dtype) / 2 + 0.25 for n in (w, h))
    means = torch.stack([xs.expand(h, w), ys[:, None].expand(h, w)]) + 0.2 * torch.randn(
        2, h, w, dtype=dtype
    )
    a, b, c = 0.3 + 0.2 * torch.rand(3, h, w, dtype=dtype)
    covariances = torch.stack([a * a, a * (b - 0.4), (b - 0.4) ** 2 + c * c])
    return Cells(means[None], covariances[None], torch.rand(1, 3, h, w, dtype=dtype))


def positions(h, w, reach, dtype=torch.float32):
    ys, xs = torch.meshgrid(torch.arange(h - 2 * reach), torch.arange(w - 2 * reach), indexing="ij")
    return ((torch.stack([xs, ys]).to(dtype) + reach + 0.5) / 2)[None]


def test_samples_agree_with_the_reference():
    """Every Gaussian of a small lattice is in reach, so nothing is cut."""
    cells = random_cells(11, 11)
    seen = sample_cells(cells, positions(11, 11, 5), torch.tensor([0.15]), 5)
    columns = [t[0].flatten(1).T.numpy() for t in cells]
    field = GaussianField(*columns, (5, 5))
    at = Viewport((2.5, 2.5), 2.0, (1, 1))
    np.testing.assert_allclose(
        seen[0, :, 0, 0], rasterize_reference((field,), at, 0.3)[0, 0], rtol=1e-4, atol=1e-5
    )


def test_compiled_and_tensor_forms_agree_with_their_gradients():
    results = []
    for dtype in (torch.float32, torch.float64):
        cells = Cells(*(t.to(dtype).requires_grad_() for t in random_cells(14, 17)))
        seen = sample_cells(cells, positions(14, 17, 3, dtype), torch.tensor([0.1], dtype=dtype), 3)
        (seen * torch.linspace(-1, 1, seen.numel(), dtype=dtype).view_as(seen)).sum().backward()
        results.append([seen.detach(), *(t.grad for t in cells)])
    for fast, slow in zip(*results, strict=True):
        scale = float(slow.abs().max())
        np.testing.assert_allclose(fast, slow, atol=2e-5 * scale)


def test_gradients_of_the_tensor_form():
    torch.manual_seed(0)
    table = torch.rand(1, 8, 4, 4, dtype=torch.float64)
    table[:, 2:5] -= 1.5
    at = torch.rand(1, 2, 2, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda t: sample_table(t, at, 1), table.requires_grad_())


def test_orthogonalise_evens_out_directions():
    torch.manual_seed(0)
    for shape in ((12, 40), (40, 12)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert float(values.min()) > 0.6 and float(values.max()) < 1.3
    several = torch.randn(3, 12, 40)
    alone = torch.stack([orthogonalise(matrix) for matrix in several])
    torch.testing.assert_close(orthogonalise(several), alone, rtol=1e-4, atol=1e-5)


def test_orthogonalise_is_the_iteration_of_muon():
    torch.manual_seed(1)
    for shape in ((12, 40), (40, 12), (9, 9), (3, 12, 40)):
        # Directions of little weight besides a few strong ones, as gradients are.
        strong = torch.randn(*shape[:-1], 2) @ torch.randn(*shape[:-2], 2, shape[-1])
        matrices = strong + 0.03 * torch.randn(shape)
        x = matrices.double()
        x = x / torch.linalg.matrix_norm(x, keepdim=True)
        x = x.mT if shape[-2] > shape[-1] else x
        for _ in range(5):
            gram = x @ x.mT
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        x = x.mT if shape[-2] > shape[-1] else x
        torch.testing.assert_close(orthogonalise(matrices).double(), x, rtol=0, atol=2e-3)


def test_pages_are_reproducible_and_differ():
    np.testing.assert_array_equal(page(3, 96), page(3, 96))
    assert any(page(n, 96).std() > 20 for n in range(4))
    assert not np.array_equal(page(1, 96), page(2, 96))


def test_dead_leaves_have_smooth_edges_at_many_sizes():
    import random

    from gaussian_core.training.dead_leaves import leaves

    picture = leaves(random.Random(5), 160)
    assert picture.shape == (160, 160, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, leaves(random.Random(5), 160))
    steps = np.abs(np.diff(picture.astype(int), axis=1)).max(-1)
    # Strong edges, areas without any, and in between the shares of pixels that an edge crosses.
    assert (steps > 60).mean() > 0.01 and (steps <= 2).mean() > 0.3
    crossed = steps[(steps > 8)]
    assert 0.2 < ((crossed > 15) & (crossed < 60)).mean() < 0.95


def sampler(seed=0):
    pixels = page(0, 200)
    return Sampler([pixels], np.ones(1), batch=2, patch=20, pages=2, seed=seed)


def test_samples_are_the_original_at_their_positions():
    batch = sampler().draw(5)
    assert batch.low.shape == (2, 3, 20, 20) and batch.positions.shape == (2, 2, 32, 32)
    home = (torch.arange(32) / 2 + 2.25).expand(32, 32)
    assert float((batch.positions[:, 0] - home).abs().max()) < 0.8
    # Where a crop is nearly smooth, the low resolution picture says about the same.
    low = torch.nn.functional.grid_sample(
        batch.low, (batch.positions / 10 - 1).permute(0, 2, 3, 1), align_corners=False
    )
    assert float((low - batch.colours).abs().mean()) < 0.15
    again = sampler().draw(5)
    assert torch.equal(batch.colours, again.colours)
    assert not torch.equal(batch.colours, sampler(seed=1).draw(5).colours)


def trainer(folder, steps):
    torch.manual_seed(0)
    return Trainer(
        ContinuousSRLearner(SMALL),
        Schedule(steps=steps, warm_up=1),
        sampler(),
        folder,
        torch.device("cpu"),
    )


def test_training_learns_and_goes_on_where_it_stood(tmp_path):
    one = trainer(tmp_path / "one", 6)
    one.folder.mkdir()
    batch = one.batches.draw(0)
    before = one.loss(batch).item()
    list(one.run())
    assert one.loss(batch).item() < before
    first = trainer(tmp_path / "two", 3)
    first.folder.mkdir()
    list(first.run())
    first.save()
    second = trainer(tmp_path / "two", 6)
    assert second.resume() and second.step == 3
    list(second.run())
    for a, b in zip(one.average, second.average, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_gradient_that_is_no_number_leaves_the_weights_and_their_average_as_they_are(
    tmp_path, caplog, value
):
    one = trainer(tmp_path, 40)
    batches = [one.batches.draw(number) for number in range(3)]
    one.update(batches[0])
    spoilt = next(iter(one.model.parameters())).register_hook(lambda gradient: gradient * value)
    assert math.isfinite(one.update(batches[1])), "the loss does not tell"
    assert "back to the averaged weights" in caplog.text
    spoilt.remove()
    assert math.isfinite(one.update(batches[2])) and one.step == 3
    for parameters in (one.model.parameters(), one.averaged().parameters()):
        assert all(bool(p.isfinite().all()) for p in parameters)


def test_a_training_that_strays_goes_on_from_the_averaged_weights(tmp_path, caplog):
    one = trainer(tmp_path, 40)
    batches = [one.batches.draw(number) for number in range(4)]
    losses = [one.update(batch) for batch in batches]
    with torch.no_grad():
        for p in one.model.colour.parameters():
            p.mul_(1e4)
    assert one.update(batches[0]) > 10 * max(losses)
    assert "back to the averaged weights" in caplog.text
    assert one.update(batches[0]) < 2 * max(losses)
    assert one.step == 6
    assert all(bool(p.isfinite().all()) for p in one.averaged().parameters())


def test_an_easy_first_crop_makes_no_later_one_a_stray(tmp_path, caplog):
    one = trainer(tmp_path, 40)
    one.schedule = replace(one.schedule, warm_up=3)
    one.usual = 1e-6  # after a crop of one colour
    one.update(one.batches.draw(0))
    assert "averaged weights" not in caplog.text and one.usual > 1e-6


def test_rare_crops_that_are_much_harder_are_no_strays(tmp_path, caplog):
    one = trainer(tmp_path, 400)
    one.schedule = replace(one.schedule, warm_up=100)
    batch = one.batches.draw(0)
    for number in range(300):
        value = 0.06 if number % 25 == 24 else 0.002
        one.loss = lambda _, value=value: 0 * next(one.model.parameters()).sum() + value
        one.update(batch)
    assert "averaged weights" not in caplog.text


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    one = trainer(tmp_path, 1)
    one.save()
    other = ModelConfig(channels=4, blocks=1, hidden=8)
    with pytest.raises(WeightsError):
        Trainer(
            ContinuousSRLearner(other), Schedule(), sampler(), tmp_path, torch.device("cpu")
        ).resume()


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "list"])
def test_a_damaged_checkpoint_is_said_in_a_line_that_tells_what_to_do(tmp_path, kind):
    assert asked(tmp_path) == 0
    file = tmp_path / "out" / "checkpoint.pt"
    if kind == "list":
        torch.save([1, 2], file)
    else:
        whole = file.read_bytes()
        file.write_bytes({"empty": b"", "text": b"no checkpoint", "cut": whole[:900]}[kind])
    with pytest.raises(WeightsError, match=r"checkpoint\.pt is damaged .*: delete it, or") as said:
        asked(tmp_path, "--steps", "3")
    assert "\n" not in str(said.value)
    file.unlink()
    assert asked(tmp_path) == 0


def test_pictures_are_learned_as_they_are_stored_and_on_white_where_they_are_transparent(tmp_path):
    (tmp_path / "set").mkdir()
    first = page(1, 48)
    glass = np.dstack([first, np.where(np.arange(48) < 30, 255, 0)[None].repeat(48, 0)])
    Image.fromarray(first).save(tmp_path / "set" / "a.png")
    Image.fromarray(glass.astype(np.uint8)).save(tmp_path / "set" / "b.png")
    Image.fromarray(first[..., 0]).save(tmp_path / "set" / "c.png")
    plain, cut_out, grey = PictureStore([tmp_path / "set"], tmp_path / "cache").pictures
    np.testing.assert_array_equal(plain, first)
    np.testing.assert_array_equal(cut_out[:, :30], first[:, :30])
    assert (cut_out[:, 30:] == 255).all()
    np.testing.assert_array_equal(grey, first[..., :1].repeat(3, -1))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pictures.json", b""),
        ("pictures.json", b'{"files": [["a'),
        ("pictures.json", b"[]"),
        ("pictures.bin", None),
        ("pictures.bin", b"short"),
    ],
)
def test_pictures_whose_decoded_copy_is_damaged_are_decoded_again(tmp_path, name, content):
    (tmp_path / "set").mkdir()
    first = page(1, 80)
    Image.fromarray(first).save(tmp_path / "set" / "a.png")
    cache = tmp_path / "cache"
    PictureStore([tmp_path / "set"], cache)
    (cache / name).unlink() if content is None else (cache / name).write_bytes(content)
    np.testing.assert_array_equal(PictureStore([tmp_path / "set"], cache).pictures[0], first)


@pytest.mark.parametrize(
    "words",
    ["--drift 1", "--spread 0.5", "--covariance linear", "--footprint 0", "--blocks 2"],
)
def test_no_option_makes_another_network_of_a_training_that_goes_on(tmp_path, words):
    assert asked(tmp_path) == 0
    kept = (tmp_path / "out" / "checkpoint.pt").read_bytes()
    with pytest.raises(WeightsError, match=f"is of a training with {words.split()[0]} .*--out"):
        asked(tmp_path, *words.split(), "--steps", "3")
    assert (tmp_path / "out" / "checkpoint.pt").read_bytes() == kept
    assert asked(tmp_path, "--name", "other", "--licences", "CC0", "--steps", "3") == 0


def test_a_checkpoint_from_before_an_option_was_there_goes_on(tmp_path):
    one = trainer(tmp_path, 1)
    one.save()
    file = tmp_path / "checkpoint.pt"
    state = torch.load(file, weights_only=True)
    known = json.loads(state["config"])
    for name in ("symmetric", "deep_blocks", "teacher"):
        del known[name]
    torch.save(state | {"config": json.dumps(known)}, file)
    assert trainer(tmp_path, 2).resume()


def test_the_command_writes_usable_weights(tmp_path, capsys):
    from gaussian_core.models.weights import load_model

    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = f"{tmp_path / 'set'} --out {tmp_path / 'out'} --steps 2 --batch 1 --patch 20 --channels 8 --blocks 1 --spread 0.25"
    assert (
        command.run(parser.parse_args([*words.split(), "--validate", str(tmp_path / "set")])) == 0
    )
    model = load_model(tmp_path / "out" / "continuoussr-light.safetensors")
    assert isinstance(model, ContinuousSR) and model.config.steps == 2
    assert model.config.spread == 0.25
    assert "PSNR-Y: x2" in capsys.readouterr().out
    first = tmp_path / "out" / "continuoussr-light.safetensors"
    again = words.replace("/out", "/again").replace("--steps 2", "--steps 1")
    assert command.run(parser.parse_args([*again.split(), "--weights", str(first)])) == 0
    further = load_model(tmp_path / "again" / "continuoussr-light.safetensors")
    assert further.config.steps == 3  # the card counts what the weights began with


def test_each_option_of_the_loss_and_of_the_crops_is_heard(tmp_path, capsys):
    """One step from the same weights, by the same seed: what it costs tells what was asked of it."""
    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    asked = ["", "--squares", "--luminance 1", "--fabric 1", "--pixel-art 1"]
    lost = []
    for i, option in enumerate(asked):
        words = f"{tmp_path / 'set'} --out {tmp_path / str(i)} --steps 1 --batch 1 --patch 20 --channels 8 --blocks 1"
        assert command.run(parser.parse_args([*words.split(), *option.split()])) == 0
        lost.append(capsys.readouterr().out.partition("loss ")[2].split()[0])
    assert len(set(lost)) == len(asked)


def test_the_card_names_a_folder_that_was_given_as_the_current_one(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    monkeypatch.chdir(tmp_path / "set")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = "--out ../out --steps 1 --batch 1 --patch 20 --channels 8 --blocks 1 --pixel-art 0"
    assert command.run(parser.parse_args([".", *words.split()])) == 0
    made = read_card(tmp_path / "out" / "continuoussr-light.safetensors").config
    assert made.trained_on == "set"


def test_an_empty_folder_is_named(tmp_path):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(ImageError, match="No pictures"):
        command.run(parser.parse_args([str(tmp_path), "--out", str(tmp_path / "out")]))
    assert not (tmp_path / "out").exists()


def asked(tmp_path, *words, stop=None):
    """A training on one picture, with a folder of its own, as it is asked for."""
    folder = tmp_path / "set"
    if not folder.exists():
        folder.mkdir()
        Image.fromarray(page(1, 80)).save(folder / "a.png")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    small = "--steps 2 --batch 1 --patch 20 --channels 8 --blocks 1 --pixel-art 0"
    given = [str(folder), "--out", str(tmp_path / "out"), *small.split(), *map(str, words)]
    return command.run(parser.parse_args(given), stop)


def test_a_training_stops_while_it_validates_too(tmp_path, capsys, monkeypatch):
    from gaussian_core.evaluation import runner

    begun, enlarge = [], runner.enlarge

    def noted(*arguments):
        begun.append(arguments)
        return enlarge(*arguments)

    monkeypatch.setattr(runner, "enlarge", noted)
    (tmp_path / "validate").mkdir()
    Image.fromarray(page(2, 40)).save(tmp_path / "validate" / "a.png")
    words = ("--validate", tmp_path / "validate", "--every", "1")
    assert asked(tmp_path, *words, stop=lambda: bool(begun)) == 0
    said = capsys.readouterr().out
    assert len(begun) == 1 and "PSNR-Y" not in said and "light.safetensors: step 1" in said
    monkeypatch.undo()
    assert asked(tmp_path, *words) == 0
    said = capsys.readouterr().out
    assert "going on from step 1" in said and "validate, PSNR-Y: x2" in said


@pytest.mark.parametrize(
    ("option", "values", "wanted"),
    [
        ("--pixel-art", "4 -0.1 nan", "between 0 and 1"),
        ("--spread", "0 nan -1 inf", "more than 0"),
        ("--rate", "0 nan -1", "more than 0"),
        ("--matrix-rate", "0 nan -1", "more than 0"),
        ("--elongation", "nan -1", "at least 0"),
        ("--footprint", "nan -1 2", "between 0 and 1"),
        ("--slope", "nan -1", "between 0 and 1"),
        ("--drift", "nan -1", "at least 0"),
        ("--follow", "nan -1", "at least 0"),
        ("--luminance", "nan -0.1 2", "between 0 and 1"),
        ("--seed", "-1 4294967296", "between 0 and 4294967295"),
        ("--patch", "15", "at least 16"),
    ],
)
def test_a_number_that_no_training_can_have_is_refused(tmp_path, option, values, wanted):
    for value in values.split():
        with pytest.raises(UserError, match=f"{option} must be {wanted}.*, not {value}"):
            asked(tmp_path, f"{option}={value}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a/b", "..\\b", "", "x" * 300, "a\nb"])
def test_a_name_is_a_part_of_a_files_name(tmp_path, name):
    with pytest.raises(OutputError, match="--name"):
        asked(tmp_path, "--name", name)
    assert not (tmp_path / "out").exists()


def test_what_the_training_will_be_measured_on_is_looked_at_first(tmp_path):
    folder = tmp_path / "validate"
    with pytest.raises(ImageError, match="There is no folder"):
        asked(tmp_path, "--validate", folder)
    folder.mkdir()
    with pytest.raises(ImageError, match="holds no pictures"):
        asked(tmp_path, "--validate", folder)
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match="can be measured"):
        asked(tmp_path, "--validate", folder)
    with pytest.raises(ImageError, match="is a file"):
        asked(tmp_path, "--validate", folder / "broken.png")
    assert not (tmp_path / "out").exists()


def test_a_teacher_is_a_file(tmp_path):
    with pytest.raises(
        WeightsError, match=r"--teacher wants a file.*continuoussr-light.safetensors"
    ):
        asked(tmp_path, "--teacher", "light")
    with pytest.raises(WeightsError, match="--weights wants a file"):
        asked(tmp_path, "--weights", tmp_path / "none.safetensors")
    theirs = tmp_path / "ContinuousSR.pth"
    theirs.write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(
        WeightsError, match=r"ContinuousSR\.pth.*choose a \.safetensors file of this"
    ):
        asked(tmp_path, "--weights", theirs)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--weights", "--encoder", "--teacher"])
def test_no_training_writes_over_the_weights_that_it_was_given(tmp_path, option):
    assert asked(tmp_path) == 0
    own = tmp_path / "out" / "continuoussr-light.safetensors"
    before = own.read_bytes()
    same = tmp_path / "out" / ".." / "out" / own.name
    with pytest.raises(WeightsError, match=f"{option} .* is the file that this training writes"):
        asked(tmp_path, option, same, "--steps", "3")
    assert own.read_bytes() == before
    elsewhere = ("--name", "next", "--out", tmp_path / "next", "--lessons", "2")
    assert asked(tmp_path, option, own, *elsewhere) == 0


def test_where_no_folder_can_be_made_none_is(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="Cannot make the folder"):
            asked(tmp_path, "--out", place)


def test_a_training_whose_loss_is_never_a_number_fails(tmp_path, monkeypatch):
    def nothing(self, model, batch, bfloat16):
        return next(model.parameters()).sum() * float("nan")

    monkeypatch.setattr(ContinuousSRLearner, "loss", nothing)
    with pytest.raises(UserError, match="No loss in 2 steps was a number"):
        asked(tmp_path)
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_rates_that_are_far_too_high_are_said_and_leave_what_was_kept(tmp_path):
    wild = ("--rate", "1e6", "--matrix-rate", "1e6", "--every", "10", "--steps", "60")
    with pytest.raises(UserError, match=r"lost its way: the last 20 losses .* smaller rates"):
        asked(tmp_path, *wild, "--name", "wild", "--out", tmp_path / "wild")
    assert not (tmp_path / "wild" / "continuoussr-wild.safetensors").exists()
    assert asked(tmp_path, "--steps", "5") == 0
    files = [tmp_path / "out" / n for n in ("checkpoint.pt", "continuoussr-light.safetensors")]
    kept = [file.read_bytes() for file in files]
    with pytest.raises(UserError, match="lost its way"):
        asked(tmp_path, *wild)
    stopped = iter([False] * 8)  # by Ctrl-C, while it is lost
    with pytest.raises(UserError, match="lost its way"):
        asked(tmp_path, *wild, stop=lambda: next(stopped, True))
    assert [file.read_bytes() for file in files] == kept
    assert asked(tmp_path, "--steps", "6") == 0


def test_a_folder_is_of_one_training_at_a_time(tmp_path):
    out = tmp_path / "out"
    refused = []

    def stop():
        with pytest.raises(OutputError, match="Another training is at work in"):
            asked(tmp_path)
        refused.append(True)
        return False

    assert asked(tmp_path, stop=stop) == 0 and refused
    killed = out / ".pictures.bin.1.part"  # a training that was killed while it decoded
    killed.write_bytes(b"half of them")
    assert asked(tmp_path, "--steps", "3") == 0
    assert not killed.exists()


def full_disk(target):
    """What is written to the target's temporary file from now on meets a full disk."""
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.symlink_to("/dev/full")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
@pytest.mark.parametrize("name", ["pictures.bin", "pictures.json", "checkpoint.pt"])
def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path, name):
    out = tmp_path / "out"
    full_disk(out / name)
    with pytest.raises(OutputError, match="No space left on device"):
        asked(tmp_path)
    assert not (out / name).exists() and not list(out.glob("*.part"))
    assert asked(tmp_path) == 0


def test_weights_that_find_no_space_are_said_in_a_line(tmp_path, monkeypatch):
    import safetensors

    def full(*_, **__):
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(OutputError, match=r"light\.safetensors: .*No space left on device"):
        asked(tmp_path)
    assert not list((tmp_path / "out").glob("*.safetensors*"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_table_of_other_pixels_does_not_outlive_them(tmp_path):
    (tmp_path / "set").mkdir()
    file, cache = tmp_path / "set" / "a.png", tmp_path / "cache"
    first = page(1, 80)
    Image.fromarray(first).save(file)
    PictureStore([tmp_path / "set"], cache)
    Image.fromarray(page(2, 64)).save(tmp_path / "set" / "0.png")
    full_disk(cache / "pictures.json")
    with pytest.raises(OutputError):
        PictureStore([tmp_path / "set"], cache)
    (tmp_path / "set" / "0.png").unlink()
    np.testing.assert_array_equal(PictureStore([tmp_path / "set"], cache).pictures[0], first)


def test_originals_are_reduced_and_stay_what_the_positions_say():
    flat = np.zeros((200, 200, 3), np.uint8)
    flat[:, :, 0] = np.arange(200)
    made = Sampler(
        [flat], np.ones(1), batch=6, patch=20, page_share=0, reduced_share=1, far_share=0
    )
    batch = made.draw(0)
    # A ramp stays a ramp however it is reduced, turned and mirrored: red changes linearly with the place.
    for low, positions, colours in zip(batch.low, batch.positions, batch.colours, strict=True):
        a = torch.stack([positions[0].flatten(), positions[1].flatten(), torch.ones(32 * 32)], 1)
        red = colours[0].flatten()
        fit = torch.linalg.lstsq(a, red[:, None]).solution
        assert float((a @ fit - red[:, None]).abs().max()) < 0.006
        assert float(low[0].max() - low[0].min()) < 200 / 255


def test_the_prior_prefers_gaussians_along_the_edge_and_near_their_cells():
    from gaussian_core.training.geometry_prior import geometry_prior

    image = torch.zeros(1, 3, 12, 12)
    image[..., 6:] = 1  # an upright edge
    ys, xs = torch.meshgrid(torch.arange(24) / 2 + 0.25, torch.arange(24) / 2 + 0.25, indexing="ij")
    means = torch.stack([xs, ys])[None]
    colours = torch.zeros(1, 3, 24, 24)

    def value(xx, xy, yy, shift=0.0):
        shape = torch.tensor([xx, xy, yy])[None, :, None, None].expand(1, 3, 24, 24)
        return float(geometry_prior(Cells(means + shift, shape, colours), image))

    upright, round_, lying = value(0.05, 0, 0.2), value(0.1, 0, 0.1), value(0.2, 0, 0.05)
    assert upright < round_ - 0.1 and round_ < lying - 0.1
    assert value(0.1, 0, 0.1, shift=0.3) > round_ + 0.1


def test_liif_asked_place_by_place_says_what_it_says_by_rows_and_columns():
    from gaussian_core.models.liif import LIIF, LIIFConfig
    from gaussian_core.training.liif_samples import sample_liif

    torch.manual_seed(0)
    arguments = {"n_resblocks": 1, "n_feats": 8, "no_upsampling": True}
    for switches in ({}, {"local_ensemble": False}, {"cell_decoding": False}):
        model = LIIF(LIIFConfig("edsr-baseline", arguments, (16, 16), **switches)).eval()
        image = torch.rand(2, 3, 9, 11)
        xs, ys = torch.rand(7).double() * 11, torch.rand(5).double() * 9
        positions = torch.stack([xs.expand(5, 7), ys[:, None].expand(5, 7)]).float()
        cell = torch.tensor([0.3, 0.3])
        with torch.no_grad():
            wanted = model.query(model.encode(image), xs, ys, (0.3, 0.3))
            got = sample_liif(model, image, positions.expand(2, -1, -1, -1), cell)
        torch.testing.assert_close(got, wanted, atol=2e-5, rtol=1e-4)


def test_liif_learns_on_our_encoder_and_its_weights_draw(tmp_path):
    from gaussian_core.evaluation.runner import evaluate

    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = (
        f"{tmp_path / 'set'} --method liif --out {tmp_path / 'out'} --steps 3 --batch 1 --patch 20"
        " --channels 8 --blocks 1"
    )
    assert command.run(parser.parse_args(words.split())) == 0
    weights = tmp_path / "out" / "liif-light.safetensors"
    rows = list(evaluate([tmp_path / "set"], ["liif"], [2.0], weights=[weights]))
    assert rows[0].psnr_y > 5


@pytest.mark.parametrize("kind", ["residual", "two-scale"])
@pytest.mark.parametrize("blocks", [2, 3])
def test_a_deeper_network_begins_as_what_the_shallower_one_computes(tmp_path, kind, blocks):
    weights = tmp_path / "start.safetensors"
    deep = {"encoder": kind, "deep_channels": 4, "deep_blocks": 1} if kind == "two-scale" else {}
    config = replace(SMALL, blocks=blocks, **deep)
    source = ContinuousSR(config)
    if deep:  # a branch that does something, between blocks that do
        torch.nn.init.normal_(source.encoder.deep.up.weight, std=0.1)
    save_model(weights, source, config)
    learner = learner_of(replace(config, blocks=blocks + 2))
    learner.start = weights
    deeper = learner.make()
    picture = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    for wanted, made in zip(source.heads(picture), deeper.heads(picture), strict=True):
        torch.testing.assert_close(made, wanted)
    sum(out.square().sum() for out in deeper.heads(picture)).backward()
    assert deeper.encoder.blocks[-1].second.weight.grad.abs().max() > 0, "and it learns"


@pytest.mark.parametrize("kind", ["residual", "two-scale"])
def test_a_wider_network_begins_as_good_as_the_one_it_begins_with(tmp_path, kind):
    weights = tmp_path / "start.safetensors"
    deep = {"encoder": kind, "deep_channels": 4, "deep_blocks": 1} if kind == "two-scale" else {}
    config = replace(SMALL, **deep)
    source = ContinuousSR(config)
    if deep:  # a branch that does something
        torch.nn.init.normal_(source.encoder.deep.up.weight, std=0.1)
    save_model(weights, source, config)
    more = {"deep_channels": 6} if deep else {}
    learner = learner_of(
        replace(config, channels=config.channels + 3, hidden=config.hidden + 5, **more)
    )
    learner.start = weights
    wider = learner.make()
    picture = torch.rand(1, 3, 10, 12, generator=torch.Generator().manual_seed(1))
    for wanted, made in zip(source.heads(picture), wider.heads(picture), strict=True):
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-5)
    sum(out.square().sum() for out in wider.heads(picture)).backward()
    old = config.channels
    for block in wider.encoder.blocks:
        assert block.second.weight.grad[:old, old:].abs().max() > 0, "what is new can be heard of"
    assert wider.hidden.weight.grad[:, old:].abs().max() > 0


def test_what_has_a_meaning_of_its_own_is_not_grown(tmp_path):
    weights = tmp_path / "start.safetensors"
    source = ContinuousSR(SMALL)
    save_model(weights, source, SMALL)
    learner = learner_of(replace(SMALL, cells=SMALL.cells + 1))
    learner.start = weights
    finer = learner.make()
    assert torch.equal(finer.hidden.weight, source.hidden.weight)
    assert not torch.isin(source.colour.weight, finer.colour.weight).any()


@pytest.mark.parametrize("architecture", ["continuoussr", "liif", "gaussiansr"])
def test_training_may_begin_with_the_encoder_of_other_weights(tmp_path, architecture):
    weights = tmp_path / "start.safetensors"
    source = ContinuousSR(SMALL)
    save_model(weights, source, SMALL)
    config = replace(SMALL, architecture=architecture)
    if architecture == "continuoussr":
        config = replace(config, encoder="two-scale", deep_channels=4, deep_blocks=1)
    learner = learner_of(config)
    learner.start = weights
    made = learner.make().state_dict()
    for name, tensor in source.encoder.state_dict().items():
        where = "encoder." if architecture == "continuoussr" else "encoder.encoder."
        torch.testing.assert_close(made[where + name], tensor)
    theirs, ours = learner_of(config), learner_of(SMALL)
    theirs.start_encoder = weights
    save_model(tmp_path / "theirs.safetensors", theirs.make(), config)
    ours.start_encoder = (
        tmp_path / "theirs.safetensors"
    )  # and back, the heads left as they are drawn
    again = ours.make().state_dict()
    for name, tensor in source.state_dict().items():
        alike = torch.equal(again[name], tensor)
        assert alike == (name.startswith("encoder.") or not tensor.any() or name == "prior"), name
    other = learner_of(replace(SMALL, channels=5, hidden=3, cells=1))
    other.start = weights
    with pytest.raises(WeightsError, match="No tensor of start"):
        other.make()
    narrower = learner_of(replace(SMALL, channels=SMALL.channels - 1))
    narrower.start = weights
    with pytest.raises(WeightsError, match="are wider than"):
        narrower.make()
