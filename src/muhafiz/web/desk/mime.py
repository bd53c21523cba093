"""The desk opens letters as every face does."""

from muhafiz.web.mime import Attached, Opened, opened_letter

__all__ = ["Attached", "Opened", "opened_letter"]
