"""Sources that are required by URL or path: their content, caches of it, and names that only they show."""
