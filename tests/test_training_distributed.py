"""Training by several processes, as torchrun starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from gaussian_core.errors import UserError  # noqa: E402
from gaussian_core.models.weights import load_model  # noqa: E402
from gaussian_core.training import distributed  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402

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
    out, err = process.communicate(timeout=600)
    assert process.returncode != 0
    assert "continuoussr-light.safetensors: step" in out
    assert "viewer/cli.py" not in err, "its own processes end without a trace"
    assert load_model(tmp_path / "out" / "continuoussr-light.safetensors").config.steps >= 1


@pytest.fixture
def second_of_two(monkeypatch):
    """What the environment of a process is that torchrun has started, and a group that only notes how it was asked for:
    the kind of exchange, its options, and the device that this process has made its own."""
    for name, value in {"WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    made = []
    monkeypatch.setattr(
        distributed.dist, "init_process_group", lambda kind, **options: made.append((kind, options))
    )
    monkeypatch.setattr(distributed.dist, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed.dist, "barrier", lambda: None)
    monkeypatch.setattr(distributed.dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(torch.cuda, "set_device", made.append)
    return made


def test_the_others_wait_while_the_first_validates(second_of_two, monkeypatch):
    """By torch's own measure they give up after ten minutes, which a validation on 100 large pictures takes."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with distributed.joined(torch.device("cuda", 0)) as (group, device):
        assert (group.rank, group.size, device) == (1, 2, torch.device("cuda", 1))
    own, (kind, options) = second_of_two
    assert own == device and kind == "nccl"
    assert options["timeout"].total_seconds() > 8 * 3600


def test_more_processes_than_gpus_are_said_in_one_line(second_of_two, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="--nproc-per-node 1"):
        distributed.joined(torch.device("cuda", 0)).__enter__()
    assert not second_of_two
