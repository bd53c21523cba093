"""Making, sealing and rotating keys."""
