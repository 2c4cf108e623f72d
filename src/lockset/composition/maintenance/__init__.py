"""Maintenance of lock files and of the machine: newer versions, the cache, merges, and the report on the machine."""
