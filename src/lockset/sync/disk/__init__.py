"""The acting half of sync."""
