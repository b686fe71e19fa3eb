"""The status bar, and what keeps it in step with the window."""
