"""Copies of the light weights in the place of those that ship, told apart by their colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path


def ship_copies(folder: Path, monkeypatch, shifts: Mapping[str, float]) -> Path:
    """Ship, from a new folder there, the light network under these names, the colours of each shifted by so much."""
    from gaussian_core.models import card, config, weights

    resources = folder / "resources"
    resources.mkdir()
    light = config.weights_path("light")
    read = card.read_card(light).config
    for name, shift in shifts.items():
        model = weights.load_model(light)
        model.colour.bias.add_(shift)
        target = resources / config.weights_path(name).name
        weights.save_model(target, model, replace(read, name=name))
    monkeypatch.setattr(config, "RESOURCES", resources)
    return resources
