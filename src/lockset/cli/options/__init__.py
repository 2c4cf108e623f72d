"""Options, and the values they mean."""
