"""Makes a target exactly what a lock file says: computing modules here, what acts is in `disk`."""
