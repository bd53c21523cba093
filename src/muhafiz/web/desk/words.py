"""Words for the codes of intake and of the house: reasons, columns, doors."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Why a row is set aside: what it is called, and what helps.
REASONS: dict[str, tuple[str | Promise, str | Promise]] = {
    "column-count": (
        _("More or fewer cells than the header names"),
        _("Often a stray delimiter or a cut line. Correct the row."),
    ),
    "quote": (
        _("Quotation marks do not pair up"),
        _("Close the quotation, or double the mark inside it."),
    ),
    "nul": (_("A NUL byte"), _("Take the byte out, or dismiss the row.")),
    "encoding": (
        _("Neither UTF-8 nor Windows-1252"),
        _("Write the text anew, or dismiss the row."),
    ),
    "too-long": (
        _("Longer than 1 MiB"),
        _("Only its beginning is kept here; the whole is in the raw report."),
    ),
    "header": (
        _("The report has no usable header"),
        _("Name the columns in the mapping, then read the rows again."),
    ),
    "json": (_("No JSON object"), _("Mend the object at the marked place.")),
    "duplicate-key": (_("A key occurs twice"), _("Keep the one that counts.")),
    "shape": (
        _("A list or object where a plain value belongs"),
        _("Map the column to another field, or leave it out."),
    ),
    "address": (
        _("An address that cannot be read"),
        _("Map the column to another field, or correct the value."),
    ),
    "domain": (
        _("No address, and no readable name"),
        _("Map a field that holds a name or an address."),
    ),
    "time": (
        _("A time that cannot be read"),
        _("Map the column that holds the time, or correct the value."),
    ),
    "number": (
        _("A port or AS number out of range"),
        _("Map the column to another field, or leave it out."),
    ),
    "not-network": (_("No indicator of the network"), _("Dismiss what no owner can act upon.")),
}

#: The columns of an event in the order people think of them.
COLUMNS = (
    "time_source", "source_ip", "source_port", "source_fqdn", "source_url", "source_asn",
    "source_account", "source_geolocation_cc", "classification_type", "classification_identifier",
    "severity", "tlp", "destination_ip", "destination_port", "destination_fqdn",
    "destination_url", "destination_asn", "protocol_transport", "protocol_application",
    "malware_name", "malware_hash_sha256", "feed_provider", "feed_name",
)  # fmt: skip

#: How a worker stands: (word, look of the chip).
WORKERS: dict[str, tuple[str | Promise, str]] = {
    "running": (_("At work"), "busy"),
    "idle": (_("Waits for work"), "ok"),
    "stopped": (_("Stopped"), "plain"),
    "lost": (_("Not seen"), "bad"),
}

#: By which door a report came.
DOORS: dict[str, str | Promise] = {
    "drop": _("Drop folder"),
    "mail": _("Mailbox"),
    "api": _("Fetched from the sender"),
}
