"""Indexes and downloads over HTTP."""
