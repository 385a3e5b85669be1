"""An entry has one spelling, and what is read back is exactly what was recorded."""

import base64
import enum
import json
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of
from sealwright.trust import Entry
from sealwright.trust.ledger_entry import FIRST_PREVIOUS, entry_json, parse_line, prepare

AT = "2026-11-22T15:04:05.678Z"
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | TEXT
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1.0, 1e21, 1e-7, 123456789012345680000.0, 2.0**60, 5e-324])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
DETAILS = st.dictionaries(TEXT, VALUES, max_size=5)


def line_of(detail: dict[str, object], *, attachment: bytes | None = None, index: int = 7) -> bytes:
    item = prepare(Entry(action="a.b", subject="s", detail=detail, attachment=attachment, actor="ann"))
    return item.leaf(index, FIRST_PREVIOUS, AT) + item.line_end[:-1]


@given(VALUES)
def test_the_fast_encoder_writes_the_bytes_of_canonical_json(value: object) -> None:
    assert entry_json(value) == canonical_json(value)


@pytest.mark.parametrize(
    "value",
    [
        "".join(map(chr, range(0x80))),
        "\x7f\u2028\u2029\ufeff\ud7ff\ue000\U0001f600",
        "/\\\"'<>&",
        {"\U0001f600": 1, "\ufb33": 2},
    ],
)
def test_characters_that_encoders_disagree_about_are_written_canonically(value: object) -> None:
    assert entry_json(value) == canonical_json(value)


class _Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        b"x",
        {1, 2},
        datetime(2026, 1, 1, tzinfo=UTC),
        2**53,
        -(2**53),
        float("nan"),
        float("inf"),
        {1: 2},
        object(),
        [b"x"],
    ],
)
def test_what_json_lacks_is_refused_like_in_canonical_json(value: object) -> None:
    for encode in (entry_json, canonical_json):
        with pytest.raises(InvalidInput):
            encode(value)


def test_subclasses_and_other_mappings_take_the_general_way() -> None:
    assert entry_json({"c": _Colour.RED}) == b'{"c":1}'
    assert entry_json(MappingProxyType({"b": (1, 2), "a": MappingProxyType({})})) == b'{"a":{},"b":[1,2]}'


def test_half_a_surrogate_pair_and_bottomless_nesting_are_refused() -> None:
    for value in ("\ud800", {"\ud800": 1}, {"a": "\udc00"}, {"a": ["\ud83d", 1.5]}):
        with pytest.raises(InvalidInput):
            entry_json(value)
    deep: object = 1.5
    for _ in range(33):
        deep = [deep]
    with pytest.raises(InvalidInput, match="32 levels"):
        entry_json(deep)
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidInput, match="32 levels"):
        entry_json(loop)


@given(DETAILS, st.none() | st.binary(max_size=40), st.integers(0, 10**12))
def test_an_entry_reads_back_as_it_was_recorded(
    detail: dict[str, object], attachment: bytes | None, index: int
) -> None:
    line = line_of(detail, attachment=attachment, index=index)
    entry = parse_line(line, index)
    assert (entry.action, entry.subject, entry.actor, entry.at) == ("a.b", "s", "ann", AT)
    assert canonical_json(entry.detail) == canonical_json(detail)
    assert entry.attachment == attachment
    assert entry.sealed == (None if attachment is None else digest_of(attachment))
    fields = {
        "action": "a.b",
        "actor": "ann",
        "at": AT,
        "detail": detail,
        "i": index,
        "prev": FIRST_PREVIOUS,
        "subject": "s",
    }
    if attachment is not None:
        fields["sealed"] = digest_of(attachment)
    assert entry.leaf == canonical_json(fields)
    assert b"\n" not in line


