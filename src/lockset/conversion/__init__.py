"""Conversions from and to other lock formats: readers, completion from an index, the proof, writers."""
