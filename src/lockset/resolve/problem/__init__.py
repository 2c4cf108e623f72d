"""The inputs of a resolution: requirements, Pythons, platforms, file policy."""
