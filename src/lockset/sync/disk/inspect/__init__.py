"""What a target is and what is installed there."""
