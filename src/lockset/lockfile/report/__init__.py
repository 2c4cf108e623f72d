"""A report on a lock file: what each platform and Python gets, and the health of its packages."""
