"""Core metadata of wheels and sdists, and strategies to obtain it."""
