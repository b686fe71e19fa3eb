"""Measurements that anybody can repeat: frames, fields, memory, and what grows with the picture."""
