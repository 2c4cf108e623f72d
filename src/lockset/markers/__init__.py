"""Marker sets: exact algebra of environments."""
