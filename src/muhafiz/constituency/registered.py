"""Which part of a host name somebody has registered, by the usual shape of names. Pure.

It is a suggestion for people, not a rule of attribution: the public suffix list is longer and
changes weekly, while what a CERT sees most is its own country's.
"""

from __future__ import annotations

from typing import Final

#: Second labels under which countries register names for kinds of holders: com.pk, ac.uk, gob.mx.
_WORDS: Final = (
    "ac aja asn biz co com coop edu fam firm gen go gob gog gok gon gop gos gouv gov govt gub id "
    "ind info int k12 kids ltd me mil mod museum muni name ne net nhs nic nom or org plc police "
    "pro res sch school tm tv web"
)
_KINDS: Final = frozenset(_WORDS.split())
_COUNTRY: Final = 2  # letters of a country's own domain


def registered_domain(name: str) -> str:
    """The name that was registered: "example.gov.pk" for "mail.example.gov.pk".

    A name that is nobody's own ("gov.pk", "pk") stays as it is.
    """
    labels = name.split(".")
    under_kind = len(labels[-1]) == _COUNTRY and len(labels) > 1 and labels[-2] in _KINDS
    return ".".join(labels[-(3 if under_kind else 2) :])
