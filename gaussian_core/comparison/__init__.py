"""Comparison figures as papers have them: one region of a picture by several methods, with what they come to."""
