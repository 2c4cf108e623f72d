"""Verified archives and unpacked wheels, and how their files reach a target."""
