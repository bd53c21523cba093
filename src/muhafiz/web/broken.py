"""The pages for what nobody foresaw, and for a database that takes nothing at the moment.

Neither asks anything of the database or of the request.
"""

from __future__ import annotations

import sys
from typing import Final

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

_AGAIN_SECONDS: Final = 10


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler of what a view or a middleware raised; the log has it with its traceback."""
    del request
    if not isinstance(sys.exc_info()[1], OperationalError):
        return HttpResponse(get_template("500.html").render(), status=500)
    answer = HttpResponse(get_template("503.html").render(), status=503)
    answer["Retry-After"] = str(_AGAIN_SECONDS)
    return answer
