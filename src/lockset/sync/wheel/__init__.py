"""Strict readers for wheels and their metadata."""
