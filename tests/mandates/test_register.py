"""The register remembers who was a CERT when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from muhafiz.accounts.rules import NotAllowed
from muhafiz.audit.queries import entries
from muhafiz.common.actor import Actor
from muhafiz.mandates import queries
from muhafiz.mandates.actions.register import (
    NoSuchCert,
    declare_operational,
    nominate_cert,
    note_cabinet_approval,
    note_notification,
    recommend_cert,
    revoke_cert,
    suspend_cert,
)
from muhafiz.mandates.rules import BadCert, CannotMove, Gazette, Readiness

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DIRECTOR = Actor(kind="person", identifier="1", name="D", roles=frozenset({"director"}))


@pytest.fixture
def power(db, now):
    return nominate_cert(
        kind="sectoral",
        sector="power",
        name_en="PowerCERT",
        name_ur="پاور سرٹ",
        effective_at=START,
        actor=DIRECTOR,
        now=now,
    )


def notify(cert_id, now):
    common = {"cert_id": cert_id, "actor": DIRECTOR, "now": now}
    recommend_cert(effective_at=START + DAY, **common)
    note_cabinet_approval(effective_at=START + 2 * DAY, **common)
    note_notification(
        gazette=Gazette("S.R.O. 7(I)/2025", date(2025, 1, 4)),
        effective_at=START + 3 * DAY,
        **common,
    )


def test_the_whole_way(power, now):
    notify(power, now)
    common = {"cert_id": power, "actor": DIRECTOR, "now": now}
    ready = Readiness("https://power.example/rfc2350", "AB" * 20, "+92-00", START + 3 * DAY)
    declare_operational(effective_at=START + 4 * DAY, readiness=ready, **common)
    suspend_cert(reason="no answer to two pings", effective_at=START + 5 * DAY, **common)
    declare_operational(effective_at=START + 6 * DAY, **common)
    revoke_cert(reason="merged", effective_at=START + 7 * DAY, **common)
    states = [queries.cert(power, at=START + n * DAY).state for n in range(8)]
    assert states == [
        "nominated",
        "recommended",
        "cabinet",
        "notified",
        "operational",
        "suspended",
        "operational",
        "revoked",
    ]
    powers = [queries.may_act_as_sectoral(power, at=START + n * DAY) for n in range(8)]
    assert powers == [False, False, False, True, True, False, True, False]
    assert queries.cert(power, at=now).gazette_number == "S.R.O. 7(I)/2025"
    assert len(entries(subject=f"cert:{power}")) == len(queries.steps(power)) == 8


def test_before_its_nomination_it_was_nothing(power):
    assert queries.cert(power, at=START - DAY) is None
    assert queries.certs(START - DAY) == []
    assert not queries.may_act_as_sectoral(power, at=START - DAY)
    assert not queries.may_act_as_sectoral(999, at=START)


def test_a_step_too_early_leaves_everything_as_it_was(power, now):
    gazette = Gazette("1", date(2025, 1, 1))
    with pytest.raises(CannotMove, match="PowerCERT cannot become notified: it is nominated"):
        note_notification(
            cert_id=power, gazette=gazette, effective_at=START, actor=DIRECTOR, now=now
        )
    assert len(queries.steps(power)) == 1


def test_one_organization_may_fill_several_roles(db, now):
    for kind in ("national", "government", "cii"):
        nominate_cert(kind=kind, name_en="PKCERT", organization_id=3, actor=DIRECTOR, now=now)
    assert {cert.kind for cert in queries.certs(now)} == {"national", "government", "cii"}
    assert {cert.organization_id for cert in queries.certs(now)} == {3}


def test_certs_are_found_by_kind_sector_and_state_at_one_cost(
    power, now, django_assert_num_queries
):
    notify(power, now)
    with django_assert_num_queries(2):
        queries.certs(now)
    for name in ("A", "B"):
        nominate_cert(kind="sectoral", sector="telecom", name_en=name, actor=DIRECTOR, now=now)
    with django_assert_num_queries(2):
        assert [cert.name_en for cert in queries.certs(now)] == ["A", "B", "PowerCERT"]
    assert [cert.id for cert in queries.certs(now, state="notified")] == [power]
    assert [cert.id for cert in queries.certs(now, sector="power", kind="sectoral")] == [power]


@pytest.mark.parametrize("role", ["administrator", "duty_officer", "auditor", "council_member"])
def test_who_may_not_touch_the_register(power, now, role):
    actor = Actor(kind="person", identifier="2", name="X", roles=frozenset({role}))
    with pytest.raises(NotAllowed):
        recommend_cert(cert_id=power, effective_at=START + DAY, actor=actor, now=now)
    with pytest.raises(NotAllowed):
        nominate_cert(kind="national", name_en="X", actor=actor, now=now)


def test_what_is_not_there_cannot_move(db, now):
    with pytest.raises(NoSuchCert):
        recommend_cert(cert_id=5, effective_at=START, actor=DIRECTOR, now=now)
    with pytest.raises(BadCert):
        nominate_cert(kind="sectoral", name_en="X", actor=DIRECTOR, now=now)
