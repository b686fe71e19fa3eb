"""What is open in the window: files that are read, read again, stepped through and written."""
