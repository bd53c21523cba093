"""What senders really deliver: shapes that once were misread, or lost."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from muhafiz.feeds.sources import ParseContext, recognize, source_named
from muhafiz.feeds.sources.shadowserver import mapping_of, mappings, report_type

if TYPE_CHECKING:
    from muhafiz.feeds.sources import ParsedBatch

RECEIVED = datetime(2026, 11, 23, 9, tzinfo=UTC)
SEEN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def parse(name: str, raw: bytes, file_name: str = "x", **options: Any) -> ParsedBatch:
    context = ParseContext(file_name, RECEIVED, 1000, options)
    (batch,) = source_named(name).parse(io.BytesIO(raw), context)
    return batch


def only(name: str, raw: bytes, file_name: str = "x", **options: Any) -> dict[str, Any]:
    batch = parse(name, raw, file_name, **options)
    assert batch.set_aside.to_pylist() == []
    (event,) = batch.events.to_pylist()
    return event


def lines(*objects: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


# n6


def test_each_address_of_a_name_is_told_to_its_owner_but_no_event_grows_without_bound() -> None:
    event = {
        "time": "2026-11-22T08:00:00Z",
        "source": "a.b",
        "category": "cnc",
        "fqdn": "c.example",
    }
    for count, told in ((0, 1), (1, 1), (2, 2), (32, 32), (33, 1)):
        addresses = [{"ip": f"192.0.2.{at}", "cc": "PK"} for at in range(1, count + 1)]
        batch = parse("n6", lines({**event, "address": addresses}))
        found = [str(each["source_ip"]) for each in batch.events.to_pylist()]
        assert found == ([f"192.0.2.{at}" for at in range(1, told + 1)] if count else ["None"])


# Shadowserver


def shadowserver(kind: str, header: str, row: str) -> dict[str, Any]:
    raw = f"{header}\n{row}\n".encode()
    name = f"2026-11-22-{kind}-123-pakistan_national-asn.csv"
    found = recognize(name, raw)
    assert found is not None
    assert found.name == "shadowserver"
    return only("shadowserver", raw, name)


def test_the_site_that_refers_to_a_sinkhole_is_told_and_not_its_visitor() -> None:
    event = shadowserver(
        "event4_sinkhole_http_referer",
        "timestamp,protocol,http_referer_ip,http_referer_port,http_referer_asn,http_referer_geo,"
        "http_referer_hostname,severity,dst_ip,src_ip,http_url,http_host,http_referer",
        "2026-11-22 08:00:00,tcp,,80,64500,PK,,critical,203.0.113.1,198.51.100.9,"
        "GET /a?b HTTP/1.1,sinkhole.example.net,http://shop.example.org/x",
    )
    assert event["source_ip"] is None
    assert (event["source_fqdn"], event["source_asn"]) == ("shop.example.org", 64500)
    assert event["destination_url"] == "http://sinkhole.example.net/a?b"


def test_ipv6_reports_are_read_like_their_twins() -> None:
    for code, twin in (
        ("event6_sinkhole_http_referer", "event4_sinkhole_http_referer"),
        ("scan6_telnet", "scan_telnet"),
        ("population6_bgp", "population_bgp"),
        ("device_id6", "device_id"),
        ("compromised_website6", "compromised_website"),
    ):
        assert mapping_of(code, {})[1] == mappings()[twin]
    assert mapping_of("brand_new6", {})[1].identifier == "brand-new6"


def test_the_target_of_a_ddos_is_told_and_never_its_commander() -> None:
    event = shadowserver(
        "event4_honeypot_ddos_target",
        "timestamp,dst_ip,dst_asn,src_ip,src_asn,infection",
        "2026-11-22 08:00:00,,64500,198.51.100.9,64501,mirai",
    )
    assert (event["source_ip"], event["source_asn"]) == (None, 64500)


def test_of_a_url_in_spam_its_host_is_told_and_not_who_sent_the_mail() -> None:
    event = shadowserver(
        "spam_url",
        "timestamp,url,hostname,ip,asn,geo,severity,port,src_ip,src_asn,src_geo",
        "2026-11-22 08:00:00,http://a.example.org/x,a.example.org,192.0.2.1,64500,PK,low,80,"
        "198.51.100.9,64501,US",
    )
    assert (event["source_ip"], event["source_asn"]) == ("192.0.2.1", 64500)
    assert event["source_geolocation_cc"] == "PK"


def test_an_account_belongs_to_its_mail_domain() -> None:
    event = shadowserver(
        "compromised_account",
        "timestamp,email,infection,source_url,public_source,status,tag,severity,service,username",
        "2026-11-22 08:00:00,jane@bank.example.com,redline,https://vpn.example.net/,,,stealer,"
        "critical,vpn,jane",
    )
    assert event["source_fqdn"] == "bank.example.com"
    assert event["source_account"] == "jane@bank.example.com"
    assert event["malware_name"] == "redline"


def test_a_victim_of_ransomware_is_found_by_its_website() -> None:
    header = "timestamp,entity_name,website,geo,region,sector,date_published,ransomware,severity"
    for website in ("www.example.org", "https://www.example.org/"):
        event = shadowserver(
            "ransomware_victim",
            header,
            f"2026-11-22 08:00:00,Example,{website},PK,,,2026-11-21,lock,critical",
        )
        assert (event["source_fqdn"], event["malware_name"]) == ("www.example.org", "lock")


def test_who_lets_spoofed_packets_out_has_no_malware() -> None:
    event = shadowserver(
        "event4_ip_spoofer",
        "timestamp,src_ip,src_asn,src_geo,infection,family",
        "2026-11-22 08:00:00,192.0.2.1,64500,PK,ip-spoofer,",
    )
    assert event["malware_name"] is None


def test_the_family_speaks_where_the_infection_is_silent() -> None:
    raw = b"timestamp,src_ip,infection,family\n2026-11-22 08:00:00,192.0.2.1,,mirai\n"
    raw += b"2026-11-22 08:00:00,192.0.2.2,gafgyt,mirai\n"
    batch = parse("shadowserver", raw, "2026-11-22-event4_sinkhole-pk.csv")
    assert batch.events["malware_name"].to_pylist() == ["mirai", "gafgyt"]


def test_a_webshell_on_an_exchange_server_is_a_compromise() -> None:
    header = "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo,url"
    found = [
        shadowserver(
            "scan_exchange",
            header,
            f"2026-11-22 08:00:00,,192.0.2.1,tcp,443,m.example.org,{tag},,,/x",
        )
        for tag in ("exchange;webshell", "exchange;eol")
    ]
    assert [each["classification_type"] for each in found] == [
        "system-compromise",
        "vulnerable-system",
    ]
    assert found[0]["source_url"] == "http://m.example.org/x"


def test_an_address_of_the_other_side_that_cannot_be_read_accuses_nobody_less() -> None:
    event = shadowserver(
        "event4_sinkhole",
        "timestamp,src_ip,src_asn,src_geo,dst_ip,dst_port,infection",
        "2026-11-22 08:00:00,192.0.2.1,64500,PK,203.0.113.xxx,many,mirai",
    )
    assert (event["source_ip"], event["destination_ip"]) == ("192.0.2.1", None)
    extra = json.loads(event["extra"])
    assert (extra["destination_ip_given"], extra["destination_port_given"]) == (
        "203.0.113.xxx",
        "many",
    )


def test_marks_escaped_by_strokes_are_read() -> None:
    raw = b"timestamp,ip,proxy_authenticate,asn\n"
    raw += b'"2026-11-22 08:00:00",192.0.2.1,"Basic realm=\\"\\"Squid, inc\\"\\"",64500\n'
    event = only("shadowserver", raw, "2026-11-22-population_http_proxy-pk.csv")
    assert json.loads(event["extra"]) == {"proxy_authenticate": 'Basic realm=""Squid, inc""'}
    broken = raw.replace(b",64500", b",64500,more")
    batch = parse("shadowserver", broken, "2026-11-22-population_http_proxy-pk.csv")
    assert batch.set_aside["reason"].to_pylist() == ["quote"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2024-07-04-dns_openresolver-123-sample-asn.csv", "dns_openresolver"),
        ("2026-11-22-scan_http-v1.2-sample-geo.csv", "scan_http"),
        ("2026-11-22-scan_http-sample (1).csv", "scan_http"),
    ],
)
def test_the_report_type_is_found_in_every_writing_of_the_name(name: str, expected: str) -> None:
    assert report_type(name) == expected


def test_a_list_of_somebody_else_is_not_taken_for_a_report_of_shadowserver() -> None:
    raw = b"timestamp,ip,port\n2026-11-22 08:00:00,192.0.2.1,80\n"
    found = recognize("partner.csv", raw)
    assert found is not None
    assert found.name == "generic"


# JSON


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        (lambda raw: b"\xef\xbb\xbf" + raw, "a mark"),
        (lambda raw: raw.decode().encode("utf-16"), "UTF-16"),
        (lambda raw: raw.decode().encode("utf-16-le"), "UTF-16 without a mark"),
        (lambda raw: b'2.0.2.1","proto":"TCP"}\n' + raw, "a line cut in two"),
    ],
)
def test_json_is_recognized_however_it_begins(encoded: Any, name: str) -> None:
    alert = {"timestamp": "2026-11-22T08:00:00+0000", "event_type": "alert", "flow_id": 1}
    raw = encoded(lines({**alert, "src_ip": "192.0.2.1", "alert": {"signature": "x"}}))
    found = recognize("eve.json", raw)
    assert found is not None, name
    assert found.name == "suricata"
    assert parse("suricata", raw).events["source_ip"].to_pylist() == ["192.0.2.1"]


def test_the_url_of_an_alert_is_whole() -> None:
    alert = {
        "timestamp": "2026-11-22T13:00:00.000000+0500", "event_type": "alert",
        "src_ip": "192.0.2.1", "dest_ip": "198.51.100.1", "proto": "TCP", "app_proto": "http",
        "alert": {"signature": "x", "severity": 1}, "http": {"hostname": "b.example.org", "url": "/a?b"},
    }  # fmt: skip
    event = only("suricata", lines(alert))
    assert event["destination_url"] == "http://b.example.org/a?b"
    assert event["time_source"] == SEEN


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ids alert", "ids-alert"), ("botnet drone", "infected-system"), ("leak", "data-leak"),
        ("vulnerable client", "vulnerable-system"), ("malware_controller", "c2-server"),
        ("unauthorized-login", "unprivileged-account-compromise"),
    ],
)  # fmt: skip
def test_the_words_of_older_intelmq_are_known(word: str, kind: str) -> None:
    event = only("intelmq", lines({"classification.type": word, "source.ip": "192.0.2.1"}))
    assert event["classification_type"] == kind


def test_an_event_of_intelmq_without_a_time_has_that_of_its_observation() -> None:
    old = "2026-10-01T00:00:00+00:00"
    event = only("intelmq", lines({"source.ip": "192.0.2.1", "time.observation": old}))
    assert event["time_source"] == datetime(2026, 10, 1, tzinfo=UTC)
    both = {
        "source.ip": "192.0.2.1",
        "time.source": "2026-11-22T08:00:00Z",
        "time.observation": old,
    }
    assert only("intelmq", lines(both))["time_source"] == SEEN


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "timestamp": "1795334400", "to_ids": True, **more}


def test_misp_events_line_by_line_and_as_a_search_answers() -> None:
    event = {
        "info": "A kit",
        "Orgc": {"name": "CIRCL"},
        "Attribute": [attribute("ip-dst", "192.0.2.1")],
    }
    raw = lines({"Event": event}, {"Event": event})
    assert parse("misp", raw).events["feed_name"].to_pylist() == ["A kit", "A kit"]
    own = {"info": "Own", "Orgc": {"name": "X"}}
    found = {"response": {"Attribute": [attribute("domain", "a.example.org", Event=own)]}}
    told = only("misp", json.dumps(found).encode())
    assert (told["feed_name"], told["feed_provider"]) == ("Own", "X")
    assert "Event" not in json.loads(told["extra"])


def test_a_misp_attribute_without_a_time_has_its_events_day() -> None:
    bare = {"type": "ip-src", "value": "192.0.2.1"}
    raw = json.dumps({"Event": {"info": "x", "date": "2026-11-20", "Attribute": [bare]}}).encode()
    assert only("misp", raw)["time_source"] == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "address", "name"),
    [
        ("domain", "evil[.]example[.]com", None, "evil.example.com"),
        ("url", "hxxps://evil[.]example[.]com/a", None, "evil.example.com"),
        ("ip-dst", "192[.]0[.]2[.]1", "192.0.2.1", None),
        ("ip-src", "192.0.2.1/32", "192.0.2.1", None),
        ("ip-src|port", "[2001:db8::1]:443", "2001:db8::1", None),
        ("url", "http://192.0.2.1:8080/a", "192.0.2.1", None),
        ("url", "http://[2001:db8::1]/a", "2001:db8::1", None),
        ("url", "http://bank.example.com@192.0.2.1/", "192.0.2.1", None),
    ],
)
def test_an_indicator_is_read_as_people_write_it(
    kind: str, value: str, address: str | None, name: str | None
) -> None:
    raw = json.dumps({"Event": {"info": "x", "Attribute": [attribute(kind, value)]}}).encode()
    event = only("misp", raw)
    assert (event["source_ip"], event["source_fqdn"]) == (address, name)
    assert (event["source_address"] is None) == (address is None)


@pytest.mark.parametrize(
    "value", ["192.0.2.0/24", "0.0.0.0/32", "010.1.1.1", "[.]", "192.0.2.1:99"]
)
def test_what_names_no_host_is_still_none(value: str) -> None:
    raw = json.dumps({"Event": {"info": "x", "Attribute": [attribute("ip-dst", value)]}}).encode()
    assert parse("misp", raw).set_aside["reason"].to_pylist() == ["address"]


def test_an_early_xarf_report_says_class() -> None:
    report = {
        "xarf_version": "4.0.0", "source_identifier": "192.0.2.1", "class": "messaging",
        "type": "spam", "protocol": "smtp",
    }  # fmt: skip
    event = only("xarf", json.dumps(report).encode())
    assert (event["classification_type"], event["protocol_transport"]) == ("spam", None)
    assert event["protocol_application"] == "smtp"


# Zeek

NOTICES = (
    "#separator \\x09\n#path\tnotice\n"
    "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tnote\tsrc\tdst\tp\n"
)


def test_whose_certificate_is_weak_is_told_and_not_who_visited_it() -> None:
    row = "1795334400.0\t198.51.100.9\t50000\t192.0.2.1\t443\ttcp\tSSL::Weak_Key\t{}\t{}\t{}\n"
    for sides in (("198.51.100.9", "192.0.2.1", "443"), ("-", "-", "-")):
        event = only("zeek", (NOTICES + row.format(*sides)).encode())
        assert (event["source_ip"], event["destination_ip"]) == ("192.0.2.1", "198.51.100.9")
        assert (event["source_port"], event["classification_type"]) == (443, "weak-crypto")
    told = {
        "ts": 1795334400.0, "note": "SSL::Weak_Key", "id.orig_h": "198.51.100.9",
        "id.resp_h": "192.0.2.1", "id.resp_p": 443, "src": "198.51.100.9", "dst": "192.0.2.1",
    }  # fmt: skip
    event = only("zeek", lines(told))
    assert (event["source_ip"], event["source_port"]) == ("192.0.2.1", 443)


def test_a_notice_that_names_its_source_only_by_the_connection() -> None:
    row = "1795334400.0\t192.0.2.1\t50000\t198.51.100.9\t22\ttcp\tSSH::Password_Guessing\t-\t-\t-\n"
    event = only("zeek", (NOTICES + row).encode())
    assert (event["source_ip"], event["destination_port"]) == ("192.0.2.1", 22)


def test_connections_are_no_notices() -> None:
    """Each used to become an alert of the owner's network."""
    raw = NOTICES.replace("notice", "conn").replace("\tnote", "\tservice")
    raw += "1795334400.0\t192.0.2.1\t1\t198.51.100.9\t22\ttcp\tssh\t-\t-\t-\n"
    assert recognize("conn.log", raw.encode()) is None
    batch = parse("zeek", raw.encode())
    assert batch.events.num_rows == 0
    assert batch.set_aside["detail"].to_pylist() == ["Zeek's log “conn” is not read"]
    mixed = lines(
        {"_path": "conn", "ts": 1795334400.0, "id.orig_h": "192.0.2.1"},
        {"_path": "notice", "ts": 1795334400.0, "note": "Scan::Port_Scan", "src": "192.0.2.2"},
    )
    assert only("zeek", mixed)["source_ip"] == "192.0.2.2"
    nameless = lines({"ts": 1795334400.0, "id.orig_h": "192.0.2.1", "conn_state": "SF"})
    assert parse("zeek", nameless).set_aside["column"].to_pylist() == ["note"]


