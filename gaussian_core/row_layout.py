"""How rows of Gaussians lie in memory, for the kernels that read them and for what makes them.

A file of its own: a kernel is compiled anew when any file that it imports has changed.
"""

from __future__ import annotations

ROW_PADDING = 16
"""Places of each row (5 + C, N + ROW_PADDING) after the Gaussians', and of memory after the table of where the cells
begin: the CPU kernel reads whole vectors of this many."""

SPAN = 8192
"""Source pixels from an origin on within which places in single precision are good to 1/4096 pixel, a quarter of one of
the screen's at the closest zoom. At 100,000 they would be off by four of these."""
