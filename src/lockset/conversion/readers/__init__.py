"""Readers of other tools' lock files."""
