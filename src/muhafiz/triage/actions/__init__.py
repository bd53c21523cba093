"""Writes of the queue: the sweep, what officers do with items, the handover of a shift."""
