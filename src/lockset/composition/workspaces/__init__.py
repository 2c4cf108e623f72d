"""Workspaces: their inputs, one resolution for all members, and their lock files."""
