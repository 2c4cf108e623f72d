"""Makes a target what a lock file says."""
