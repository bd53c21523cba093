"""How often a page that is open to everybody may be asked, counted in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Final

from django.http import HttpRequest

from muhafiz.accounts.tries import network_of
from muhafiz.web.signin.sessions import client_address

_MINUTE_SECONDS: Final = 60
_MOST_ADDRESSES: Final = 10_000  # remembered; beyond, those that asked first are forgotten


class Allowance:
    """So many a minute, whoever asks."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._since, self._used = 0.0, 0

    def take(self) -> bool:
        """Whether one more is allowed now."""
        with self._lock:
            if time.monotonic() - self._since >= _MINUTE_SECONDS:
                self._since, self._used = time.monotonic(), 0
            self._used += 1
            return self._used <= self._most

    def renew(self) -> None:
        """Begin a minute anew."""
        with self._lock:
            self._used = 0


class AddressAllowance:
    """So many a minute from one address (of IPv6, from one /64)."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._each: OrderedDict[str, Allowance] = OrderedDict()

    def take(self, request: HttpRequest) -> bool:
        """Whether one more is allowed now to who asks."""
        address = network_of(client_address(request))
        with self._lock:
            own = self._each.setdefault(address, Allowance(self._most))
            while len(self._each) > _MOST_ADDRESSES:
                self._each.popitem(last=False)
        return own.take()

    def renew(self) -> None:
        """Begin a minute anew for everybody."""
        with self._lock:
            self._each.clear()
