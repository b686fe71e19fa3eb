"""The open picture by other methods than the one that is shown: kept for going back to them, within some memory."""

from __future__ import annotations

from collections.abc import Callable

from viewer.model.documents.document import Document
from viewer.model.methods import ORIGINAL, Choice

SHELVED_BYTES = 256 << 20
"""Of tiles that are kept of the method before, for going back to it; those in view are kept whatever they take."""


class Shelf:
    """look_at_view: has a document look at the view that is on screen.

    before: the picture by the method that was shown before, None: there was none. last: how that of the picture before
    was shown. tile_memory: bytes that tiles may take, those of what is shown among them; None: a quarter of the
    machine's memory.
    """

    def __init__(self, look_at_view: Callable[[Document], None]) -> None:
        self._look_at_view = look_at_view
        self.before: Document | None = None
        # What the reference takes the place of while it is looked at alone.
        self._aside: Document | None = None
        self.last: Choice | None = None
        self.tile_memory: int | None = None

    def put(self, before: Document) -> None:
        """What is to be gone back to."""
        self.before = before
        self.limit(before)

    def exchange(self, shown: Document, wanted: Choice) -> Document | None:
        """Put what is shown in the place of what is wanted, which is returned; None where that is not here."""
        # The reference is no method that one goes back to, and may be another file by then: it is never kept.
        if shown.choice.method == ORIGINAL.name:
            left, self._aside = self._aside, None
        else:
            left = None if shown.fallback else shown
        if left is not None:
            self.limit(left)
            left.take_tiles()
        before = self.before
        if wanted.method == ORIGINAL.name:
            self._aside = left
        elif left is not None and left.choice.shows_as(wanted):
            return left
        elif before is not None and before.choice.shows_as(wanted):
            self.before = left
            return before
        else:
            self.before = left or before
        return None

    def clear(self) -> None:
        """Another picture comes, or none: it is compared by the method that this one was."""
        if self.before is not None:
            self.last = self.before.choice
        self.before = self._aside = None

    @property
    def kept(self) -> list[Document]:
        """All that is here, with what is built of it."""
        return [kept for kept in (self.before, self._aside) if kept is not None]

    def limit(self, kept: Document) -> None:
        """To the memory for what is not shown."""
        self._look_at_view(kept)  # of what is not seen it holds what was in view when it was
        kept.plan.set_budget(self._for_kept)

    def limit_shown(self, document: Document) -> None:
        """What the user allows is for all tiles: those of the method before, where it has any, are part of it."""
        budget = self.tile_memory
        if budget is not None and any(kept.plan.total for kept in self.kept):
            budget -= self._for_kept
        if document.plan.asked != budget:
            document.plan.set_budget(budget)

    @property
    def _for_kept(self) -> int:
        """Bytes that tiles of the method before may take: of what the user allows no more than half."""
        allowed = self.tile_memory
        return SHELVED_BYTES if allowed is None else min(SHELVED_BYTES, allowed // 2)
