"""What other tools (uv, Poetry, PDM, Pipenv, Hatch) say of a project, and its application."""
