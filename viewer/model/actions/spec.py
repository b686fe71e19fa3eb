"""What is known of an action: its title, its keys, its place in the menus."""

from __future__ import annotations

from dataclasses import dataclass

_REPEATED = (
    "zoom.in",
    "zoom.out",
    "pan.",
    "file.next",
    "file.previous",
    "overlay.larger",
    "overlay.smaller",
    "line.left",
    "line.right",
)


@dataclass(frozen=True)
class ActionSpec:
    """One thing the user can ask for.

    id: names the window's handler. title: menu text ("&" marks the mnemonic). keys: shortcuts in Qt's portable
    spelling, the first is shown in the menu. menu: path of titles, ("View", "Theme"); below the top level a submenu.
    checkable: carries a tick; radio: the name of a group of which exactly one is ticked. tip: one sentence for the
    tool bar and the menu. argument: given to the handler. separated: a line goes above it in its menu.
    """

    id: str
    title: str
    keys: tuple[str, ...] = ()
    menu: tuple[str, ...] = ()
    checkable: bool = False
    radio: str = ""
    tip: str = ""
    argument: float | str | tuple[float, float] | None = None
    separated: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it happens again and again while its key is held: moving does, what switches or opens does not."""
        return self.id.startswith(_REPEATED)

    @property
    def plain_title(self) -> str:
        """The title without mnemonics and dots, as the sheet of shortcuts shows it."""
        return self.title.replace("&", "").removesuffix("...")
