"""What the menus offer: which entries can be chosen now, and which are ticked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from gaussian_core.models.config import shipped_weights
from viewer.model.actions.table import ACTIONS
from viewer.model.methods import OFFERED, SHIPPED
from viewer.model.settings import SIGMA_RANGE
from viewer.ui.choosing import Choosing
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.files.comparison_writing import ComparisonWriting
from viewer.ui.files.file_writing import FileWriting
from viewer.ui.files.reference_file import ReferenceFile
from viewer.ui.files.session import Session
from viewer.ui.menus import Menus

REDUCED = tuple(spec.id for spec in ACTIONS if spec.id.startswith("reduced."))
NEED_PICTURE = (
    "file.close",
    "edit.copy",
    "overlay.distribution",
    *(spec.id for spec in ACTIONS if spec.id.startswith(("zoom.", "pan."))),
)
NEED_PIXELS = REDUCED[:-1]
"""What a field that was read from a file has none of."""
CHOICES = tuple(spec.id for spec in ACTIONS if spec.id.startswith(("method.", "shipped.")))
"""How pictures are shown: of no consequence to a field file that is open."""


class Offers(QObject):
    """Keeps menus in step with what is open in a session, with the settings, and with what else they are given.

    may_step: whether a next and a previous picture are to be offered. What depends on the window itself, as full screen
    does, is its own affair.
    """

    def __init__(
        self,
        menus: Menus,
        session: Session,
        settings: CurrentSettings,
        choosing: Choosing,
        writing: FileWriting,
        figures: ComparisonWriting,
        reference: ReferenceFile,
        may_step: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._menus, self._session, self._settings = menus, session, settings
        self._choosing, self._writing, self._reference = choosing, writing, reference
        self._figures = figures
        self._may_step = may_step
        there = shipped_weights()
        for name in SHIPPED[1:]:
            menus.actions[f"shipped.{name}"].setVisible(name in there)
        menus.menu("Fiel&d", "Wei&ghts").menuAction().setVisible(len(there) > 1)
        settings.changed.connect(self._tick_settings)
        choosing.changed.connect(self._tick_choice)
        session.changed.connect(self.look)
        session.covered_now.connect(self.look)
        writing.began.connect(self._look_at_writing)
        writing.ended.connect(self._look_at_writing)
        reference.changed.connect(self._look_at_reference)

    def look(self) -> None:
        """Something else is open, or nothing."""
        document = self._session.document
        self._menus.enable(document is not None, *NEED_PICTURE)
        self._menus.enable(document is not None and not self._session.covered, "field.card")
        self._menus.enable(self._may_step(), "file.next", "file.previous")
        self._enable_choices()
        self._look_at_reference()
        self._look_at_writing()
        self.look_at_building()
        self.tick_split()

    def _look_at_writing(self) -> None:
        """One file is written at a time."""
        self._menus.enable(self._writing.possible, "file.export", "file.save_field")
        self._menus.enable(self._figures.possible, "file.export_comparison")

    def _look_at_reference(self) -> None:
        path, document = self._reference.path, self._session.document
        files = None if document is None else document.source or path
        self._menus.enable(files is not None, "file.reload")
        self._menus.enable(self._reference.possible, "compare.file")
        self._menus.tick("compare.file", path is not None)
        name = "..." if path is None else f": {path.name.replace('&', '&&')}"
        self._menus.actions["compare.file"].setText(f"A &Picture File{name}")

    def look_at_building(self) -> None:
        """Where there is some of the field left to be built, or of the picture to be read, and nobody does."""
        session, document = self._session, self._session.document
        buildable = document is not None and not document.complete
        unread = document is not None and document.unread is not None
        to_do = (buildable and not session.building) or (unread and not session.reading)
        self._menus.enable(to_do, "field.build")

    def tick_split(self) -> None:
        self._menus.tick("field.split", self._session.split)

    def _enable_choices(self) -> None:
        """Of methods, weights and copies what the document can be shown by, and the pictures after it where none is
        open."""
        document = self._session.document
        picture = None if document is None else document.picture
        copied = None if self._session.covered else picture
        self._menus.enable(copied is not None, *NEED_PIXELS)
        self._menus.enable(copied is not None and copied.original is not None, REDUCED[-1])
        free = document is None or picture is not None
        self._menus.enable(free, *CHOICES)
        self._menus.enable(free and self._choosing.weights is not None, "weights.use")

    def _tick_choice(self) -> None:
        s, weights = self._settings.now, self._choosing.weights_in_use
        for method in OFFERED:
            self._menus.tick(f"method.{method.name}", method.name == s.method and weights is None)
        self._menus.tick("weights.use", weights is not None)
        self._menus.tick(f"shipped.{s.weights}", weights is None)
        if weights is not None:
            name = weights.name.replace("&", "&&")
            self._menus.actions["weights.use"].setText(f"&Weights: {name}")
        self._enable_choices()

    def _tick_settings(self) -> None:
        s = self._settings.now
        for action_id, on in (
            ("overlay.centres", s.centres),
            ("overlay.ellipses", s.ellipses),
            ("overlay.drifts", s.drifts),
            ("overlay.own_colours", s.own_colours),
            ("overlay.one_colour", not s.own_colours),
            ("view.tool_bar", s.tool_bar),
            ("view.minimap", s.minimap),
            ("view.pixel_grid", s.pixel_grid),
            ("view.pixel_values", s.pixel_values),
            ("view.preview", s.preview),
            ("view.animate", s.animate),
            ("touchpad.pan", s.touchpad_pans),
            ("touchpad.zoom", not s.touchpad_pans),
            (f"theme.{s.theme}", True),
            (f"memory.{s.tile_memory}", True),
            (f"gain.{s.gain}", True),
            ("field.footprint", s.footprint),
        ):
            self._menus.tick(action_id, on)
        self._menus.enable(s.sigma < SIGMA_RANGE[1], "overlay.larger")
        self._menus.enable(s.sigma > SIGMA_RANGE[0], "overlay.smaller")
