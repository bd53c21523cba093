"""Questions about policies and notices."""

from __future__ import annotations
