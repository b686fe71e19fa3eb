"""Training by several processes, as torchrun starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("torch")

from gaussian_core.models.weights import load_model
from gaussian_core.training.synthetic import page

ROOT = Path(__file__).resolve().parents[1]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run(*words: str) -> str:
    done = subprocess.run([*TORCHRUN, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_two_processes_take_the_step_of_one_with_both_batches():
    assert run("tests/distributed_probe.py").split() == ["agreed", "agreed"]


def test_the_command_under_torchrun_reports_and_saves_once(tmp_path):
    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    words = "--steps 2 --batch 1 --patch 20 --channels 8 --blocks 1 --device cpu"
    out = run(
        "main.py", "train", str(tmp_path / "set"), "--out", str(tmp_path / "out"), *words.split()
    )
    assert out.count("parameters, 1 pictures, cpu x 2") == 1
    assert load_model(tmp_path / "out" / "continuoussr-light.safetensors").config.steps == 2
