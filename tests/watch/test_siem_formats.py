"""An event is one record in every format, whatever it is called, and says what its OCSF class must say."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.watch import ENCODERS, Seen, cef_of, frame, ocsf_of, syslog_of
from sealwright.watch.siem import ocsf

# What each class requires beyond the base event: schema.ocsf.io 1.8.0 (Apache-2.0), "required", and one of "at_least_one".
REQUIRED = {
    3001: ({"user"}, set()),
    3002: ({"user"}, {"service", "dst_endpoint"}),
    3004: ({"entity"}, set()),
    3005: ({"user"}, set()),
    6002: ({"app"}, set()),
    6003: ({"actor", "api", "src_endpoint"}, set()),
    6005: ({"actor", "src_endpoint"}, {"database", "databucket", "table"}),
    2004: ({"finding_info"}, set()),
}
BASE = {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"}
HOSTILE = [
    "a|b",
    "a=b",
    "a\\b",
    "a\nb",
    "a\r\nCEF:0|x",
    "]b",
    'a"b',
    "\x1b[31m",
    "\u202eabc",
    "a\x00b",
    "\u2028x",
    "x" * 1_000_000,
]


def seen(**said: object) -> Seen:
    usual = {
        "origin": "sealwright/ws_1/ledger", "index": 7, "at": datetime(2026, 11, 26, 9, 30, 0, 123000, tzinfo=UTC), "action": "login",
        "outcome": "done", "actor": "sub_" + "0" * 32, "subject": "sha256:" + "1" * 64, "reason": "", "source": "", "request": "",
        "policies": (), "detail": {},
    }  # fmt: skip
    return Seen(**(usual | said))  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [*ocsf._TABLE, "project.run", "data.whatever", "people.enrol"])
@pytest.mark.parametrize("outcome", ["done", "refused", "failed"])
def test_every_action_has_what_its_ocsf_class_requires(action: str, outcome: str) -> None:
    for source in ("", "sub_1"):
        event = ocsf_of(seen(action=action, outcome=outcome, actor="", subject="", source=source))
        needed, one_of = REQUIRED[event["class_uid"]]
        assert not (BASE | needed) - event.keys()
        assert not one_of or one_of & event.keys()
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000
        assert (event["status_id"] == 1) is (outcome == "done")
        assert event["activity_id"] != 99 or event["activity_name"]
        json.dumps(event, allow_nan=False)


def test_time_is_milliseconds_and_the_uid_names_the_event_for_ever() -> None:
    event = ocsf_of(seen(request="req_1", reason="identity.wrong_password"))
    assert event["time"] == 1795685400123
    assert event["metadata"]["uid"] == "sealwright/ws_1/ledger/7"
    assert event["metadata"]["correlation_uid"] == "req_1"
    assert event["status_detail"] == "identity.wrong_password"


def test_a_refusal_is_never_merely_informational() -> None:
    assert ocsf_of(seen(outcome="refused"))["severity_id"] > ocsf_of(seen())["severity_id"]
    assert ocsf_of(seen(action="alert.raise", detail={"severity": "critical"}))["severity_id"] == 5


def test_cef_is_what_arcsight_documents() -> None:
    line = cef_of(
        seen(action="model.promote", outcome="refused", reason="permission.denied", source="sub_2", policies=("a", "b"))
    )
    head, extension = re.fullmatch(
        r"(CEF:0\|Sealwright\|sealwright\|[^|]+\|model\.promote\|model\.promote refused\|3)\|(.*)", line
    ).groups()
    assert head
    assert "outcome=failure reason=permission.denied" in extension
    assert "cs4=a,b" in extension


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_one_record_in_every_format_t31(text: str) -> None:
    event = seen(reason=text, actor=text, subject=text, request=text, source=text)
    line = cef_of(event)
    assert len(line.splitlines()) == 1
    named = cef_of(seen(action=text))
    assert len(named.splitlines()) == 1
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", named.split("|rt=")[0])) == 6  # nothing begins another header field
    assert len(re.findall(r"(?<!\\)=", line)) == len(re.findall(r"(?:^|\s|\|)[a-zA-Z0-9]+=", line))
    encoded = ENCODERS["ocsf"](event)
    assert "\n" not in encoded
    assert json.loads(encoded)["status_detail"] == text
    message = syslog_of(event, line, host=text)
    assert len(message.split(b"\xef\xbb\xbf", 1)[0].splitlines()) == 1


@given(st.text(max_size=200), st.text(max_size=80))
def test_a_syslog_message_has_the_parts_of_rfc_5424_whatever_the_host_is_called(host: str, text: str) -> None:
    message = syslog_of(seen(), text, host=host)
    shape = rb'<(\d{1,3})>1 (\S+) (\S{1,255}) sealwright - (\S{1,32}) (\[meta sequenceId="\d+"\]\[origin [^\]]*\]) \xef\xbb\xbf(.*)'
    match = re.fullmatch(shape, message, re.DOTALL)
    assert match is not None
    assert match[1] == b"109"  # facility 13, severity 5
    assert match[2] == b"2026-11-26T09:30:00.123Z"
    assert match[6] == text.encode("utf-8", "replace")


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_frames_come_apart_as_they_were_put_together(messages: list[bytes]) -> None:
    data, found = b"".join(map(frame, messages)), []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)])
        data = data[int(length) :]
    assert found == messages
