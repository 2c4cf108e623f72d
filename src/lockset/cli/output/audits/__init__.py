"""Findings of `audit`, as text and in the formats of other tools."""
