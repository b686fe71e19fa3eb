"""Learned fields."""
