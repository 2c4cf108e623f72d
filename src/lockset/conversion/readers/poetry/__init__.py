"""Reader of poetry.lock."""
