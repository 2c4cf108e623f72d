"""Fixes: what validation finds and has one right answer."""
