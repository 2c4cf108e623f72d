"""The parts of sync that touch disks, interpreters and downloads."""
