"""What is kept between two starts: typed, validated, versioned, in one JSON file."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from viewer.model import methods
from viewer.model.difference import GAIN, GAINS
from viewer.model.recents import LIMIT

log = logging.getLogger(__name__)

VERSION = 1
THEMES = ("system", "dark", "light")
TILE_MEMORY = (0, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""Megabytes; 0 is a quarter of what the machine has."""
SIGMA_RANGE = (0.5, 3.0)
DEFAULT_COLOUR = "#ffd200"

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_MAX_GEOMETRY = 4096


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_sigma(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and SIGMA_RANGE[0] <= value <= SIGMA_RANGE[1]


def _is_path_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value)


def _is_geometry(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _MAX_GEOMETRY
        and _BASE64.fullmatch(value) is not None
    )


def _option(default: Any, valid: Callable[[Any], bool]) -> Any:
    return field(default=default, metadata={"valid": valid})


@dataclass(frozen=True)
class Settings:
    """Every setting, with its default and its check.

    theme: "system", "dark" or "light". method: how fields are made, a name in viewer.model.methods. weights: those of
    the learned field, "auto" or a name.
    footprint: all fields are seen through a pixel's area, also those made for point samples. geometry: the window's
    place, as base64 of what Qt gives. centres, ellipses, drifts, sigma, own_colours, colour: the overlays. tool_bar,
    minimap, pixel_grid, pixel_values: shown. preview: a coarser frame may go first while the view moves. animate:
    discrete zooms glide. touchpad_pans: two fingers pan (else zoom). gain: how much a difference of two methods is
    amplified. tile_memory: megabytes that built tiles of a field may take, 0: a quarter of the machine's. last_folder:
    where the open dialog starts. recents: absolute paths, newest first.
    """

    theme: str = _option("system", lambda v: v in THEMES)
    method: str = _option(methods.DEFAULT, lambda v: v in [m.name for m in methods.OFFERED])
    weights: str = _option(methods.AUTOMATIC, lambda v: v in methods.SHIPPED)
    footprint: bool = _option(False, _is_bool)
    geometry: str = _option("", _is_geometry)
    centres: bool = _option(False, _is_bool)
    ellipses: bool = _option(False, _is_bool)
    drifts: bool = _option(False, _is_bool)
    sigma: float = _option(1.0, _is_sigma)
    own_colours: bool = _option(True, _is_bool)
    colour: str = _option(
        DEFAULT_COLOUR, lambda v: isinstance(v, str) and _COLOUR.fullmatch(v) is not None
    )
    tool_bar: bool = _option(True, _is_bool)
    minimap: bool = _option(False, _is_bool)
    pixel_grid: bool = _option(False, _is_bool)
    pixel_values: bool = _option(False, _is_bool)
    preview: bool = _option(True, _is_bool)
    animate: bool = _option(True, _is_bool)
    touchpad_pans: bool = _option(True, _is_bool)
    gain: int = _option(GAIN, lambda v: type(v) is int and v in GAINS)
    tile_memory: int = _option(0, lambda v: type(v) is int and v in TILE_MEMORY)
    last_folder: str = _option("", lambda v: isinstance(v, str))
    recents: tuple[str, ...] = _option((), _is_path_list)

    def changed(self, **values: Any) -> Settings:
        """A copy with these values. Raises ValueError for one that the setting does not allow."""
        checks = _checks()
        for name, value in values.items():
            if not checks[name](value):
                raise ValueError(f"{value!r} is no value for the setting {name}")
        return replace(self, **values)


def _checks() -> dict[str, Callable[[Any], bool]]:
    return {f.name: f.metadata["valid"] for f in fields(Settings)}


