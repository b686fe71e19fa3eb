"""Settings survive, and a broken file never stops the viewer."""

from __future__ import annotations

import json
import logging

import pytest

from viewer.model.settings import Settings, SettingsFile, from_json, to_json

CHANGED = Settings(
    theme="dark",
    geometry="QUJD",
    centres=True,
    ellipses=True,
    sigma=2.25,
    own_colours=False,
    colour="#00ff7f",
    tool_bar=False,
    preview=False,
    animate=False,
    touchpad_pans=False,
    last_folder="/a/b",
    recents=("/a/b/c.png", "/ü.jpg"),
)


def test_settings_come_back_as_saved(tmp_path):
    file = SettingsFile(tmp_path / "deep" / "settings.json")
    assert file.load() == Settings()
    assert file.save(CHANGED)
    assert file.load() == CHANGED
    assert [p.name for p in file.path.parent.iterdir()] == ["settings.json"]


def test_the_file_carries_its_version(tmp_path):
    assert json.loads(to_json(Settings()))["version"] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "null", "[" * 100_000])
def test_a_broken_file_gives_defaults_and_a_log_line(text, caplog):
    with caplog.at_level(logging.WARNING):
        assert from_json(text) == Settings()
    assert caplog.records


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", ["dark"]),
        ("geometry", "not base64!"),
        ("geometry", "A" * 5000),
        ("centres", 1),
        ("centres", "true"),
        ("sigma", 0.4),
        ("sigma", 3.1),
        ("sigma", True),
        ("sigma", "1"),
        ("tile_memory", 256.0),
        ("tile_memory", False),
        ("tile_memory", 300),
        ("sigma", float("nan")),
        ("colour", "red"),
        ("colour", "#12345"),
        ("recents", "a.png"),
        ("recents", [1]),
        ("last_folder", None),
    ],
)
def test_a_broken_value_is_ignored_and_the_others_kept(name, value, caplog):
    stored = json.loads(to_json(CHANGED))
    stored[name] = value
    with caplog.at_level(logging.WARNING):
        settings = from_json(json.dumps(stored))
    assert getattr(settings, name) == getattr(Settings(), name)
    others = [f for f in stored if f not in (name, "version")]
    assert all(getattr(settings, f) == getattr(CHANGED, f) for f in others)
    assert any(name in r.getMessage() for r in caplog.records)
    with pytest.raises(ValueError, match=name):
        Settings().changed(**{name: value})


def test_a_newer_version_gives_what_is_known():
    stored = {"version": 99, "theme": "light", "from_the_future": 1}
    assert from_json(json.dumps(stored)) == Settings(theme="light")


def test_bytes_that_are_no_text_give_defaults(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe\x00{")
    assert SettingsFile(path).load() == Settings()


def test_an_unwritable_place_is_survived(tmp_path):
    (tmp_path / "file").write_text("")
    assert not SettingsFile(tmp_path / "file" / "settings.json").save(Settings())
