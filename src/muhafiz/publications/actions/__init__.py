"""Numbering, keeping, withdrawing."""
