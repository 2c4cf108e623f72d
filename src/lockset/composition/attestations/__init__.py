"""Attestations of a run: recorded by a lock, required by a sync."""
