"""Explanations of failures, and what was tried and helps."""
