"""Threads that work beside the window, and how they report to it."""
