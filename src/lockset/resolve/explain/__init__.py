"""Explanations of failures, with suggestions that were tried and help."""
