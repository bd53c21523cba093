"""Whose is an address, name or ASN on a given day: pure tables and their cache on disk."""
