"""All methods of enlarging a picture behind one interface: encode it once, then draw any viewport of it.

    from gaussian_core import Viewport, open_picture
    from gaussian_core.methods import open_drawing

    picture = open_picture("photo.jpg")                   # of an array: Picture.from_array(pixels)
    drawing = open_drawing(picture, "liif")               # or nearest, bicubic, kernel, continuoussr, ...
    drawing.encode()                                      # optional: else with the first part that is drawn
    frame = drawing.draw(Viewport.whole(picture.extent, 4))  # float32 (h, w, channels)

A new method is one new file in this folder with a `METHODS` of its own (see `interface.Method`): render, evaluate,
figure and the viewer find it there. Importing this loads neither torch nor Numba; opening a drawing loads what it
needs.
"""

from gaussian_core.methods.interface import Drawing, Method, Options, model_size
from gaussian_core.methods.registry import DEFAULT, METHODS, check_name, open_drawing
from gaussian_core.methods.weights import method_of_weights

__all__ = [
    "DEFAULT",
    "METHODS",
    "Drawing",
    "Method",
    "Options",
    "check_name",
    "method_of_weights",
    "model_size",
    "open_drawing",
]
