"""The sheet of shortcuts, made from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from viewer.model.actions.keys import on_key
from viewer.model.shortcut_sheet import SheetRow, sheet
from viewer.ui.dialogs.own_key import own_key

COLUMNS = ((0, 1, 3), (2, 4, 5))
"""Which sections stand in which column: about as many lines in both, for low screens."""
ONE_COLUMN = ((0, 1, 2, 3, 4, 5),)
"""The same on a screen too narrow for two: scrolled downwards, no line is cut."""


class KeyCap(QLabel):
    """A key, drawn as one; in the palette's colours, so that it follows the theme. A label, so that it is read out."""

    def __init__(self, text: str) -> None:
        super().__init__(on_key(text))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        height = metrics.height() + 8
        return QSize(max(height, metrics.horizontalAdvance(self.text()) + 16), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self.palette()
        box = QRectF(0.5, 0.5, self.width() - 1, self.height() - 1)
        painter.setPen(colours.color(QPalette.ColorRole.Mid))
        painter.setBrush(colours.color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(box, 4, 4)
        painter.setBrush(colours.color(QPalette.ColorRole.Button))
        painter.drawRoundedRect(box.adjusted(0, 0, 0, -2), 4, 4)
        painter.setPen(colours.color(QPalette.ColorRole.ButtonText))
        painter.drawText(box.adjusted(0, 0, 0, -2), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


def _soft(text: str) -> QLabel:
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def _keys(row: SheetRow) -> QWidget:
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(3)
    for number, keys in enumerate(row.chords):
        if number:
            line.addWidget(_soft("or"))
        for place, key in enumerate(keys):
            if place:
                line.addWidget(_soft("+"))
            line.addWidget(KeyCap(key))
    line.addStretch(1)
    return holder


def _section(title: str, rows: list[SheetRow]) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(5)
    heading = QLabel(title)
    font = heading.font()
    font.setBold(True)
    font.setPointSizeF(font.pointSizeF() * 1.15)
    heading.setFont(font)
    grid.addWidget(heading, 0, 0, 1, 2)
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setForegroundRole(QPalette.ColorRole.Mid)
    line.setFrameShadow(QFrame.Shadow.Plain)
    grid.addWidget(line, 1, 0, 1, 2)
    for number, row in enumerate(rows, start=2):
        grid.addWidget(_keys(row), number, 0)
        grid.addWidget(QLabel(row.text), number, 1)
    grid.setColumnMinimumWidth(0, 190)
    grid.setColumnStretch(1, 1)
    return holder


class ShortcutSheet(QDialog):
    """Every shortcut and gesture, grouped. The window stays usable while it is open; "?" and Escape close it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self._columns: tuple[tuple[int, ...], ...] = ()
        self._content = QWidget()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)
        self.addAction(own_key(self, "help.shortcuts"))
        self._arrange(COLUMNS)

    def show_near(self) -> None:
        """Show it over its window, as large as it wants to be and the screen allows."""
        room = self.screen().availableSize()
        most = QSize(room.width() - 40, room.height() - 80)
        # Each time: the window may have gone to another screen.
        self._arrange(COLUMNS)
        if self._wanted(most).width() > most.width():
            self._arrange(ONE_COLUMN)
        self.resize(self._wanted(most).boundedTo(most))
        self.show()
        self.raise_()
        self.activateWindow()

    def _wanted(self, most: QSize) -> QSize:
        wanted = self._content.sizeHint() + QSize(4, 4)
        if wanted.height() > most.height():
            # The scroll bar that there is then is not to hide the ends of the lines.
            wanted += QSize(self._scroll.verticalScrollBar().sizeHint().width(), 0)
        return wanted

    def _arrange(self, columns: tuple[tuple[int, ...], ...]) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        self._content = QWidget()
        line = QHBoxLayout(self._content)
        line.setContentsMargins(24, 20, 24, 20)
        line.setSpacing(40)
        sections = sheet()
        for places in columns:
            column = QVBoxLayout()
            column.setSpacing(18)
            for place in places:
                column.addWidget(_section(*sections[place]))
            column.addStretch(1)
            line.addLayout(column)
        self._scroll.setWidget(self._content)  # which deletes the one before
