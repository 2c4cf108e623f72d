"""Help texts: the front page, `-h` and `--help` of commands, the manual page, addresses of the documentation."""
