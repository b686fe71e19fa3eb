"""What `bench --window` drives and measures."""