def test_oddities_are_kept_and_accuse_nobody() -> None:
    raw = "#separator \\x09\n#path\tweird\n#fields\tts\tid.orig_h\tname\tnotice\n"
    raw += "1795334400.0\t192.0.2.1\tbad_TCP_checksum\tF\n"
    told = lines(
        {"ts": 1795334400.0, "id.orig_h": "192.0.2.1", "name": "bad_TCP_checksum", "notice": False}
    )
    for found in (raw.encode(), told):
        event = only("zeek", found, "weird.log")
        assert (event["classification_type"], event["severity"]) == ("other", "info")
        assert event["classification_identifier"] == "bad_TCP_checksum"
        assert getattr(recognize("weird.log", found), "name", None) == "zeek"


# Any delimited text


def test_comments_are_no_rows_and_may_name_the_columns() -> None:
    raw = (
        b"# List of example.org\n#\n# seen_utc,source_ip,port\n2026-11-22 08:00:00,192.0.2.1,443\n"
    )
    raw += b"# END 1 entry\n"
    event = only("generic", raw)
    assert (event["source_ip"], event["source_port"], event["row"]) == ("192.0.2.1", 443, 1)
    assert event["time_source"] == SEEN


def test_the_first_row_of_a_bare_list_is_no_header() -> None:
    for raw in (
        b"a.example.org\nb.example.org\n",
        b"hxxp://a[.]example[.]org/x\nhttp://b.example.org/\n",
    ):
        batch = parse("generic", raw)
        assert batch.events["source_fqdn"].to_pylist() == ["a.example.org", "b.example.org"]


