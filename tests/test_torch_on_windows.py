"""Windows, where torch cannot be imported once Qt is: who needs it has it before, others do without or are told how."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gaussian_core.imaging.picture import Picture
from gaussian_core.models import devices
from gaussian_core.models.config import weights_path
from viewer.cli import main
from viewer.commands import bench
from viewer.model import torch_import
from viewer.model.documents.document import Document, read_weights


@pytest.fixture
def imported(monkeypatch):
    """What is imported, in a process that has no torch yet, of a machine without a GPU."""
    names = []
    monkeypatch.setattr(torch_import, "sys", SimpleNamespace(platform="win32", modules={}))
    monkeypatch.setattr(torch_import, "importlib", SimpleNamespace(import_module=names.append))
    monkeypatch.setattr(devices, "is_cpu", lambda device: True)
    return names


@pytest.mark.parametrize(
    ("method", "weights", "needed"),
    [
        ("continuoussr", None, False),
        ("continuoussr", "base", False),
        ("continuoussr", "ContinuousSR.pth", True),
        ("kernel", None, False),
        ("kernel", "own.safetensors", True),
        ("liif", None, True),
    ],
)
def test_a_window_that_begins_with_what_needs_torch_has_it_first(imported, method, weights, needed):
    torch_import.load_before_qt(method, weights)
    assert imported == ["torch"] * needed


def test_the_bench_has_it_before_its_window(monkeypatch):
    asked = []
    monkeypatch.setattr(torch_import, "load_before_qt", asked.append)

    def imported(name):
        if name == torch_import.__name__:
            return torch_import
        assert asked == ["kernel"] and name == "viewer.ui.bench.window_measurements"
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "importlib", SimpleNamespace(import_module=imported))
    assert main(["bench", "--window", "--method", "kernel"]) == 130
    assert asked


def test_weights_of_our_own_need_none(imported):
    read_weights(weights_path())
    picture = Picture.from_array(np.full((9, 8, 3), 0.5, np.float32))
    document = Document.from_picture(picture, weights=weights_path())
    assert document.build_next() and not document.fallback
    assert document.take_tiles() and document.scene.tiles


def test_who_opens_others_later_is_told_how(imported, tmp_path):
    with pytest.raises(ImportError, match="--weights FILE"):
        read_weights(Path(tmp_path / "ContinuousSR.pth"))
