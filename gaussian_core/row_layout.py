"""How rows of Gaussians lie in memory, for the kernels that read them and for what makes them.

A file of its own: a kernel is compiled anew when any file that it imports has changed.
"""

from __future__ import annotations

ROW_PADDING = 16
"""Places of each row (5 + C, N + ROW_PADDING) after the Gaussians': the CPU kernel reads whole vectors of this many."""
