"""A small picture of the whole: shown where nothing better is there yet, and in the corner of the window."""

from __future__ import annotations

import math

from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState

SIDE = 1024
"""Device pixels of the longer side, at most."""


def overview_of(scene: Scene) -> Frame | None:
    """A frame of all of the scene's picture, at 100 % at most; None where the scene is of a field alone."""
    if scene.pyramid is None:
        return None
    height, width = scene.extent
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, math.ceil(width * scale)), max(1, math.ceil(height * scale)))
    # Of the picture, not of what is drawn of it at 100 %, which may take long.
    bare = Scene(scene.extent, picture=scene.picture, pyramid=scene.pyramid)
    return render_frame(bare, ViewState(scene.extent, size, (0.0, 0.0), scale))
