"""Make a target match a lock file: the modules here compute, those in `disk` act."""
