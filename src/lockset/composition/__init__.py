"""Where ports meet their implementations."""
