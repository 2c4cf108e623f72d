"""From a plan to a changed target, in one transaction."""
