"""Workspaces: several projects in folders below one root, which are locked together."""
