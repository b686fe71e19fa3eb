"""The canvas, what is painted on it, and what mouse, pen and fingers do there."""
