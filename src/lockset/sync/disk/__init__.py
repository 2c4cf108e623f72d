"""What sync does to disks, interpreters and downloads."""
