"""The status bar: what is under the cursor, what is in view, how the frame was made, and work under way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from viewer.model import status_text
from viewer.ui.announcing import announce
from viewer.ui.status.status_cell import StatusCell
from viewer.ui.status.zoom_field import ZoomField

VALUE, VALUE_WITH_ALPHA = "255 255 255", "255 255 255 255"
COUNTS_TIP = "Gaussians with their centre in view, of the part of the field that is built"
COUNTS_TIP_RIGHT = f"{COUNTS_TIP}, right of the line or in the right pane"
DEVICE_TIP = "What the frame was computed on"
PREVIEW_TIP = "A frame coarser than the screen; the exact one follows when the view rests"
STATE_TIP = (
    "How near the fitted Gaussians come to the picture (PSNR), and how much of the fitting is done"
)
FIELD_TIP = "What the Gaussian field shows under the cursor, 0 to 255"
DIFFERENCE_TIP = "By how much the two methods differ under the cursor, 0 to 255, not amplified"
MESSAGE_ROOM = 90
MESSAGE_STEP = 60
WORK_SPACING = 8
BEFORE_READING = 2.0
"""Seconds until a message is noticed."""
READ = 12.0
"""Characters a second, read without haste."""
NAME_LEAST = 16
"""Characters that are left of a long name in a message that has no room for all of it."""


class StatusBar(QStatusBar):
    """Cells of fixed width on the right, messages and progress on the left.

    In a narrow window, and beside a long message, the least important cells go first, from the left; the zoom field
    always stays.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.preview = StatusCell("Preview", "43.2 dB, 35%", 7, tip=PREVIEW_TIP)
        self.counts = StatusCell(
            "Gaussians", status_text.widest_count(), 6, tip=COUNTS_TIP, right=True
        )
        self.device = StatusCell("Device", "CPU", 5, tip=DEVICE_TIP)
        self.time = StatusCell(
            "Frame time", "999.9 ms", 4, tip="How long the newest frame took", columns=True
        )
        self.source = StatusCell(
            "Source value",
            VALUE,
            3,
            "source",
            swatch=True,
            tip="The picture's value under the cursor, 0 to 255",
            columns=True,
        )
        self.field = StatusCell(
            "Field value",
            VALUE,
            3,  # one without the other tells little
            "field",
            swatch=True,
            tip=FIELD_TIP,
            columns=True,
        )
        self.method = StatusCell("Method", "ContinuousSR photo", 2, tip="How the field is made")
        self.position = StatusCell(
            "Cursor",
            status_text.widest_position((9999, 9999)),
            1,
            tip="Cursor, in source pixels",
            columns=True,
        )
        # The least important ones are on the left: where they go, none of the others moves.
        self.cells = (
            self.preview,
            self.counts,
            self.device,
            self.time,
            self.source,
            self.field,
            self.method,
            self.position,
        )
        self.zoom = ZoomField()

        self._message = QLabel()
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._message.setMinimumWidth(40)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._bar.setFixedSize(110, 8)
        self._cancel = QToolButton()
        self._cancel.setText("Cancel")
        self._cancel.setToolTip("Stop (Esc)")
        self._cancel.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._cancel.clicked.connect(self.cancelled)
        self._work = QWidget()
        row = QHBoxLayout(self._work)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(WORK_SPACING)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)

        # QStatusBar's own layout hides ordinary widgets under temporary messages; one widget with a layout of our
        # own holds everything.
        self._content = QWidget()
        # Cells are hidden until the rest fits; until then they must not make the window wider.
        self._content.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = self._line = QHBoxLayout(self._content)
        line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        line.setContentsMargins(8, 0, 6, 0)
        line.setSpacing(0)
        line.addWidget(self._message, 1)
        line.addWidget(self._work)
        # As high with it as without: the picture must not move when work begins or ends.
        self._content.setMinimumHeight(self._work.sizeHint().height())
        line.addSpacing(8)
        for cell in self.cells:
            line.addWidget(cell)
        line.addSpacing(6)
        line.addWidget(self.zoom)
        self.addWidget(self._content, 1)

        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._restore_message)
        self._passing, self._about = "", ""
        self._names: tuple[str, ...] = ()
        self._offer_names: tuple[str, ...] = ()
        self._standing = ""
        self._label = ""
        self._foremost = False
        self._offer = ""
        self._message_room = MESSAGE_ROOM
        self._work.hide()
        self.clear_picture()

    # ---- values -------------------------------------------------------------------------------

    def clear_picture(self) -> None:
        for cell in self.cells:
            cell.show_value("")

    def expect_picture(self, extent: tuple[int, int], alpha: bool) -> None:
        """How large the picture is, (height, width), and whether values have a fourth number, for alpha."""
        template = VALUE_WITH_ALPHA if alpha else VALUE
        changed = [cell.expect(template) for cell in (self.source, self.field)]
        changed.append(self.position.expect(status_text.widest_position(extent)))
        if any(changed):
            self._fit_cells()

    def expect_difference(self, difference: bool) -> None:
        """Whether it is a difference that is seen, and told in the place of the field's value."""
        changed = self.field.name("difference" if difference else "field")
        self.field.setToolTip(DIFFERENCE_TIP if difference else FIELD_TIP)
        if changed:
            self._fit_cells()

    def expect_counts(self, widest: str, right: bool) -> None:
        """How much room the count of Gaussians takes, and whether it is of those on the right side of two methods."""
        self.counts.setToolTip(COUNTS_TIP_RIGHT if right else COUNTS_TIP)
        if self.counts.expect(widest):
            self._fit_cells()

    def show_position(self, point: tuple[float, float] | None, scale: float = 1.0) -> None:
        self.position.show_value("" if point is None else status_text.position_text(*point, scale))

    def show_values(
        self, source: Sequence[float] | None, field: Sequence[float] | None, over: bool = True
    ) -> None:
        for cell, value in ((self.source, source), (self.field, field)):
            text = status_text.value_text(value) if over else ""
            cell.show_value(text, status_text.swatch_rgb(value))

    def show_counts(self, text: str, capped: bool = False) -> None:
        self.counts.show_value(text, warn=capped)

    def show_frame(
        self, ms: float, level: int, backend: str, state: str = "", waiting: str = ""
    ) -> None:
        """state: what a method that works while it is watched says of its progress. waiting: why it was not the GPU
        that drew, where there is one."""
        self.time.show_value(status_text.time_text(ms))
        self.preview.show_value(state or status_text.preview_text(level), warn=level > 1)
        self.preview.setToolTip(STATE_TIP if state else PREVIEW_TIP)
        gpu = backend.startswith(("cuda", "mps", "gpu"))
        self.device.show_value("GPU" if gpu else "CPU")
        self.device.setToolTip(f"{DEVICE_TIP}. {waiting}" if waiting and not gpu else DEVICE_TIP)

    def show_method(self, title: str) -> None:
        self.method.show_value(title)

    # ---- messages and work --------------------------------------------------------------------

    @property
    def message(self) -> str:
        """What the left part says now."""
        return self._message.toolTip()

    def tell(
        self,
        text: str,
        seconds: float = status_text.BRIEFLY,
        about: str = "",
        names: Sequence[str] = (),
    ) -> None:
        """Say something for a while, to those who listen, too. seconds: at least; a long text stays for as long as it
        takes to read. about: what it is of, for `forget`. names: of files in it, of which less is seen where there is
        no room for all of the text."""
        self._passing, self._about, self._names = text, about, tuple(names)
        self._timer.start(round(1000 * max(seconds, BEFORE_READING + len(text) / READ)))
        self._show_message()
        if text:
            announce(self._message, text)

    def forget(self, about: str) -> None:
        """What it is of has passed: where that is what is being said, say it no longer."""
        if self._passing and self._about == about:
            self.tell("")

    def set_standing(self, text: str) -> None:
        """What holds everything up, said until it is taken back by an empty text."""
        if text != self._standing:
            self._standing = text
            self._show_message()

    def set_offer(self, text: str, names: Sequence[str] = ()) -> None:
        """What can be done, said while there is nothing else to say, until it is taken back by an empty text. names: as
        of `tell`."""
        self._offer, self._offer_names = text, tuple(names)
        self._show_message()

    def show_progress(
        self, label: str, done: int = 0, total: int = 0, foremost: bool = False
    ) -> None:
        """Work goes on; total 0: nobody knows for how long. foremost: it is said before what holds everything else up,
        as this does not wait for that."""
        self._label, self._foremost = label, foremost
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        if not self._work.isVisibleTo(self):
            self._work.show()
            self._fit_cells()
        self._show_message()

    def end_progress(self) -> None:
        self._label, self._foremost = "", False
        if self._work.isVisibleTo(self):
            self._work.hide()
            self._fit_cells()
        self._show_message()

    @property
    def busy(self) -> bool:
        return self._work.isVisibleTo(self)

    def _restore_message(self) -> None:
        self._passing = ""
        self._show_message()

    def _show_message(self) -> None:
        foremost = self._label if self._foremost else ""
        text = self._passing or foremost or self._standing or self._label or self._offer
        self._message.setToolTip(text)
        self._message.setAccessibleName(text)  # whole, where what is seen is elided
        room = self._wanted_room()
        if room != self._message_room:
            self._message_room = room
            self._fit_cells()
        else:
            self._elide()

    def _wanted_room(self) -> int:
        """Width that the message is given, in steps: a number that counts must not move the cells."""
        if not self.message:
            return MESSAGE_ROOM
        width = self.fontMetrics().horizontalAdvance(self.message) + 12
        return max(MESSAGE_ROOM, -(-width // MESSAGE_STEP) * MESSAGE_STEP)

    def _elide(self) -> None:
        """Where there is no room for all of it, of long names the middle goes first, then the end of the text: what is
        said of a file follows its name."""
        room = max(0, self._message.width() - 4)
        metrics, text = self.fontMetrics(), self.message
        for name in sorted({*self._names, *self._offer_names}, key=len, reverse=True):
            excess = metrics.horizontalAdvance(text) - room
            if excess > 0:
                least = NAME_LEAST * metrics.averageCharWidth()
                # A little less than there is room for: letters that meet anew may stand farther apart.
                width = max(metrics.horizontalAdvance(name) - excess - 4, least)
                middle = Qt.TextElideMode.ElideMiddle
                text = text.replace(name, metrics.elidedText(name, middle, width))
        self._message.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    # ---- fitting ------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_cells()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_content"):
            self._fit_cells()

    def _fit_cells(self) -> None:
        """Keep as many cells as fit, the most important ones first."""
        room = self.width() - self.zoom.width() - 30
        if self._work.isVisibleTo(self):
            # The bar is less than what the message says and than the way to stop.
            least = self._message.minimumWidth() + self._cancel.sizeHint().width()
            self._bar.setVisible(least + self._bar.width() + WORK_SPACING <= room)
            room -= self._work.sizeHint().width()
        room -= self._message_room
        # Where one has no room those after it have none either: what is seen is always what matters most.
        for _, group in groupby(reversed(self.cells), lambda cell: cell.rank):
            cells = list(group)
            width = sum(cell.sizeHint().width() for cell in cells)
            for cell in cells:
                cell.setVisible(width <= room)
            room = room - width if width <= room else 0
        self._line.activate()
        self._elide()
