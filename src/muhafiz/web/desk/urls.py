"""The addresses of the desk."""

from __future__ import annotations

from muhafiz.web.desk.permissions import route
from muhafiz.web.desk.views import (
    audit,
    constituents,
    events,
    feeds,
    jobs,
    letters,
    notices,
    reports,
    river,
    rulebook,
)

urlpatterns = [
    route("", river.river, "river"),
    route("live/", river.river_live, "river-live"),
    route("reports/", reports.reports, "reports"),
    route("reports/<int:report_id>/", reports.report, "report"),
    route("reports/<int:report_id>/raw/", reports.report_raw, "report-raw"),
    route("reports/<int:report_id>/replay/", reports.report_replay, "report-replay"),
    route("reports/<int:report_id>/assign/", reports.report_assign, "report-assign"),
    route("set-aside/", reports.set_aside, "set-aside"),
    route("set-aside/dismiss/", reports.set_aside_dismiss, "set-aside-dismiss"),
    route("set-aside/<int:row_id>/", reports.set_aside_row, "set-aside-row"),
    route("set-aside/<int:row_id>/edit/", reports.set_aside_edit, "set-aside-edit"),
    route("events/", events.events, "events"),
    route("events/<str:day>/<str:key>/", events.event, "event"),
    route("constituents/", constituents.constituents, "constituents"),
    route("constituents/import/", constituents.import_start, "import"),
    route("constituents/import/preview/", constituents.import_preview, "import-preview"),
    route("constituents/import/apply/", constituents.import_apply, "import-apply"),
    route("constituents/import/<int:import_id>/undo/", constituents.import_undo, "import-undo"),
    route("constituents/<int:organization_id>/", constituents.constituent, "constituent"),
    route("notices/", notices.notices, "notices"),
    route("notices/preview/", notices.notice_preview, "notice-preview"),
    route("notices/send/", notices.notice_send, "notice-send"),
    route(
        "notices/send/<int:organization_id>/",
        notices.notice_send_now,
        "notice-send-now",
    ),
    route("notices/<int:notice_id>/", notices.notice, "notice"),
    route("letters/", letters.letters, "letters"),
    route("letters/<uuid:letter_id>/", letters.letter, "letter"),
    route("letters/<uuid:letter_id>/raw/", letters.letter_raw, "letter-raw"),
    route(
        "letters/<uuid:letter_id>/attachments/<int:number>/",
        letters.letter_attachment,
        "letter-attachment",
    ),
    route("letters/<uuid:letter_id>/resolve/", letters.letter_resolve, "letter-resolve"),
    route("feeds/", feeds.feeds, "feeds"),
    route("jobs/", jobs.jobs, "jobs"),
    route("jobs/<int:job_id>/retry/", jobs.job_retry, "job-retry"),
    route("jobs/<int:job_id>/cancel/", jobs.job_cancel, "job-cancel"),
    route("audit/", audit.audit, "audit"),
    route("audit/verify/", audit.audit_verify, "audit-verify"),
    route("rulebook/", rulebook.rulebook, "rulebook"),
]
