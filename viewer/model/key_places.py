"""Which Latin letter stands where a key is, for keyboards whose layout has none. No Qt."""

from __future__ import annotations

import unicodedata

_ROWS = ((24, "QWERTYUIOP[]"), (38, "ASDFGHJKL"), (52, "ZXCVBNM"))
"""Under X11 and Wayland: the key code of the first of each row, evdev's plus 8."""
_EVDEV = {first + i: character for first, row in _ROWS for i, character in enumerate(row)}

_MAC = dict(
    zip(
        (*range(10), *range(11, 18), 30, 31, 32, 33, 34, 35, 37, 38, 40, 45, 46),
        "ASDFHGZXCVBQWERYT]OU[IPLJKNM",
        strict=True,
    )
)
"""Apple's virtual key codes, which are places."""

_WINDOWS = {**{ord(c): c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, 0xDB: "[", 0xDD: "]"}
"""Virtual keys: layouts of other scripts give them to the places that they have on a Latin keyboard."""


def is_foreign(character: str) -> bool:
    """Whether it is a letter or a digit that no shortcut names: of another script than the Latin."""
    if character.isascii():
        return False
    if character.isdecimal():
        return True
    return character.isalpha() and not unicodedata.name(character, "LATIN").startswith("LATIN")


def latin_at(platform: str, scan_code: int, virtual_key: int) -> str:
    """The capital letter or bracket that a Latin keyboard has at the place of a key, "" where it has none there.

    platform: Qt's name of it. scan_code, virtual_key: as the platform numbers keys, see QKeyEvent.
    """
    if platform == "windows":
        return _WINDOWS.get(virtual_key, "")
    if platform == "cocoa":
        return _MAC.get(virtual_key, "")
    return _EVDEV.get(scan_code, "")


def latin_for(character: str, platform: str, scan_code: int, virtual_key: int) -> str:
    """What shortcuts call the key that gave a character: itself, unless it is foreign. Digits of other scripts are
    the digits that they are, letters what stands at their place."""
    if not is_foreign(character):
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return latin_at(platform, scan_code, virtual_key) or character
