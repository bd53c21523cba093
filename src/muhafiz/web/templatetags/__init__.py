"""Tags and filters that templates load as `web`."""
