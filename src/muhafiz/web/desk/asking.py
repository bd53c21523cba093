"""The desk's forms are read as every face's are."""

from muhafiz.web.asking import Asked

__all__ = ["Asked"]
