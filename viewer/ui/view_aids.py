"""What helps to find one's way in a picture: the overview in a corner, the grid of pixels, the values in them."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Signal

from viewer.model.status_text import BRIEFLY, zoom_text
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.canvas.grid_painter import GRID_FROM
from viewer.ui.canvas.minimap import Minimap
from viewer.ui.current_settings import CurrentSettings

OVERVIEW, GRID, VALUES = "minimap", "grid", "values"


class ViewAids(QObject):
    """Switches them, which the settings keep. Where one is not to be seen in this view, it is said where it is."""

    said = Signal(str, float, str)
    """Something, for how many seconds it may be read, and what it is about."""
    forgotten = Signal(str)
    """What nothing is to be said about any more."""

    def __init__(
        self, canvas: Canvas, minimap: Minimap, settings: CurrentSettings, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._canvas, self._minimap, self._settings = canvas, minimap, settings
        canvas.view_changed.connect(self._forget)

    def show_minimap(self, on: bool) -> None:
        """Show or hide the overview; where there is no need of one, say so."""
        self._settings.change(minimap=on)
        self.forgotten.emit(OVERVIEW)
        if on and self._canvas.has_picture and self._minimap.isHidden():
            text = "The overview appears where not all of the picture is in view"
            self.said.emit(text, BRIEFLY, OVERVIEW)

    def show_grid(self, on: bool) -> None:
        """Show or hide the grid of pixels; where these are too small for one, say so."""
        self._settings.change(pixel_grid=on)
        self.forgotten.emit(GRID)
        if on and self._canvas.has_picture and self._canvas.target_view.scale < GRID_FROM:
            text = f"The pixel grid appears from {zoom_text(GRID_FROM)} up"
            self.said.emit(text, BRIEFLY, GRID)

    def show_values(self, on: bool) -> None:
        """Show or hide the values of pixels; where there are none to be seen, say why."""
        self._settings.change(pixel_values=on)
        self.forgotten.emit(VALUES)
        if not on or not self._canvas.has_picture:
            return
        least = self._canvas.values_from
        if least is None:
            text = "A saved field that is opened without its picture has no pixels"
            self.said.emit(text, BRIEFLY, VALUES)
        elif self._canvas.target_view.scale < least:
            text = f"The pixels' values appear from {zoom_text(math.ceil(least))} up"
            self.said.emit(text, BRIEFLY, VALUES)

    def _forget(self) -> None:
        """Where they appear, of those that are seen by now."""
        scale, least = self._canvas.view.scale, self._canvas.values_from
        if not self._minimap.isHidden():
            self.forgotten.emit(OVERVIEW)
        if scale >= GRID_FROM:
            self.forgotten.emit(GRID)
        if least is not None and scale >= least:
            self.forgotten.emit(VALUES)
