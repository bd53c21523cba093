"""Words for what the house writes of its own work: jobs, their notes, faults, windows, changes."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: What each work does, by the name it has in the code.
JOBS: dict[str, str | Promise] = {
    "constituency.ask_contacts": gettext_lazy("Ask contacts whether they are still right"),
    "detection.digest": gettext_lazy("Compose the letters that are due"),
    "detection.gather_findings": gettext_lazy("Gather findings from events"),
    "detection.send_stranded": gettext_lazy("Send notices that found no contact before"),
    "detection.simulate": gettext_lazy("Try a policy on the past"),
    "detection.tidy_files": gettext_lazy("Clear files that no notice needs"),
    "feeds.check_samples": gettext_lazy("Check the kept sample rows"),
    "feeds.collect": gettext_lazy("Ask the feeds that are due"),
    "feeds.collect_drop_folder": gettext_lazy("Collect reports from the drop folder"),
    "feeds.collect_mail": gettext_lazy("Collect reports from the mailbox"),
    "feeds.fetch": gettext_lazy("Fetch a feed"),
    "feeds.keep_house": gettext_lazy("Delete reports past their time"),
    "feeds.process_report": gettext_lazy("Read a report"),
    "feeds.replay_group": gettext_lazy("Read chosen rows again"),
    "feeds.replay_set_aside": gettext_lazy("Read a report's set-aside rows again"),
    "feeds.try_fetch": gettext_lazy("Try a feed's options"),
    "feeds.watch": gettext_lazy("Watch for silent feeds"),
    "jobs.prune_jobs": gettext_lazy("Delete old jobs"),
    "keyring.sign_audit_head": gettext_lazy("Sign the head of the audit log"),
    "keyring.verify_audit": gettext_lazy("Verify the whole audit log"),
    "lake.compact": gettext_lazy("Pack the events of past days"),
    "lake.expire_exports": gettext_lazy("Delete exports past their time"),
    "lake.retention": gettext_lazy("Delete events past their time"),
    "lake.sweep": gettext_lazy("Clear files that hold no events"),
    "lake.verify": gettext_lazy("Prove that the lake holds every row once"),
    "lake.verify_deep": gettext_lazy("Prove it by reading every file of the lake"),
    "lake.write_export": gettext_lazy("Write an export"),
    "notifications.deliver": gettext_lazy("Send the letters of the outbox"),
    "notifications.list_left": gettext_lazy("List the letters that left"),
    "search.index": gettext_lazy("Bring the search up to date"),
    "statistics.publish": gettext_lazy("Publish the weekly statistics"),
    "triage.move_many": gettext_lazy("Move many items of the queue"),
    "triage.sweep": gettext_lazy("Bring the queue up to date"),
    "web.note_clock": gettext_lazy("Note the time of this machine"),
    "web.prune_tries": gettext_lazy("Forget old sign-in attempts"),
    "web.send_reset": gettext_lazy("Send a link for a new password"),
}

#: What was changed about an organization.
CHANGES: dict[str, str | Promise] = {
    "add_claim": gettext_lazy("Network or domain added"),
    "add_contact": gettext_lazy("Contact added"),
    "add_handle": gettext_lazy("Known under a further name"),
    "answer_ask": gettext_lazy("A contact answered whether it is right"),
    "apply_import": gettext_lazy("Imported"),
    "ask_contact": gettext_lazy("Contacts asked whether they are right"),
    "change_contact": gettext_lazy("Contact changed"),
    "change_sector": gettext_lazy("Sector changed"),
    "confirm_contact": gettext_lazy("Contact confirmed"),
    "date_claim": gettext_lazy("Dates of a claim changed"),
    "decide_request": gettext_lazy("Request decided"),
    "edit_organization": gettext_lazy("Edited"),
    "inhibit_letters": gettext_lazy("Letters held back"),
    "lift_inhibition": gettext_lazy("Letters no longer held back"),
    "merge_organizations": gettext_lazy("Merged with another"),
    "move_organization": gettext_lazy("Put below another"),
    "register_organization": gettext_lazy("Organization registered"),
    "request_claim": gettext_lazy("Claim asked for"),
    "retire_organization": gettext_lazy("Retired"),
    "undo_import": gettext_lazy("Import undone"),
    "withdraw_claim": gettext_lazy("Claim ended"),
    "withdraw_contact": gettext_lazy("Contact withdrawn"),
}

#: English texts of jobs and faults, and the pattern that says the same in the reader's language.
_PATTERNS: tuple[tuple[re.Pattern[str], str | Promise], ...] = tuple(
    (re.compile(english), words)
    for english, words in (
        (
            (
                r"(?P<came>\d+) came, (?P<back>\d+) came back, (?P<woken>\d+) woke, "
                r"(?P<changed>\d+) changed, (?P<over>\d+) over"
            ),
            gettext_lazy(
                "{came} new, {back} back again, {woken} woken, {changed} changed, {over} over"
            ),
        ),
        (r"(?P<count>\d+) removed", gettext_lazy("{count} removed")),
        (r"(?P<count>\d+) entries", gettext_lazy("{count} entries")),
        (r"nothing new", gettext_lazy("nothing new")),
        (r"not whole", gettext_lazy("not whole")),
        (r"not proven", gettext_lazy("not proven")),
        (
            r"(?P<rows>\d+) rows in (?P<files>\d+) files",
            gettext_lazy("{rows} rows in {files} files"),
        ),
        (r"windows of the past", gettext_lazy("windows of the past")),
        (
            r"(?P<count>\d+) read otherwise than they must be",
            gettext_lazy("{count} read otherwise than they must be"),
        ),
        (
            r"whole: (?P<count>\d+) entries, (?P<heads>\d+) signed heads",
            gettext_lazy("whole: {count} entries, {heads} signed heads"),
        ),
        (
            r"(?P<count>\d+) replaced, (?P<left>\d+) orphans",
            gettext_lazy("{count} replaced, {left} orphans"),
        ),
        (
            r"(?P<count>\d+) columns where the header has (?P<width>\d+)",
            gettext_lazy("{count} columns where the header has {width}"),
        ),
        (
            r"an object or a list cannot be read as (?P<column>\w+)",
            gettext_lazy("an object or a list cannot be read as {column}"),
        ),
        (
            r"'(?P<value>.*)' cannot be read as (?P<column>\w+)",
            gettext_lazy("“{value}” cannot be read as {column}"),
        ),
        (
            r"(?P<accepted>\d+) accepted, (?P<still>\d+) still set aside",
            gettext_lazy("{accepted} accepted, {still} still set aside"),
        ),
        (
            r"(?P<accepted>\d+) accepted, (?P<still>\d+) still set aside, (?P<anew>\d+) read anew",
            gettext_lazy("{accepted} accepted, {still} still set aside, {anew} read anew"),
        ),
        (
            r"(?P<file>.+): (?P<read>\d+) rows would be read, (?P<aside>\d+) set aside",
            gettext_lazy("{file}: {read} rows would be read, {aside} set aside"),
        ),
        (r"(?P<file>.+): no row in it", gettext_lazy("{file}: no row in it")),
        (
            r"The sender answered and offers no report of these days\.",
            gettext_lazy("The sender answered and offers no report of these days."),
        ),
        (r"Another worker reads this report\.", gettext_lazy("Another worker reads this report.")),
        (
            r"The report's bytes are no longer kept\.",
            gettext_lazy("The report's bytes are no longer kept."),
        ),
        (
            r"“(?P<name>.*)” is damaged: (?P<detail>.*)\.",
            gettext_lazy("“{name}” is damaged: {detail}."),
        ),
        (
            r"“(?P<name>.*)” is encrypted\. Ask the sender for it without a password\.",
            gettext_lazy("“{name}” is encrypted. Ask the sender for it without a password."),
        ),
        (
            r"“(?P<name>.*)” unpacks to more than (?P<limit>.*)\.",
            gettext_lazy("“{name}” unpacks to more than {limit}."),
        ),
        (
            r"“(?P<name>.*)” is packed more than (?P<depth>\d+) times over\.",
            gettext_lazy("“{name}” is packed more than {depth} times over."),
        ),
        (
            (
                r"“(?P<name>.*)” is (?P<kind>.*), which is not read\. "
                r"Ask the sender for text, as it is, zip or gzip\."
            ),
            gettext_lazy(
                "“{name}” is {kind}, which is not read. "
                "Ask the sender for text, as it is, zip or gzip."
            ),
        ),
        (
            r"No feed recognizes these bytes; assign it to one\.",
            gettext_lazy("No feed recognizes these bytes; assign it to one."),
        ),
        (
            r"It came by mail from (?P<sender>.*), no sender of this feed\.",
            gettext_lazy("It came by mail from {sender}, no sender of this feed."),
        ),
        (
            r"Reading it was cut off each time, without a trace\.",
            gettext_lazy("Reading it was cut off each time, without a trace."),
        ),
        (
            r"The raw bytes (?P<digest>[0-9a-f]{64}) are no longer kept\.",
            gettext_lazy("The raw bytes {digest} are no longer kept."),
        ),
        (r"a NUL byte", gettext_lazy("a NUL byte")),
        (
            r"neither UTF-8 nor Windows-1252",
            gettext_lazy("the bytes are letters in no known encoding"),
        ),
        (r"quotation marks do not pair up", gettext_lazy("quotation marks do not pair up")),
        (r"no line of known names", gettext_lazy("no line names the columns")),
        (r"not one whole JSON object", gettext_lazy("not one whole JSON object")),
        (r"a key occurs twice in one object", gettext_lazy("a key occurs twice in one object")),
        (
            r"(?P<count>\d+) bytes, SHA-256 (?P<digest>[0-9a-f]{64})",
            gettext_lazy("{count} bytes, SHA-256 {digest}"),
        ),
        (
            r"Zeek's log “(?P<name>.*)” is not read",
            gettext_lazy("Zeek's log “{name}” is not read"),
        ),
        (
            r"the field “(?P<name>.*)” is missing",
            gettext_lazy("the field “{name}” is missing"),
        ),
    )
)
_AT_ONCE = re.compile(r"\d+ at once|at-once .*")
_BY_HAND = re.compile(r"now \d+ \d+")
_CLOCKED = re.compile(r"(hour|day|week) (\S+)(?: again \d+)?(?: let go .*)?")


def job_word(name: str) -> str:
    """What a work does; its name in the code where nobody wrote words for it."""
    return str(JOBS.get(name, name))


def told(text: str) -> SafeString:
    """What the house noted, in the reader's language; what no pattern fits stands as it is."""
    for english, words in _PATTERNS:
        found = english.fullmatch(text)
        if found:
            values = {name: _isolated(value) for name, value in found.groupdict().items()}
            return format_html(str(words), **values) if values else format_html("{}", words)
    return format_html('<bdi dir="auto">{}</bdi>', text)


def _isolated(value: str) -> SafeString:
    return format_html('<bdi dir="ltr">{}</bdi>', value)


def window_word(label: str) -> SafeString:
    """A window as people name it: its day, hour or week, or why it had none."""
    found = _CLOCKED.fullmatch(label)
    if found:
        words = {"hour": _("hour {start}"), "day": _("day {start}"), "week": _("week from {start}")}
        start = format_html('<bdi dir="ltr" class="nowrap">{}</bdi>', found[2].replace("T", " "))
        return format_html(words[found[1]], start=start)
    if _AT_ONCE.match(label):
        return format_html("{}", _("sent at once"))
    if _BY_HAND.match(label):
        return format_html("{}", _("sent by hand"))
    return format_html('<bdi dir="ltr" class="mono">{}</bdi>', label)
