"""Package indexes: project pages, several indexes as one, interfaces."""
