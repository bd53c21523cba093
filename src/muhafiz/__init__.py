"""Muhafiz, the operating platform of a national CERT and its sectoral CERTs."""

__version__ = "0.1.0"
