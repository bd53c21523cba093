"""Encodings the world agreed on. Nothing here knows Django, a clock or a store."""
