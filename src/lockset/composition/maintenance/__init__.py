"""What keeps lock files and the machine in order: newer versions, the cache, merges, and what lockset depends on."""
