"""Known vulnerabilities: advisories in the OSV format, which versions they affect, and findings about packages."""
