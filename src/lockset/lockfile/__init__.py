"""The lock file: read, validate, write, select, compare."""
