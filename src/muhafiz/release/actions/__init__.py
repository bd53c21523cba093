"""Calling back."""
