"""Package indexes: pages, several indexes as one, ports."""
