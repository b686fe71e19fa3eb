"""What is open: a picture or a field, what belongs to it, and what is said of it."""
