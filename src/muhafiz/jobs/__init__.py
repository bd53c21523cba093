"""Queued and timed work: a small queue in the relational database (docs/decisions/0001)."""
