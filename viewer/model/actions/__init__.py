"""The actions: what a user can ask for, menu by menu."""
