"""What a resolution depends on: requirements, Pythons, platforms, file policy."""
