"""The dialogs: what they ask for and what they show."""
