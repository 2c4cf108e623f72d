"""Files and the operating system, for all other parts."""
