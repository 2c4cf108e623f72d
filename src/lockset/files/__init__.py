"""What every other part needs of files and of the operating system."""
