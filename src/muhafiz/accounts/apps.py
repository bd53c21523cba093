"""People and roles as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, their roles, and the links that let them in once."""

    name = "muhafiz.accounts"
    verbose_name = "People"
