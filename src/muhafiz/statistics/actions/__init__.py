"""Changes to what is published."""
