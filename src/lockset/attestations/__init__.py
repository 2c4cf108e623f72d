"""Attestations of files (PEP 740): who published them, and whether that can be verified."""
