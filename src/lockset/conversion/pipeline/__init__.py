"""From an imported lock to a verified pylock.toml."""
