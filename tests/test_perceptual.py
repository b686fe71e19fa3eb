"""Perceptual metrics: what is asked of pyiqa, here in a stand-in, and what is said where it cannot answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gaussian_core.evaluation.perceptual import set_metric
from tests.window_helpers import save_picture
from viewer.cli import main

pytest.importorskip("torch")


def create_metric(name, device):
    """Stand-ins: mean absolute differences, of tensors or, as FID has it, of folders."""
    assert device == "cpu"

    def of_pair(result, truth):
        assert result.shape == truth.shape and result.shape[:2] == (1, 3)
        assert result.min() >= 0 and result.max() <= 1
        if min(result.shape[2:]) < 8:
            raise RuntimeError("Output size is too small")
        return (result - truth).abs().mean()

    def of_folders(results, originals, num_workers, verbose):
        sides = [sorted(Path(folder).iterdir()) for folder in (results, originals)]
        assert [p.name for p in sides[0]] == [p.name for p in sides[1]]
        means = [np.mean([np.asarray(Image.open(p)) / 255 for p in side]) for side in sides]
        return abs(means[0] - means[1])

    return of_folders if name == "fid" else of_pair


@pytest.fixture
def pyiqa(monkeypatch):
    stand_in = SimpleNamespace(create_metric=create_metric)
    monkeypatch.setitem(sys.modules, "pyiqa", stand_in)
    return stand_in


@pytest.mark.parametrize("name", ["lpips", "dists", "fid"])
def test_a_set_is_compared_as_files_would_hold_it(pyiqa, name):
    metric = set_metric(name)()
    truth = np.full((16, 20, 3), 0.5)
    for offset in (0.25, 0.75):  # the second is clipped at 1
        metric.add(truth + offset, truth)
    assert metric.value() == pytest.approx((0.25 + 0.5) / 2, abs=0.01)


def test_every_set_is_measured_by_itself(pyiqa):
    make = set_metric("lpips")
    first, second = make(), make()
    first.add(np.ones((16, 16, 3)), np.zeros((16, 16, 3)))
    second.add(np.ones((16, 16, 3)), np.ones((16, 16, 3)))
    assert (first.value(), second.value()) == (1.0, 0.0)


def measure(folder, metrics, *options):
    """`main.py evaluate` of a folder."""
    words = ["--methods", "bicubic", "--scales", "2", "--perceptual", metrics, *options]
    return main(["evaluate", str(folder), *words])


def test_weights_that_cannot_be_had_are_said_in_a_line(pyiqa, monkeypatch, capsys, tmp_path):
    def fail(name, device):
        raise OSError("no such host")

    monkeypatch.setattr(pyiqa, "create_metric", fail)
    save_picture(tmp_path / "a.png")
    assert measure(tmp_path, "lpips") == 1
    said = capsys.readouterr().err
    assert "no such host" in said and said.count("\n") == 1


def test_a_torchvision_of_another_build_is_said_in_a_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "pyiqa.py").write_text("raise RuntimeError('operator nms does not exist')")
    monkeypatch.delitem(sys.modules, "pyiqa", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    save_picture(tmp_path / "a.png")
    assert measure(tmp_path, "lpips") == 1
    said = capsys.readouterr().err
    assert "nms does not exist" in said and "of one build" in said and said.count("\n") == 1


def test_without_the_extra_the_command_to_install_it_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    save_picture(tmp_path / "a.png")
    assert measure(tmp_path, "dists") == 1
    assert "pip install 'gaussian-zoom[perceptual]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("niqe", 64, "lpips, dists, fid are known"),
        ("fid", 64, "two or more"),
        ("lpips", 6, "cannot be measured"),
    ],
)
def test_what_cannot_be_measured_is_said(pyiqa, capsys, tmp_path, name, size, said):
    save_picture(tmp_path / "a.png", size, size)
    assert measure(tmp_path, name) == 1
    assert said in capsys.readouterr().err


def test_the_table_and_the_file_hold_them(pyiqa, capsys, tmp_path):
    for n in range(2):
        save_picture(tmp_path / f"{n}.png", 64, 48, seed=n)
    out = tmp_path / "figures.json"
    assert measure(tmp_path, "lpips,fid", "--json", str(out)) == 0
    shown = capsys.readouterr().out
    assert "lpips 0." in shown and "fid 0." in shown
    rows = json.loads(out.read_text())
    assert 0 < rows[0]["perceptual"]["lpips"] < 0.5
