"""Training by several processes, as torchrun starts them."""

from __future__ import annotations

import os
import signal
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


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_under_torchrun_keeps_what_is_reached(tmp_path):
    """From a terminal it reaches every process, and torchrun hands it on to its own once more."""
    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    words = "--steps 100000 --every 1 --batch 1 --patch 20 --channels 8 --blocks 1 --device cpu"
    process = subprocess.Popen(
        [
            *TORCHRUN,
            "main.py",
            "train",
            tmp_path / "set",
            "--out",
            tmp_path / "out",
            *words.split(),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "loss" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "continuoussr-light.safetensors: step" in out
    assert "viewer/cli.py" not in err, "its own processes end without a trace"
    assert load_model(tmp_path / "out" / "continuoussr-light.safetensors").config.steps >= 1
