"""All ways in for many rows at once."""

from __future__ import annotations

from muhafiz.constituency.actions.applying import Imported, PreviewOutdated, apply_import
from muhafiz.constituency.actions.planning import Diff, DiffLine, preview_import
from muhafiz.constituency.actions.registries import (
    RegisterShrank,
    RegistryImported,
    UnreadableRegister,
    import_delegated,
    import_rpsl,
)
from muhafiz.constituency.actions.undoing import Undone, undo_import
from muhafiz.constituency.spreadsheet import Problem, UnreadableSheet

__all__ = [
    "Diff",
    "DiffLine",
    "Imported",
    "PreviewOutdated",
    "Problem",
    "RegisterShrank",
    "RegistryImported",
    "Undone",
    "UnreadableRegister",
    "UnreadableSheet",
    "apply_import",
    "import_delegated",
    "import_rpsl",
    "preview_import",
    "undo_import",
]
