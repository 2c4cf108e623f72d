"""From a resolution to a verified lock file."""