LEAF = line_of({"n": 1, "deep": {"x": [1, "y"]}})


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff" + LEAF,
        b"\xef\xbb\xbf" + LEAF,
        LEAF + b" ",
        LEAF.replace(b'"i":7', b'"i": 7'),
        LEAF.replace(b'"i":7', b'"i":7.0'),
        LEAF.replace(b'"i":7', b'"i":07'),
        LEAF.replace(b'"i":7', b'"i":"7"'),
        LEAF.replace(b'"i":7', b'"i":true'),
        LEAF.replace(b'"n":1', b'"n":1e0'),
        LEAF.replace(b'"n":1', b'"n":NaN'),
        LEAF.replace(b'"n":1', b'"n":-0'),
        LEAF.replace(b'"n":1', b'"n":9007199254740993'),
        LEAF.replace(b'"n":1', b'"n":1,"n":1'),
        LEAF.replace(b"[1,", b"[9007199254740993,"),
        LEAF.replace(b"[1,", b"[1.0,"),
        LEAF.replace(b"[1,", b"[1,-9007199254740993,"),
        LEAF.replace(b'"y"', b'"\\u0079"'),
        LEAF.replace(b'"y"', b'"\\u00e9"'),
        LEAF.replace(b'"subject":"s"', b'"subject":"s","subject":"s"'),
        LEAF.replace(b'"subject":"s"', b'"subject":"s","zzz":1'),
        LEAF.replace(b'"subject":"s"', b'"subject":null'),
        LEAF.replace(b',"subject":"s"', b""),
        LEAF.replace(b'"action":"a.b"', b'"action":"A B"'),
        LEAF.replace(AT.encode(), b"2026-11-22T15:04:05Z"),
        LEAF.replace(FIRST_PREVIOUS.encode(), b"sha256:" + b"A" * 64),
        LEAF.replace(b'"subject":"s"', b'"sealed":null,"subject":"s"'),
        json.dumps(json.loads(LEAF)).encode(),
        b"[" * 100_000,
    ],
)
def test_any_other_spelling_of_an_entry_is_refused(leaf: bytes) -> None:
    assert parse_line(LEAF, 7).index == 7
    with pytest.raises(VerificationFailed) as caught:
        parse_line(leaf, 7)
    assert caught.value.link == "entry 7"


def test_keys_beyond_the_basic_plane_are_sorted_by_utf_16() -> None:
    wrong = LEAF.replace(b'{"deep":', '{"\ufb33":1,"\U0001f600":1,"deep":'.encode())
    assert parse_line(line_of({"\U0001f600": 1, "\ufb33": 2}), 7).detail == {"\U0001f600": 1, "\ufb33": 2}
    with pytest.raises(VerificationFailed):
        parse_line(wrong, 7)


def test_an_entry_knows_its_place() -> None:
    with pytest.raises(VerificationFailed, match="says it is entry 7"):
        parse_line(LEAF, 8)


def test_an_attachment_is_the_one_named_or_erased() -> None:
    line = line_of({}, attachment=b"hello")
    leaf, _, text = line.partition(b"\t")
    assert base64.b64decode(text) == b"hello"
    erased = parse_line(leaf + b"\terased", 7)
    assert (erased.attachment, erased.sealed) == (None, digest_of(b"hello"))
    bad = {
        leaf: "lost its attachment",
        leaf + b"\t": "another attachment",
        leaf + b"\t" + base64.b64encode(b"hellp"): "another attachment",
        leaf + b"\taGVsbG9=": "another attachment",  # the same bytes, spelled otherwise
        leaf + b"\t!!": "not base64",
        line + b"\tx": "not base64",
        LEAF + b"\t" + text: "does not name",
        LEAF + b"\terased": "does not name",
    }
    for changed, reason in bad.items():
        with pytest.raises(VerificationFailed, match=reason):
            parse_line(changed, 7)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_entry_or_refused_never_a_crash(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        parse_line(data, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "No Spaces"}, "action name"),
        ({"action": ""}, "action name"),
        ({"subject": "x" * 1001}, "subject"),
        ({"actor": "x" * 1001}, "actor"),
        ({"detail": {"x": "y" * 300_000}}, "at most"),
        ({"attachment": bytes((16 << 20) + 1)}, "attachment"),
    ],
)
def test_an_entry_out_of_bounds_is_refused_before_it_is_written(changes: dict[str, object], reason: str) -> None:
    good: dict[str, object] = {"action": "a", "subject": "s", "detail": {}}
    with pytest.raises(InvalidInput, match=reason):
        prepare(Entry(**{**good, **changes}))