def test_what_spreadsheets_tell_each_other_is_no_row() -> None:
    assert only("generic", b"sep=;\nip;note\n192.0.2.1;a,b\n")["source_ip"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("22.11.2026 08:00", "%d.%m.%Y %H:%M"), ("22/11/2026 08:00:00", "%d/%m/%Y %H:%M:%S"),
        ("11/22/2026 08:00:00 AM", "%m/%d/%Y %I:%M:%S %p"), ("1795334400000", None),
        ("22/Nov/2026:13:00:00 +0500", "%d/%b/%Y:%H:%M:%S %z"), ("1795334400000000000", None),
        ("Sun, 22 Nov 2026 08:00:00 GMT", "%a, %d %b %Y %H:%M:%S GMT"),
    ],
)  # fmt: skip
def test_a_form_of_time_is_guessed_where_only_one_fits(text: str, form: str | None) -> None:
    from muhafiz.feeds.sources.generic import guess_mapping

    raw = f'ip;when\n192.0.2.1;"{text}"\n'.encode()
    assert guess_mapping(raw).mapping.get("time_format") == (None if form is None else [form])
    assert only("generic", raw)["time_source"] == SEEN


def test_day_and_month_are_not_guessed_where_either_could_be() -> None:
    event = only("generic", b"ip;when\n192.0.2.1;03/04/2026 08:00\n")
    assert event["time_source"] is None
    assert json.loads(event["extra"]) == {"when": "03/04/2026 08:00"}


