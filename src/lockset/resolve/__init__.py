"""The universal resolver."""
