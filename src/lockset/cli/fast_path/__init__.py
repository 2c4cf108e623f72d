"""Answers of earlier runs that still stand."""
