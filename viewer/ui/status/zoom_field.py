"""The zoom as an editable field with presets."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from viewer.model.actions.view_menu import PRESETS
from viewer.model.status_text import parse_zoom, zoom_text

FIT = "Fit"
FILL = "Fill"


class ZoomField(QComboBox):
    """Shows the zoom and takes one: "350%", "3.5x", "4", "fit", "fill", or a preset from the list."""

    zoom_chosen = Signal(float)
    fit_chosen = Signal()
    fill_chosen = Signal()
    refused = Signal(str)
    """What was typed is none."""
    left = Signal()
    """The user is done here: the keyboard belongs to the picture again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QLineEdit()
        self.setLineEdit(self._edit)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCompleter(None)  # type: ignore[arg-type]
        self.setMaxVisibleItems(len(PRESETS) + 2)
        self.addItems([FIT, FILL, *(zoom_text(s) for s in PRESETS)])
        self.setCurrentIndex(-1)
        width = self.fontMetrics().horizontalAdvance("100,000 %")
        self.setFixedWidth(width + 40)
        self.setToolTip('Zoom: "350%", "3.5x", or a number; below 20 it is a factor (Z)')
        self.setAccessibleName("Zoom")
        edit = self._edit
        edit.setAccessibleName("Zoom")
        edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        edit.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        edit.textEdited.connect(lambda: self._mark(False))
        edit.installEventFilter(self)
        self.activated.connect(self._take)
        self._scale: float | None = None
        self.show_zoom(None)

    def show_zoom(self, scale: float | None) -> None:
        """The zoom has changed; None: there is no picture. What is being typed is left alone."""
        self._scale = scale
        self.setEnabled(scale is not None)
        # Nor is what is about to be typed over, but that follows.
        if not self._edit.hasFocus():
            self._show(self._text)
        elif not self._edit.isModified():
            self._show(self._text)
            self._edit.selectAll()

    @property
    def _text(self) -> str:
        return "" if self._scale is None else zoom_text(self._scale)

    def begin_typing(self) -> None:
        self._edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._edit.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The edit is the combo box's focus proxy: real keys come to the box, a few others only to the edit.
        if watched is self._edit and isinstance(event, QKeyEvent) and self._took_key(event):
            return True
        if event.type() == QEvent.Type.FocusOut and not self.view().isVisible():
            self._show(self._text)
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # Before the box sees it, which would look up what stands there among the presets, and go there.
        if not self.view().isVisible():
            self._show(self._text)
        quiet = self.blockSignals(True)
        super().focusOutEvent(event)
        self.blockSignals(quiet)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and self._took_key(event):
            return True
        return super().event(event)

    def _took_key(self, event: QKeyEvent) -> bool:
        """Return takes what was typed, Escape leaves. Both before the box sees them: on Return it would look the text
        up among the presets once more, after the field shows the old zoom again, and go back there."""
        key, kind = event.key(), event.type()
        if key == Qt.Key.Key_Escape and kind == QEvent.Type.ShortcutOverride:
            # Escape is also a shortcut of the window: in here it only means to leave the field.
            event.accept()
            return True
        if kind != QEvent.Type.KeyPress:
            return False
        if key == Qt.Key.Key_Escape:
            self._leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        else:
            return False
        event.accept()
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that passes over the field must not jump through the presets.
        event.ignore()

    def _take(self) -> None:
        text = self.currentText().strip()
        word = text.casefold()
        if word == FIT.casefold():
            self.fit_chosen.emit()
        elif word == FILL.casefold():
            self.fill_chosen.emit()
        else:
            # What it shows is rounded: taken as if it had been typed, it would move the view.
            scale = self._scale if text == self._text else parse_zoom(text)
            if scale is None:
                self._mark(True)
                self._edit.selectAll()
                self.refused.emit(f"“{text}”")
                return
            self.zoom_chosen.emit(scale)
        self._leave()

    def _leave(self) -> None:
        self._show(self._text)
        self._edit.clearFocus()
        self.left.emit()

    def _show(self, text: str) -> None:
        edit = self._edit
        self._mark(False)
        if edit.text() != text:
            self.setCurrentIndex(-1)
            edit.setText(text)

    def _mark(self, wrong: bool) -> None:
        edit = self._edit
        colours = self.palette()
        if wrong:
            warn = colours.color(QPalette.ColorRole.BrightText)
            colours.setColor(QPalette.ColorRole.Text, warn)
            # It is selected, to be typed over.
            colours.setColor(QPalette.ColorRole.Highlight, warn)
            colours.setColor(
                QPalette.ColorRole.HighlightedText, colours.color(QPalette.ColorRole.Base)
            )
            edit.setPalette(colours)
        elif edit.palette().color(QPalette.ColorRole.Text) != colours.color(
            QPalette.ColorRole.Text
        ):
            edit.setPalette(QPalette())
