"""Conversions to lock files, of them, and into other formats: each read again and compared."""
