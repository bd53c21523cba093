"""What browsers tell the faces."""

from __future__ import annotations

from django.db import models


class PolicyReport(models.Model):
    """One kind of breach of the content security policy, seen by browsers so and so often.

    No address of a page and no path of what was blocked is kept: both can hold secrets.
    """

    directive = models.CharField(max_length=40)
    blocked = models.CharField(max_length=120)  # an origin, or a word such as “inline”
    route = models.CharField(max_length=60)  # the name of the page's route
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.BigIntegerField(default=1)

    class Meta:
        db_table = "web_policy_report"
        constraints = [
            models.UniqueConstraint(
                fields=["directive", "blocked", "route"], name="web_policy_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.directive} {self.blocked}"
