"""Frames: which are drawn, by what, in which time."""
