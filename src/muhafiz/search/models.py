"""The index: what can be found, and by which terms.

One inverted index serves ids, addresses, hashes and words alike. The full text search of databases
was tried: one of them takes “CVE-2026-00012” apart and finds nothing, the other folds no Urdu
letters, and the two differ. See docs/decisions/0007.
"""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One thing that can be found, as its room told of it last."""

    kind = models.CharField(max_length=20)  # a module of search.sources
    key = models.CharField(max_length=64)  # the thing's id within its kind
    title = models.CharField(max_length=300)
    title_ur = models.CharField(max_length=300, blank=True)
    told = models.CharField(max_length=300, blank=True)  # a line about it: ids and names, no prose
    args = models.JSONField(default=dict)  # of its page's address
    organization_id = models.BigIntegerField(null=True, db_index=True)  # whose it is
    owner_finds = models.BooleanField(default=False)  # its organization's own people find it too
    moment = models.DateTimeField(null=True)  # the later, the nearer to the top
    round = models.IntegerField(default=0)  # the full pass that saw it last

    class Meta:
        db_table = "search_entry"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="search_entry_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


class Term(models.Model):
    """A folded word or name (`rules.fold`) that finds an entry; the heavier, the better."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="terms")
    term = models.CharField(max_length=200, db_index=True)
    weight = models.SmallIntegerField()

    class Meta:
        db_table = "search_term"
        constraints = [models.UniqueConstraint(fields=["entry", "term"], name="search_term_once")]

    def __str__(self) -> str:
        return self.term


class Mark(models.Model):
    """How far one source was read, and when its last full pass began."""

    kind = models.CharField(max_length=20, primary_key=True)
    mark = models.CharField(max_length=200, blank=True)
    round = models.IntegerField(default=0)
    full_since = models.DateTimeField(null=True)  # when the pass under way, or the last, began
    full_mark = models.CharField(max_length=200, blank=True)  # where the pass under way stands
    passing = models.BooleanField(default=False)

    class Meta:
        db_table = "search_mark"

    def __str__(self) -> str:
        return f"{self.kind} at {self.mark}"
