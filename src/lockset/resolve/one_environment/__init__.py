"""Resolves for one environment, with resolvelib."""
