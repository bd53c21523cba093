"""The web application as a WSGI callable."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muhafiz.config.settings")
application = get_wsgi_application()
