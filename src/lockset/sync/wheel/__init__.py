"""What a wheel holds, read strictly."""
