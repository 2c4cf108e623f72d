"""The solver: candidates, propagation, conflict analysis, and the search around them."""
