"""The dialogs that say something, ask for a file, or whether to leave. None of them blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, SignalInstance
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QWidget

from gaussian_core import __version__
from gaussian_core.picture_folders import SUFFIXES

TITLE = "Gaussian Zoom"
PICTURES = " ".join(f"*{suffix}" for suffix in SUFFIXES)
OPEN_FILTERS = (
    f"Pictures and fields ({PICTURES} *.safetensors)",
    f"Pictures ({PICTURES})",
    "Gaussian fields (*.safetensors)",
    "All files (*)",
)
PICTURE_FILTERS = (OPEN_FILTERS[1], OPEN_FILTERS[3])
FIELD_FILTERS = ("Gaussian fields (*.safetensors)",)
WEIGHTS_FILTERS = ("Weights (*.pth *.pt *.safetensors)", "All files (*)")
EXPORT_FILTERS = (
    "PNG (*.png)",
    "TIFF (*.tif *.tiff)",
    "JPEG (*.jpg *.jpeg)",
    "WebP (*.webp)",
    "BMP (*.bmp)",
)

WIDTH = 420  # of a message, logical pixels


class ErrorBox(QMessageBox):
    """Shown without blocking; a further message replaces the text of the one that is open."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setStandardButtons(QMessageBox.StandardButton.Ok)

    def tell(self, title: str, text: str) -> None:
        self.setWindowTitle(title)
        self.setText(title)
        self.setInformativeText(text)
        widen(self)
        if not self.isVisible():
            self.open()


def widen(box: QMessageBox) -> None:
    """Make room for a sentence: a message box is as narrow as its title allows. After the text was set, for which Qt
    makes its label."""
    label = box.findChild(QLabel, "qt_msgbox_informativelabel")
    if isinstance(label, QLabel):
        label.setMinimumWidth(WIDTH)


def tell_about(parent: QWidget) -> None:
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(f"About {TITLE}")
    box.setText(f"{TITLE} {__version__}")
    box.setInformativeText(
        "Shows a picture as a continuous field of 2D Gaussians, drawn anew at every zoom."
    )
    widen(box)
    box.open()


def ask_to_leave(
    parent: QWidget, doing: str, leave: Callable[[], object], ended: SignalInstance
) -> None:
    """Of somebody who quits while a file is being written. doing: what goes on. ended: it does so no longer, and there
    is nothing to be asked."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(TITLE)
    box.setText(f"{doing} is not done yet.")
    box.setInformativeText("Quitting now stops that, and no file is written.")
    go_on = box.addButton(f"Go On {doing}", QMessageBox.ButtonRole.RejectRole)
    quit_now = box.addButton("Stop and Quit", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(go_on)
    box.setEscapeButton(go_on)
    quit_now.clicked.connect(leave)
    ended.connect(box.close)
    widen(box)
    box.open()


def first_suffix(name_filter: str) -> str:
    """ "tif" of "TIFF (*.tif *.tiff)": what a name without a suffix gets."""
    return name_filter.partition("*.")[2].partition(")")[0].split()[0]


def filter_of(path: str, filters: tuple[str, ...]) -> str:
    """The filter that a file falls under by its suffix, "" for none."""
    suffix = Path(path).suffix.lower()
    return next((f for f in filters if suffix and f"*{suffix}" in re.split(r"[ ()]", f)), "")


def pictures() -> str:
    """The folder where the user's pictures are, or their own one where the system has none for them."""
    place = QStandardPaths.StandardLocation
    found = QStandardPaths.writableLocation(place.PicturesLocation)
    return found if Path(found).is_dir() else QStandardPaths.writableLocation(place.HomeLocation)


def ask_open(
    parent: QWidget,
    folder: str,
    chosen: Callable[[str], None],
    filters: tuple[str, ...] = OPEN_FILTERS,
    title: str = "Open",
) -> QFileDialog:
    """Ask for a file to open, a picture or a field unless told otherwise; `chosen` gets its path. folder: "" for the
    user's pictures."""
    dialog = QFileDialog(parent, title, folder or pictures())
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    # Two dozen endings are more than its line holds.
    dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
    dialog.setNameFilters(list(filters))
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def ask_save(
    parent: QWidget,
    title: str,
    suggestion: str,
    filters: tuple[str, ...],
    chosen: Callable[[str], None],
    selected: str = "",
) -> QFileDialog:
    """Ask for a file to write; an existing one is only taken when the user confirms. selected: of the filters, the
    first unless told otherwise."""
    dialog = QFileDialog(parent, title, suggestion)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setNameFilters(list(filters))

    def take_filter(chosen_filter: str) -> None:
        suffix = first_suffix(chosen_filter)
        dialog.setDefaultSuffix(suffix)
        # The name that stands there is one of the kind chosen before, and would be written as that.
        name = next(iter(dialog.selectedFiles()), "")
        if filter_of(name, filters) not in ("", chosen_filter):
            dialog.selectFile(Path(name).with_suffix(f".{suffix}").name)

    dialog.selectNameFilter(selected or filters[0])
    take_filter(selected or filters[0])
    dialog.filterSelected.connect(take_filter)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog
