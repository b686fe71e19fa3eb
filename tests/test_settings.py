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


def test_names_of_files_that_are_no_unicode_come_back(tmp_path):
    """Linux allows any bytes; Python stands surrogates for those that are no UTF-8."""
    file = SettingsFile(tmp_path / "settings.json")
    assert file.save(Settings(recents=("/tmp/\udcff.png", "/tmp/Ü 写真.png")))
    assert file.load().recents == ("/tmp/\udcff.png", "/tmp/Ü 写真.png")


def test_two_windows_keep_what_the_other_one_changed(tmp_path):
    path = tmp_path / "settings.json"
    assert SettingsFile(path).save(Settings(recents=("/a", "/b")))
    one, other = SettingsFile(path), SettingsFile(path)
    first, second = one.load(), other.load()
    assert one.save(first.changed(theme="dark", recents=("/one", "/a", "/b")))
    assert other.save(second.changed(sigma=2.0, recents=("/other", "/a", "/b")))
    both = SettingsFile(path).load()
    assert (both.theme, both.sigma) == ("dark", 2.0)
    assert both.recents == ("/other", "/one", "/a", "/b")
    assert other.save(second.changed(sigma=2.0, theme="light", recents=()))
    last = SettingsFile(path).load()
    assert (last.theme, last.sigma, last.recents) == ("light", 2.0, ())


def test_what_a_newer_version_keeps_there_stays(tmp_path):
    path = tmp_path / "settings.json"
    newer = {"version": 7, "theme": "sepia", "sigma": 2.0, "colour": "#000000", "loupe": [1, 2]}
    path.write_text(json.dumps(newer))
    file = SettingsFile(path)
    settings = file.load()
    assert settings.theme == "system"
    assert file.save(settings.changed(sigma=1.5))
    stored = json.loads(path.read_text())
    assert {**stored, "sigma": 2.0} == {**stored, **newer} and stored["sigma"] == 1.5


def test_a_file_that_was_broken_meanwhile_is_made_good(tmp_path):
    path = tmp_path / "settings.json"
    assert SettingsFile(path).save(Settings(theme="dark"))
    file = SettingsFile(path)
    settings = file.load()
    path.write_text("{ half")
    assert file.save(settings.changed(sigma=2.0))
    assert SettingsFile(path).load() == Settings(theme="dark", sigma=2.0)


def test_a_link_to_the_file_stays_one(tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    link = tmp_path / "settings.json"
    try:
        link.symlink_to(kept)
    except OSError:
        pytest.skip("links need a right of their own here")
    assert SettingsFile(link).save(Settings(theme="dark"))
    assert link.is_symlink() and SettingsFile(kept).load().theme == "dark"


@pytest.mark.parametrize(
    "content", [b'{"version": 1, "theme": "dark",', b"\xff\xfe\x00", b'["theme", "dark"]']
)
def test_a_file_that_cannot_be_understood_is_kept(tmp_path, content):
    file = SettingsFile(tmp_path / "settings.json")
    file.path.write_bytes(content)
    settings = file.load()
    assert settings == Settings()
    assert file.save(settings.changed(theme="light"))
    assert file.save(settings.changed(theme="dark"))
    assert (tmp_path / "settings.damaged.json").read_bytes() == content
    assert file.load().theme == "dark"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_empty_file_and_one_with_a_mark_in_front_are_no_damage(tmp_path):
    file = SettingsFile(tmp_path / "settings.json")
    file.path.touch()
    assert file.save(file.load())
    file.path.write_text(to_json(CHANGED), encoding="utf-8-sig")
    assert file.load() == CHANGED
    assert file.save(CHANGED.changed(theme="light"))
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]


def test_a_file_that_is_marked_read_only_stays(tmp_path, caplog):
    file = SettingsFile(tmp_path / "settings.json")
    assert file.save(CHANGED)
    before = file.path.read_bytes()
    file.path.chmod(0o444)
    assert not file.save(CHANGED.changed(theme="light"))
    assert file.path.read_bytes() == before and "read-only" in caplog.text
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]
