"""How pictures are read: gaussian_core.images is the way in."""
