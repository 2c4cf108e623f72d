"""The four paths: lock, sync, validate, convert."""
