"""The marks over the picture: centres, ellipses and drifts, and what the Gaussian is that was clicked at."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QWidget

from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.scene import Scene
from viewer.model.overlays.inspector import nearest_gaussian
from viewer.model.overlays.overlay_options import OverlayOptions, ValueRange
from viewer.model.settings import DEFAULT_COLOUR, SIGMA_RANGE
from viewer.model.status_text import BRIEFLY, unknown_text
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.current_settings import CurrentSettings

ABOUT, SIZE = "mark", "size of ellipses"
LONG, MARKED = 8.0, 60.0  # seconds


class Marks(QObject):
    """window: that the dialog belongs to."""

    said = Signal(str, float, str)
    """Something, for how many seconds it may be read, and what it is about."""
    forgotten = Signal(str)
    """What nothing is to be said about any more."""

    def __init__(self, window: QWidget, canvas: Canvas, settings: CurrentSettings) -> None:
        super().__init__(window)
        self._window, self._canvas, self._settings = window, canvas, settings
        self._only: tuple[ValueRange, ...] = ()
        self._told_of: object = None  # the drawing that was said to have too many
        settings.changed.connect(self._apply)
        canvas.clicked.connect(self._inspect)
        canvas.overlay_counts.connect(self._count)

    # ---- which and how ------------------------------------------------------------------------

    def _apply(self) -> None:
        s = self._settings.now
        colour = None if s.own_colours else s.colour
        kinds = s.centres, s.ellipses, s.drifts
        self._canvas.set_overlays(OverlayOptions(*kinds, s.sigma, colour, self._only))
        if not self._canvas.overlays.any:
            self.unmark()
        if s.ellipses:
            self.forgotten.emit(SIZE)

    def choose(self, only: tuple[ValueRange, ...]) -> None:
        """Mark those within all of these ranges; without any, all."""
        self._only = only
        self._apply()

    def show(self, **kind: bool) -> None:
        """Show or hide a kind of marks; where none can appear, say why."""
        self._settings.change(**kind)
        scene = self._canvas.scene
        if scene is None or not any(kind.values()):
            return
        tiles = scene.tiles.values()
        if scene.interpolated or getattr(scene.drawing, "marks_nothing", False):
            self.said.emit(f"{scene.title} shows the picture without Gaussians to mark", LONG, "")
        elif getattr(scene.drawing, "unknown", False) and self._from_afar(scene):
            if not scene.drawing.marked_unseen:
                self.said.emit(unknown_text(scene.title, False), LONG, "")
        elif self._too_many(scene):
            self._tell_too_many(scene)
        elif "drifts" in kind and tiles and all(tile.drifts is None for tile in tiles):
            self.said.emit("Of this field's Gaussians it is not known that they drifted", LONG, "")

    def _count(self, shown: int, in_view: int) -> None:
        """Only once it is open does a method tell that it can have too many: what was not said then is said now."""
        scene = self._canvas.scene
        if scene is None or in_view or not self._canvas.overlays.any:
            return
        if scene.drawing is not self._told_of and self._too_many(scene):
            self._tell_too_many(scene)

    def _tell_too_many(self, scene: Scene) -> None:
        self._told_of = scene.drawing
        text = f"{scene.title} has Gaussians to mark where less of so large a picture is in view"
        self.said.emit(text, LONG, "")

    def _from_afar(self, scene: Scene) -> bool:
        """Whether the antialiased picture is what is seen."""
        return scene.replaced_from_afar and self._canvas.target_view.scale < FIELD_FROM

    def _too_many(self, scene: Scene) -> bool:
        """Whether a method would have to make more kernels than it can for what is in view."""
        most = getattr(scene.drawing, "most_kernels", None)
        if most is None:
            return False
        height, width = scene.extent
        x0, y0, x1, y1 = self._canvas.target_view.source_rect
        seen = (min(x1, width) - max(x0, 0.0)) * (min(y1, height) - max(y0, 0.0))
        return bool(seen > most)

    def step_sigma(self, step: float) -> None:
        """Make the ellipses larger or smaller by so many standard deviations."""
        low, high = SIGMA_RANGE
        sigma = min(max(round((self._settings.now.sigma + step) / 0.05) * 0.05, low), high)
        self._settings.change(sigma=sigma)
        if not self._settings.now.ellipses:  # whose size is set though they are not seen
            self.said.emit(f"Ellipses of {sigma:.2f} σ; E shows them", BRIEFLY, SIZE)

    def choose_colour(self) -> None:
        dialog = QColorDialog(QColor(self._settings.now.colour), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Colour of the overlays")
        dialog.colorSelected.connect(
            lambda colour: self._settings.change(colour=colour.name(), own_colours=False)
        )
        dialog.open()

    def reset(self) -> None:
        self._settings.change(
            centres=False,
            ellipses=False,
            drifts=False,
            sigma=1.0,
            own_colours=True,
            colour=DEFAULT_COLOUR,
        )

    # ---- the Gaussian that was clicked at -----------------------------------------------------

    def _inspect(self, x: float, y: float) -> None:
        """Where marks are shown, tell what there is to know of the Gaussian that was clicked at."""
        canvas, scene = self._canvas, self._canvas.scene
        if scene is None or not canvas.overlays.any:
            return
        found = None
        if canvas.scene_at_cursor is scene and canvas.view.scale >= FIELD_FROM:
            found = nearest_gaussian(scene, x, y, canvas.overlays.only)
        self.unmark()
        if found is not None:
            canvas.set_mark(found)
            self.said.emit(found.text, MARKED, ABOUT)

    def unmark(self) -> None:
        self._canvas.set_mark(None)
        self.forgotten.emit(ABOUT)

    def follow(self) -> None:
        """Another field may be shown: the mark went with the one that it was of."""
        if self._canvas.mark is None:
            self.forgotten.emit(ABOUT)
