"""Core metadata of wheels and sdists, and the ways to learn it."""
