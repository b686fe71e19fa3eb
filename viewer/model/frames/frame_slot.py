"""The slot of size one between the canvas and its worker: the newest request wins."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from viewer.model.frames.frame import Columns, seen_rect
from viewer.model.frames.scene import Scene
from viewer.model.pixel_rects import area
from viewer.model.view.view_state import ViewState

T = TypeVar("T")


@dataclass(frozen=True)
class FrameRequest:
    """A view of a scene that the canvas wants to show.

    moving: it comes from a moving view, so a coarser frame may go first; else (a tile was built,
        the picture was just opened) the frame is rendered in full at once.
    at: when it was asked for, on the worker's clock (seconds).
    row: of the view, device pixels, that the user looks at: a slow frame begins there. None: its middle.
    columns: of the view, device pixels, that are seen of it, on one side of a line; the rest follows when the view
        rests. None: all.
    level: how coarse its first frame is, where that is not left to the pacing: 1 is in full. None: it is.
    """

    scene: Scene
    view: ViewState
    moving: bool = False
    at: float = 0.0
    row: float | None = None
    columns: Columns | None = None
    level: int | None = None

    def at_the_same_place(self, other: FrameRequest) -> bool:
        """Whether the same pixels are asked for."""
        return (self.view, self.columns) == (other.view, other.columns)

    @property
    def rect(self) -> tuple[int, int, int, int]:
        """The device pixels that are to be rendered first."""
        return seen_rect(self.view, self.columns)

    @property
    def pixels(self) -> int:
        """How many these are."""
        return area(self.rect)


class Slot(Generic[T]):
    """Holds at most one item: a newer one replaces it. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._taken = False
        self._given_up = False

    def put(self, item: T) -> None:
        with self._changed:
            if not self._closed:
                self._item = item
                self._changed.notify_all()

    def take(self, timeout: float | None = None) -> T | None:
        """The item, as soon as there is one; None after the timeout (seconds) or when closed.

        To ask again says that the work on the item taken before is done.
        """
        with self._changed:
            self._taken = False
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout)
            if self._closed:
                return None
            item, self._item = self._item, None
            self._taken = item is not None
            self._given_up = False
            return item

    def wait(self, timeout: float) -> bool:
        """Whether an item comes (or the slot closes) within `timeout` seconds; it stays there."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._closed or self._item is not None, max(0.0, timeout)
            )

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing that was taken is still being worked on."""
        with self._changed:
            return self._item is None and not self._taken

    def peek(self) -> T | None:
        """The waiting item, left where it is. Cheap: polled between tiles."""
        return self._item

    def clear(self) -> None:
        """Nothing is wanted any more, nor what was taken last."""
        with self._changed:
            self._item = None
            self._given_up = True

    @property
    def given_up(self) -> bool:
        """Whether the work on the item taken last is for nothing. Cheap, as `peek`."""
        return self._given_up or self._closed

    def close(self) -> None:
        """Wake whoever waits; the slot gives nothing from now on."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed
