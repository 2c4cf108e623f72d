"""Findings of `validate`, as text with excerpts and in the formats of other tools."""
