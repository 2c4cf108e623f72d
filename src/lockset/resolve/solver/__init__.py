"""The universal search."""
