"""Validation of what people write by hand: pyproject.toml, settings, scripts with inline metadata."""
