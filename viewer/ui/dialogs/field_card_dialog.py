"""Shows the card of the field: what made it, from what, how well."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QIcon, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from viewer.model.documents.field_card import FieldCard, Figures
from viewer.ui.dialogs.own_key import own_key
from viewer.ui.dialogs.scrolled import Scrolled

CHARACTERS = 85  # average ones in a line; a table may be wider
FRAME = 80  # of the screen's height, for what a system draws around a window


class FieldCardDialog(QDialog):
    """The window stays usable, and the card follows what is shown: see `show_card`. Its own key and Escape close it.
    actions: the window's, whose keys work here, too."""

    def __init__(self, parent: QWidget, actions: Iterable[QAction] = ()) -> None:
        super().__init__(parent)
        self.addActions(list(actions))
        self.addAction(own_key(self, "field.card"))
        self.setWindowTitle("About this field")
        self.card: FieldCard | None = None
        self._scroll = Scrolled()
        self._content = QWidget()
        self._values: list[QLabel] = []
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.rejected.connect(self.close)
        # The system's icons are made for its own theme, not for ours.
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(24, 20, 24, 16)
        self._outer.setSpacing(16)
        self._outer.addWidget(self._scroll)
        self._outer.addWidget(self.buttons)

    def show_card(self, card: FieldCard) -> None:
        before, self.card = self.card, card
        if before == card:
            return
        if before is not None and _layout_of(before) == _layout_of(card):
            # Only values differ, as while the field is built: what is selected stays selected.
            for label, (_, text) in zip(self._values, card.rows, strict=True):
                if label.text() != text:
                    label.setText(text)
            seen = self._scroll.viewport()
            if self._content.heightForWidth(seen.width()) > seen.height():
                self._fit()
            return
        self._content, self._values = _content(card)
        self._scroll.setWidget(self._content)  # which deletes the one before
        self._content.show()
        self._fit()

    def _fit(self) -> None:
        """As wide as its lines are read well in this font, and as high as they are then, if the screen allows."""
        content, margins = self._content, self._outer.contentsMargins()
        line = CHARACTERS * self.fontMetrics().averageCharWidth()
        width = max(line, content.minimumSizeHint().width())
        height = content.heightForWidth(width)
        room = self.screen().availableSize()
        around = margins.top() + margins.bottom()
        around += self._outer.spacing() + self.buttons.sizeHint().height()
        if height + around > room.height() - FRAME:
            width += self._scroll.verticalScrollBar().sizeHint().width()
        width = min(width + margins.left() + margins.right(), room.width())
        self.setFixedWidth(width)
        self.resize(width, min(height + around, room.height() - FRAME))


def _layout_of(card: FieldCard) -> tuple[object, ...]:
    labels = tuple(label for label, _ in card.rows)
    return (card.title, card.summary, card.warning, card.figures, labels)


def _content(card: FieldCard) -> tuple[QWidget, list[QLabel]]:
    """What the card says, and the labels of its rows' values."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    title = _text(card.title)
    font = title.font()
    font.setBold(True)
    font.setPointSizeF(font.pointSizeF() * 1.35)
    title.setFont(font)
    column.addWidget(title)
    if card.warning:
        warning = _text(card.warning)
        warning.setForegroundRole(QPalette.ColorRole.BrightText)
        column.addWidget(warning)
    column.addWidget(_text(card.summary))
    form = QFormLayout()
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(6)
    values = [_text(text) for _, text in card.rows]
    for (label, _), value in zip(card.rows, values, strict=True):
        form.addRow(_soft(label), value)
    if card.figures is not None:
        form.addRow(_soft("PSNR, dB"), _table(card.figures))
    column.addLayout(form)
    return holder, values


def _table(figures: Figures) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(4)
    right = Qt.AlignmentFlag.AlignRight
    for column, scale in enumerate(figures.columns, start=1):
        grid.addWidget(_soft(scale), 0, column, right)
    for row, (name, values) in enumerate(figures.rows, start=1):
        grid.addWidget(_text(name, wrap=False), row, 0)
        for column, value in enumerate(values, start=1):
            grid.addWidget(_text(value, wrap=False), row, column, right)
    grid.setColumnStretch(len(figures.columns) + 1, 1)
    return holder


def _text(text: str, wrap: bool = True) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _soft(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label
