"""Reader of uv.lock."""
