"""The house's settings with the queue and the log alone, for worker processes of the tests."""

from muhafiz.config.settings import *  # noqa: F403 - the same settings, fewer rooms

INSTALLED_APPS = ["django.contrib.contenttypes", "muhafiz.audit", "muhafiz.jobs"]
MIDDLEWARE = []
ROOT_URLCONF = "peer_settings"
urlpatterns = []
