"""Training of the learned fields."""
