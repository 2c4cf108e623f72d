"""Settings of other tools (uv, Poetry, PDM, Pipenv, Hatch) for a project, and their application."""
