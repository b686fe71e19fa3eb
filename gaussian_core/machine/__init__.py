"""The machine that the program runs on: its memory, and processes of their own."""
