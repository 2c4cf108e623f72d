"""Inspect a target: its interpreter, and what is installed there."""
