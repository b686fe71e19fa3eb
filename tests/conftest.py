"""What every test runs under."""

from __future__ import annotations

import os

# No test needs a screen, and a window that takes the focus would disturb whoever runs them. Set before Qt is imported.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
