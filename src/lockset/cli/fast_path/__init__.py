"""Cached results of earlier runs, used while their inputs are unchanged."""
