"""Enqueuing, delivering, deciding about single letters."""
