"""Validation: every finding about a lock file, with its rule and position."""
