"""What a lock file gives each platform and Python, and the health of its packages."""
