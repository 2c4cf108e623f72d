"""Apply a plan to a target, in one transaction."""
