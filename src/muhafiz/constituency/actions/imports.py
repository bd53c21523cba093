"""All ways in for many rows at once."""

from __future__ import annotations

from muhafiz.constituency.actions.applying import Imported, PreviewOutdated, apply_import
from muhafiz.constituency.actions.planning import Diff, DiffLine, preview_import
from muhafiz.constituency.actions.undoing import Undone, undo_import
from muhafiz.constituency.spreadsheet import Problem, UnreadableSheet

__all__ = [
    "Diff",
    "DiffLine",
    "Imported",
    "PreviewOutdated",
    "Problem",
    "Undone",
    "UnreadableSheet",
    "apply_import",
    "preview_import",
    "undo_import",
]
