"""Builds of a run: their environments, isolated or not, and in which order a sync builds."""
