"""Project pages of the simple repository API, in HTML and JSON."""
