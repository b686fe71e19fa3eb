"""How close an enlargement comes to the original: figures as the literature computes them."""
