"""Values that readers, pipeline and writers share."""
