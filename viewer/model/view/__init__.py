"""The view of the picture, and how it is moved."""