def test_a_mapping_knows_the_zone_of_times_without_one() -> None:
    mapping = {"map": {"source_ip": "ip", "time_source": "when"}, "time_zone": "Asia/Karachi"}
    for text in ("2026-11-22 13:00:00", "2026-11-22T08:00:00Z", "1795334400"):
        raw = f"ip,when\n192.0.2.1,{text}\n".encode()
        assert only("generic", raw, mapping=mapping)["time_source"] == SEEN
    form = {**mapping, "time_format": ["%d.%m.%Y", "%d.%m.%Y %H:%M"]}
    assert (
        only("generic", b"ip,when\n192.0.2.1,22.11.2026 13:00\n", mapping=form)["time_source"]
        == SEEN
    )
    wrong = parse("generic", b"ip,when\n192.0.2.1,tomorrow\n", mapping=form)
    assert wrong.set_aside["column"].to_pylist() == ["when"]


def test_a_name_that_is_an_address_is_an_address() -> None:
    mapping = {"map": {"source_fqdn": "host"}}
    batch = parse(
        "generic", b"host\n192.0.2.1\na.example.org\na.example.org:8080\n", mapping=mapping
    )
    assert batch.events["source_ip"].to_pylist() == ["192.0.2.1", None, None]
    assert batch.events["source_fqdn"].to_pylist() == [None, "a.example.org", "a.example.org"]