def from_json(text: str) -> Settings:
    """Settings from the file's text: what is unknown, broken or out of range is left out with a line in the log."""
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as error:
        log.warning("the settings file is not valid JSON, defaults are used: %s", error)
        return Settings()
    if not isinstance(stored, dict):
        log.warning("the settings file does not hold an object, defaults are used")
        return Settings()
    version = stored.pop("version", None)
    if version != VERSION:
        log.info("settings of version %r: what version %d knows is used", version, VERSION)
    good: dict[str, Any] = {}
    for name, valid in _checks().items():
        if name not in stored:
            continue
        value = stored[name]
        if valid(value):
            good[name] = tuple(value) if isinstance(value, list) else value
        else:
            log.warning("setting %s: %.80r is ignored", name, value)
    return Settings(**good)


def to_json(settings: Settings, others: dict[str, Any] | None = None) -> str:
    """others: what is to stand in the file besides, or in the place of the settings' own values."""
    # In ASCII: names of files need not be Unicode, and what stands for their other bytes cannot be written as UTF-8.
    return json.dumps({"version": VERSION, **asdict(settings), **(others or {})}, indent=2) + "\n"


def default_path() -> Path:
    """Where the settings file belongs on this system."""
    from platformdirs import user_config_path

    return user_config_path("gaussian-zoom", appauthor=False) / "settings.json"


class SettingsFile:
    """Reads and writes the settings. Neither ever fails the caller: without its settings a viewer still views.

    Several windows may share the file: each writes what was changed in it since it last read or wrote, and leaves the
    rest as the others, or a newer version of the program, have it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = default_path() if path is None else path
        self._known: Settings | None = None

    def load(self) -> Settings:
        self._known = from_json(text) if (text := self._read()) is not None else Settings()
        return self._known

    def _read(self) -> str | None:
        try:
            return self.path.read_text(encoding="utf-8-sig")  # Windows' editors begin with a mark
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the settings cannot be read, defaults are used: %s", error)
            return None

    def save(self, settings: Settings) -> bool:
        """Whether it worked. The file is replaced whole, so that a crash never leaves half of one; one that cannot be
        understood is kept beside it, one that is marked read-only stays."""
        temporary = ""
        merged, others = self._merged(settings)
        path = Path(os.path.realpath(self.path))  # a link stays one
        try:
            if os.path.isfile(path) and not path.stat().st_mode & 0o222:
                log.warning("the settings are not saved: %s is marked read-only", path)
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(".part", ".settings-", path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(to_json(merged, others))
            self._keep_damaged(path)
            os.replace(temporary, path)
        except OSError as error:
            log.warning("the settings cannot be saved: %s", error)
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            return False
        self._known = settings
        return True

    def _keep_damaged(self, path: Path) -> None:
        """Somebody may have written much into a file and made one mistake."""
        if not os.path.isfile(path) or not path.stat().st_size:
            return
        text = self._read()
        if text is None or _object(text) is None:
            kept = path.with_suffix(".damaged" + path.suffix)
            os.replace(path, kept)
            log.warning("the settings file that could not be understood is kept as %s", kept)

    def _merged(self, settings: Settings) -> tuple[Settings, dict[str, Any]]:
        """What is to be written: of the file all that was not changed here, and what this version does not know."""
        known = self._known
        text = self._read() if known is not None else None
        stored = _object(text) if text is not None else None
        if known is None or text is None or stored is None:
            return settings, {}
        there = from_json(text)
        ours = {
            name: getattr(settings, name)
            for name in _checks()
            if getattr(settings, name) != getattr(known, name)
        }
        version = stored.get("version")
        newer = isinstance(version, int) and version > VERSION
        others = {
            k: v for k, v in stored.items() if k not in ours and (newer or k not in _checks())
        }
        if not newer:
            others.pop("version", None)
        if settings.recents and "recents" in ours:
            new = [path for path in there.recents if path not in known.recents]
            mine = [path for path in settings.recents if path not in new]
            # The first of ours was opened just now.
            ours["recents"] = (*mine[:1], *new, *mine[1:])[:LIMIT]
        return replace(there, **ours), others


def _object(text: str) -> dict[str, Any] | None:
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) else None
