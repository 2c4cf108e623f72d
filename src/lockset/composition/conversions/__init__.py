"""Conversions to, between and from lock files. Each result is read again and compared with its input."""
