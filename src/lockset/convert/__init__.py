"""Conversions from and to other lock formats."""
