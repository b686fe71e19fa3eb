"""Learning from a teacher: its answers, the file they are kept in, and that a network comes nearer to it."""

from __future__ import annotations

import argparse
import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gaussian_core.errors import OutputError, UserError, WeightsError

torch = pytest.importorskip("torch")

from gaussian_core.models.card import read_card  # noqa: E402
from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.weights import save_model  # noqa: E402
from gaussian_core.training import command  # noqa: E402
from gaussian_core.training.dataset import Batch, Sampler  # noqa: E402
from gaussian_core.training.learners import ContinuousSRLearner  # noqa: E402
from gaussian_core.training.loop import Schedule, Trainer  # noqa: E402
from gaussian_core.training.orientations import ORIENTATIONS  # noqa: E402
from gaussian_core.training.symmetry import Symmetry  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402
from gaussian_core.training.teacher import (  # noqa: E402
    Lessons,
    Teacher,
    in_orientation,
    inverse,
)

SMALL = ModelConfig(channels=8, blocks=1, hidden=16)
EVERY = tuple(range(ORIENTATIONS))
CPU = torch.device("cpu")


def network(symmetric=False):
    """Weights that do something to a picture: those that training starts from are bicubic interpolation."""
    torch.manual_seed(4)
    config = replace(SMALL, symmetric=symmetric)
    model = ContinuousSR(config)
    with torch.no_grad():
        for head in (model.colour, model.geometry):
            head.weight.normal_(0, 0.3)
            head.bias.normal_(0, 0.3)
    if symmetric:
        Symmetry(model).begin(model)
    return model


@pytest.fixture
def teacher(tmp_path):
    def made(symmetric=False):
        model = network(symmetric)
        save_model(tmp_path / "teacher.safetensors", model, model.config)
        return Teacher(tmp_path / "teacher.safetensors", SMALL.cells, SMALL.margin, CPU)

    return made


def sampler(batch=1, seed=0):
    return Sampler([page(0, 200)], np.ones(1), batch=batch, patch=20, pages=2, seed=seed)


@pytest.mark.parametrize("k", EVERY)
def test_a_crop_in_another_orientation_says_the_same_colours_of_the_same_places(k):
    low = torch.rand(2, 3, 12, 12)
    rows, columns = torch.meshgrid(torch.arange(1, 9), torch.arange(3, 11), indexing="ij")
    at = torch.stack([columns + 0.5, rows + 0.5]).float().expand(2, -1, -1, -1)
    batch = Batch(low, at, low[..., 1:9, 3:11], torch.ones(2))
    turned = in_orientation(batch, k)
    x, y = turned.positions[0].long()
    torch.testing.assert_close(turned.low[..., y, x], turned.colours)
    back = in_orientation(turned, inverse(k))
    for mine, other in zip((back.low, back.positions), (batch.low, batch.positions), strict=True):
        torch.testing.assert_close(mine, other)
    assert torch.equal(turned.low, low) == (k == 0)


def test_a_symmetric_teacher_says_the_same_in_every_orientation_and_another_the_mean(teacher):
    batch = sampler(batch=2).draw(1)
    tied = teacher(symmetric=True)
    alone = tied.colours(batch, (0,), False)
    for k in EVERY:
        torch.testing.assert_close(tied.colours(batch, (k,), False), alone, atol=1e-4, rtol=1e-3)
    free = teacher()
    each = [free.colours(batch, (k,), False) for k in EVERY]
    assert float((each[0] - each[6]).abs().mean()) > 0.01
    mean = torch.stack(each).mean(0)
    torch.testing.assert_close(free.colours(batch, EVERY, False), mean, atol=1e-5, rtol=1e-4)


def test_lessons_are_the_teachers_answers_to_the_samplers_crops(tmp_path, teacher):
    made = teacher()
    lessons = Lessons(tmp_path, sampler(), "plan", 9, batch=2)
    assert lessons.make(made, False)
    for number in range(4):
        drawn = lessons.draw(number)
        assert drawn.low.shape == (2, 3, 20, 20) and drawn.positions.shape == (2, 2, 32, 32)
        for one, two in zip(vars(drawn).values(), vars(lessons.draw(number)).values(), strict=True):
            torch.testing.assert_close(one, two)
        # The mean over four orientations is nearer to the mean over all than one orientation is.
        wanted = made.colours(drawn, EVERY, False)
        off = float((drawn.colours - wanted).abs().mean())
        assert off < 0.8 * float((made.colours(drawn, (3,), False) - wanted).abs().mean())


