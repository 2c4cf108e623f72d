"""The requirements file format."""
