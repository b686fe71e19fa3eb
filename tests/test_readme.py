"""What the README tells a reader to type is what CI runs, and what it points to is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaussian_core import render_file
from gaussian_core.writing.image_writer import quantized

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def fenced_blocks() -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_ci_runs_the_readmes_test_command() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    result = subprocess.run(
        [bash, str(ROOT / ".ci" / "run"), "--print-command"],
        capture_output=True,
        text=True,
        check=True,
    )
    command = result.stdout.strip()
    assert command + "\n" in fenced_blocks()
    assert "-m pytest" in command and "-c constraints.txt" in command and "[test]" in command


def test_the_first_command_opens_the_viewer() -> None:
    first = fenced_blocks()[0]
    assert "-m venv" in first and "-c constraints.txt" in first
    assert first.rstrip().endswith("python main.py")


def test_the_library_draws_what_render_draws_of_the_same_file(tmp_path, monkeypatch) -> None:
    (lines,) = (block for block in fenced_blocks() if "build_field(" in block)
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (48, 68, 3), np.uint8)
    photo = Image.fromarray(noise).resize((544, 384), Image.Resampling.BICUBIC)
    photo.save("photo.jpg", quality=60)  # a lossy file, which has weights of its own
    names: dict[str, Any] = {}
    exec(lines, names)
    view = names["view"]
    x0, y0, x1, y1 = view.source_rect
    render_file("photo.jpg", "part.png", view.scale, region=(x0, y0, x1 - x0, y1 - y0))
    with Image.open("part.png") as part:
        drawn = np.asarray(part, np.int16)
    frame = quantized(names["frame"], np.dtype(np.uint8))
    assert np.abs(frame - drawn).max() <= 1  # strips may round otherwise


@pytest.mark.parametrize("page", ["README.md", "gaussian_core/training/README.md"])
def test_local_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [t for t in targets if "://" not in t]
    assert local
    assert not [t for t in local if not (ROOT / page).parent.joinpath(t).exists()]


def test_mentioned_commands_exist() -> None:
    from viewer.cli import COMMANDS

    blocks = "\n".join(fenced_blocks())
    words = re.findall(r"main\.py[ \t]+([a-z]+)(?=[ \t])", blocks)
    assert set(words) <= {command.name for command in COMMANDS}


def test_the_keys_are_those_of_the_window() -> None:
    from viewer.model.actions.keys import COMPARE_KEY
    from viewer.model.actions.table import ACTIONS

    known = {COMPARE_KEY, *(key for action in ACTIONS for key in action.keys)}
    table = re.findall(r"^\| (`.*?`) \|", README, re.MULTILINE)
    named = {key for cell in table for key in re.findall(r"`(.+?)`", cell)}
    assert named
    assert named <= known
