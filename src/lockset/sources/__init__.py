"""The requirements of a project: pyproject.toml, requirements files, scripts."""
