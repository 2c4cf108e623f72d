"""Releases: where they come from, which are admitted, in which order."""
