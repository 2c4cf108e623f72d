"""Build source trees in isolated environments (PEP 517)."""
