"""One value in the status bar: text of a fixed width, with a colour swatch before it where wanted."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

PADDING = 9
SWATCH = 12
GAP = 6


class StatusCell(QWidget):
    """Paints itself, so that a new text costs one small repaint and moves nothing.

    template: the widest text to expect, see `expect`; a longer one is elided. rank: cells with a high one go first when
    the window is narrow. label: stands before the text in a softer colour. right: the text is flush with the cell's
    right end. columns: so is each of its numbers with that of its own in the template, if it fits there: none moves
    while another takes a digit more.
    """

    def __init__(
        self,
        name: str,
        template: str,
        rank: int,
        label: str = "",
        swatch: bool = False,
        tip: str = "",
        right: bool = False,
        columns: bool = False,
    ) -> None:
        super().__init__()
        self.rank = rank
        self._template = template
        self._label = label
        self._has_swatch = swatch
        self._right = right or columns
        self._columns = columns
        self._text = ""
        self._colour: QColor | None = None
        self._warn = False
        self.setObjectName(name)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def expect(self, template: str) -> bool:
        """Another widest text from now on. Whether the cell takes another width."""
        before = self.sizeHint().width()
        self._template = template
        self.updateGeometry()
        return self.sizeHint().width() != before

    def name(self, label: str) -> bool:
        """Another label from now on. Whether the cell takes another width."""
        before = self.sizeHint().width()
        self._label = label
        self.updateGeometry()
        self.update()
        return self.sizeHint().width() != before

    @property
    def text(self) -> str:
        return self._text

    @property
    def colour(self) -> QColor | None:
        return self._colour

    def show_value(
        self, text: str, colour: tuple[int, int, int] | None = None, warn: bool = False
    ) -> None:
        shown = None if colour is None else QColor(*colour)
        if text == self._text and shown == self._colour and warn == self._warn:
            return
        self._text, self._colour, self._warn = text, shown, warn
        self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = 2 * PADDING + metrics.horizontalAdvance(self._template)
        if self._label:
            width += metrics.horizontalAdvance(self._label) + GAP
        if self._has_swatch:
            width += SWATCH + GAP
        return QSize(width, metrics.height() + 8)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = self.palette()
        painter.setPen(colours.color(QPalette.ColorRole.Mid))
        painter.drawLine(0, 4, 0, self.height() - 5)
        x = PADDING
        middle = Qt.AlignmentFlag.AlignVCenter
        if self._label:
            painter.setPen(colours.color(QPalette.ColorRole.PlaceholderText))
            width = self.fontMetrics().horizontalAdvance(self._label)
            painter.drawText(QRect(x, 0, width + 2, self.height()), middle, self._label)
            x += width + GAP
        if self._has_swatch:
            box = QRect(x, (self.height() - SWATCH) // 2, SWATCH, SWATCH)
            if self._colour is not None:
                painter.fillRect(box, self._colour)
            known = self._colour is not None
            role = QPalette.ColorRole.PlaceholderText if known else QPalette.ColorRole.Mid
            painter.setPen(colours.color(role))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            x += SWATCH + GAP
        role = QPalette.ColorRole.BrightText if self._warn else QPalette.ColorRole.WindowText
        painter.setPen(colours.color(role))
        room = QRect(x, 0, self.width() - x - PADDING + 2, self.height())
        metrics = self.fontMetrics()
        if self._columns and not self._too_wide():
            for word, widest in zip(self._text.split(), self._template.split(), strict=False):
                column = QRect(x, 0, metrics.horizontalAdvance(widest), self.height())
                unit = widest.isalpha()
                side = Qt.AlignmentFlag.AlignLeft if unit else Qt.AlignmentFlag.AlignRight
                painter.drawText(column, middle | side, word)
                x += metrics.horizontalAdvance(widest + " ")
        else:
            text = metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, room.width())
            if self._right:
                x = self.width() - PADDING - metrics.horizontalAdvance(text)
            painter.drawText(QRect(x, 0, room.width(), self.height()), middle, text)
        painter.end()

    def _too_wide(self) -> bool:
        """Whether the text has a word more than the template, or a wider one."""
        words, widest = self._text.split(), self._template.split()
        wide = self.fontMetrics().horizontalAdvance
        return len(words) > len(widest) or any(
            wide(a) > wide(b) for a, b in zip(words, widest, strict=False)
        )
