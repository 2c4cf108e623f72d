"""Reader of pdm.lock."""
