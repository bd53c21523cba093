"""The register of CERTs as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class MandatesConfig(AppConfig):
    """CERTs and every step of their mandate."""

    name = "muhafiz.mandates"
    verbose_name = "Mandates"