def test_two_processes_share_the_lessons_and_an_interrupted_making_goes_on(tmp_path, teacher):
    made = teacher()
    whole = Lessons(tmp_path / "..", sampler(), "plan", 10, batch=1)
    for rank in range(2):
        assert whole.make(made, False, rank, 2)
    kept = np.array(whole.records)
    parts = Lessons(tmp_path, sampler(), "plan", 10, batch=1)
    asked = iter([False, True])
    assert not parts.make(made, False, 0, 2, stop=lambda: next(asked))
    assert np.count_nonzero(parts.records["cell"]) == 4
    again, told = Lessons(tmp_path, sampler(), "plan", 10, batch=1), []
    for rank in range(2):
        assert again.make(made, False, rank, 2, say=lambda *n: told.append(n))
    assert told == [(5, 5), (4, 5), (5, 5)]
    np.testing.assert_array_equal(kept["low"], again.records["low"])
    np.testing.assert_array_equal(kept["cell"], again.records["cell"])
    more = Lessons(tmp_path, sampler(), "plan", 12, batch=1)
    assert np.count_nonzero(more.records["cell"]) == 10, "and more can be added"
    other = Lessons(tmp_path, sampler(), "another plan", 10, batch=1)
    assert not other.records["cell"].any(), "answers of another teacher are not learnt"


def test_a_network_comes_nearer_to_its_teacher(tmp_path, teacher):
    lessons = Lessons(tmp_path, sampler(), "plan", 12, batch=4)
    lessons.make(teacher(symmetric=True), False)
    trainer = Trainer(
        ContinuousSRLearner(SMALL, follow=0.0),
        Schedule(60, 5e-3, 1e-2, warm_up=5, decay=30),
        lessons,
        tmp_path,
        CPU,
    )
    losses = [trainer.update(lessons.draw(number)) for number in range(60)]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])


def train(tmp_path, words):
    if not (tmp_path / "set").exists():
        (tmp_path / "set").mkdir()
        Image.fromarray(page(1, 128)).save(tmp_path / "set" / "page.png")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = f"{tmp_path / 'set'} --out {tmp_path / 'out'} --steps 3 --batch 1 --patch 20 --blocks 1"
    return command.run(parser.parse_args(f"{given} --channels 8 --lessons 5 {words}".split()))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve a file")
def test_a_disk_too_full_for_the_lessons_is_said_at_once_and_left_as_it_was(
    tmp_path, teacher, monkeypatch, capsys
):
    def allocate(descriptor, offset, length):
        os.truncate(descriptor, offset + length // 2)  # as far as there was room
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    teacher()
    words = f"--teacher {tmp_path / 'teacher.safetensors'}"
    monkeypatch.setattr(os, "posix_fallocate", allocate)
    with pytest.raises(OutputError, match=r"Cannot keep .* of lessons .*No space left"):
        train(tmp_path, words)
    assert (tmp_path / "out" / "lessons.bin").stat().st_size == 0
    monkeypatch.undo()
    assert train(tmp_path, words) == 0
    assert "5 of 5 lessons" in capsys.readouterr().out


def test_the_command_makes_lessons_once_and_learns_from_them(tmp_path, teacher, capsys):
    teacher()
    words = f"--teacher {tmp_path / 'teacher.safetensors'}"
    assert train(tmp_path, words) == 0
    assert "5 of 5 lessons" in capsys.readouterr().out
    made = read_card(tmp_path / "out" / "continuoussr-light.safetensors").config
    assert made.teacher == "light after 0 steps" and made.steps == 3
    assert train(tmp_path, f"{words} --steps 4") == 0
    told = capsys.readouterr().out
    assert "of 5 lessons" not in told and "going on from step 3" in told
    teacher(symmetric=True)
    assert train(tmp_path, f"{words} --steps 5") == 0
    assert "5 of 5 lessons" in capsys.readouterr().out, "of another teacher they are made anew"


def test_lessons_of_pictures_that_were_written_to_since_are_made_anew(
    tmp_path, teacher, capsys, caplog
):
    teacher()
    words = f"--teacher {tmp_path / 'teacher.safetensors'}"
    assert train(tmp_path, words) == 0
    assert "made anew" not in caplog.text
    Image.fromarray(page(2, 128)).save(tmp_path / "set" / "another.png")
    capsys.readouterr()
    assert train(tmp_path, f"{words} --steps 4") == 0
    told = capsys.readouterr().out
    assert "5 of 5 lessons" in told and "going on from step 3" in told
    assert "lessons.bin: answers of another teacher or to other crops" in caplog.text


def test_who_cannot_teach_or_learn_so_is_said(tmp_path, teacher):
    teacher()
    words = f"--teacher {tmp_path / 'teacher.safetensors'}"
    with pytest.raises(UserError, match="--teacher is for --method continuoussr"):
        train(tmp_path, f"{words} --method liif")
    with pytest.raises(UserError, match="--lessons must be at least 1"):
        train(tmp_path, f"{words} --lessons 0")
    with pytest.raises(WeightsError, match="cannot teach this network"):
        train(tmp_path, f"{words} --cells 1 --spread 0.6")
    with pytest.raises(WeightsError):
        train(tmp_path, f"--teacher {tmp_path / 'set' / 'page.png'}")
