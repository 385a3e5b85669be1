"""Personal data in one text: found where it stands, left alone where it only looks like it, whatever the spelling."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sealwright.data.personal import find_in_text, mask_text

FOUND = [
    ("email", "write to anna.li+shop@mail.example.co.uk please", "anna.li+shop@mail.example.co.uk"),
    ("email", "anna (at) example (dot) org", "anna (at) example (dot) org"),
    ("phone", "call +49 30 12345678 today", "+49 30 12345678"),
    ("phone", "Tel. 030 12345678", "030 12345678"),
    ("phone", "my number is (415) 555-2671 ext. 12", "(415) 555-2671 ext. 12"),
    ("phone", "tél 06 12 34 56 78", "06 12 34 56 78"),
    ("phone", "ring 07911 123456", "07911 123456"),
    ("iban", "IBAN DE89 3704 0044 0532 0130 00 ok", "DE89 3704 0044 0532 0130 00"),
    ("iban", "to gb82west12345698765432.", "gb82west12345698765432"),
    ("ip_address", "from 84.17.33.201 at noon", "84.17.33.201"),
    ("ip_address", "from 2001:db8:0:1:1:1:1:1 at noon", "2001:db8:0:1:1:1:1:1"),
    ("mac_address", "device 00:1A:2b:3C:4d:5E", "00:1A:2b:3C:4d:5E"),
    ("url_credentials", "see https://ann:pw@shop.example.com/a", "https://ann:pw@shop.example.com"),
    ("coordinates", "gps 52.52001, 13.40495", "52.52001, 13.40495"),
    ("birth_date", "born on 12 March 1985 in", "12 march 1985"),
    ("birth_date", "geboren am 12.03.1985.", "12.03.1985"),
    ("birth_date", "née le 3 août 1990", "3 août 1990"),
    ("address", "at 742 Evergreen Terrace, Springfield, IL 62704", "742 Evergreen Terrace, Springfield, IL 62704"),
    ("address", "Lindenstraße 12a, 10115 Berlin", "Lindenstraße 12a, 10115 Berlin"),
    ("address", "12 bis rue de la Paix, 75002 Paris", "12 bis rue de la Paix, 75002 Paris"),
    ("address", "Calle Mayor 5, 28013 Madrid", "Calle Mayor 5, 28013 Madrid"),
    ("address", "Via Roma 12, 00184 Roma", "Via Roma 12, 00184 Roma"),
    ("address", "Keizersgracht 174, 1016 DW Amsterdam", "Keizersgracht 174, 1016 DW Amsterdam"),
    ("address", "ul. Marszałkowska 10/12, 00-590 Warszawa", "ul. Marszałkowska 10/12, 00-590 Warszawa"),
    ("address", "Rua das Flores, 123", "Rua das Flores, 123"),
    ("person_name", "Dear Mrs. van der Berg,", "Berg"),
    ("person_name", "my name is Xylia Quorn.", "Xylia Quorn"),
    ("person_name", "Mein Name ist Jürgen Müller-Lüdenscheidt", "Jürgen Müller-Lüdenscheidt"),
    ("person_name", "spoke with Katarzyna Nowak today", "Katarzyna Nowak"),
    ("person_name", "Quorn, mail: xylia.quorn@example.org", "Quorn"),
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND, ids=[f"{kind}: {value}" for kind, _, value in FOUND])
def test_what_a_person_would_mark_is_found_whole(kind: str, text: str, value: str) -> None:
    spans = [span for span in find_in_text(text) if span.kind == kind]
    assert [text[span.start : span.end].lower() for span in spans] == [value.lower()]


@pytest.mark.parametrize(
    "text",
    [
        "order 2024-01-02 12:30:00 no 123456789012",
        "price 1.234.567,89 EUR or 12,345.67",
        "version 1.2.3.4 of the firmware",
        "ISBN 978-3-16-148410-0",
        "logo@2x.png and user@localhost",
        "part no. AB-1234-5678-CD",
        "tracking 1Z999AA10123456784",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "from 127.0.0.1 and 0.0.0.0 with mask 255.255.255.0",
        "The Customer Service of Deutsche Bank is open on Monday Morning.",
        "meeting 12.03.2025, 10:00-11:30, room 4.12",
        "12 apples on the way, 3 days",
        "uuid 550e8400-e29b-41d4-a716-446655440000",
        "lot 20240102-000123, qty 15,000, 99.95 %",
        "the ratio was 0.1234, 0.5678",
        "4111111111111112",
        "DE89 3704 0044 0532 0130 01",
        "",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert find_in_text(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "email"),
        ("anna﹫example.com", "email"),
        ("an\u200bna@exam\u00adple.com", "email"),
        ("4\u200b111 1111\u2060 1111 1111", "card"),
        ("4111\u00a01111\u202f1111\u20031111", "card"),
        ("4111‑1111‑1111‑1111", "card"),
        ("card ٤١١١١١١١١١١١١١١١", "card"),
        ("card ４１１１１１１１１１１１１１１１", "card"),
        ("4111 1111\x00 1111 1111", "card"),
        ("card 𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", "card"),
        ("DE89\ufeff370400440532013000", "iban"),
        ("tel ＋４９ ３０ １２３４５６７８", "phone"),
    ],
)
def test_disguises_a_person_would_not_notice_do_not_help(text: str, kind: str) -> None:
    (span,) = find_in_text(text)
    assert span.kind == kind
    assert mask_text(text)[0].endswith(f"[{kind.upper()}]")
    assert not any(c.isdigit() for c in mask_text(text)[0])


def test_masking_leaves_the_rest_as_it_was() -> None:
    masked, spans = mask_text("Hi Bob\u200b, mail anna@example.com or call +49 30 12345678!")
    assert masked == "Hi Bob\u200b, mail [EMAIL] or call [PHONE]!"
    assert [span.kind for span in spans] == ["email", "phone"]


def test_a_name_of_letters_alone_is_not_looked_for_where_it_is_not_wanted() -> None:
    text = "Dear Mr Smith, anna@example.com"
    assert {span.kind for span in find_in_text(text, kinds=("email",))} == {"email"}


@given(st.text())
@example("\ud800 4111 1111 1111 1111")
@example("İ 4111 1111 1111 1111 İ")
@example("@" * 50)
def test_spans_are_in_order_apart_and_inside_whatever_the_text(text: str) -> None:
    spans = find_in_text(text, at_least="low")
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_address_between_spaces_is_found_whatever_stands_around(before: str, after: str) -> None:
    text = f"{before} \n anna.li@example.com \n {after}"
    place = len(before) + 3
    assert any(span.start <= place and span.end >= place + 19 for span in find_in_text(text))


@given(st.text())
def test_masked_twice_is_masked_once_for_addresses(text: str) -> None:
    once, _ = mask_text(f"{text} anna@example.com", kinds=("email",))
    again, spans = mask_text(once, kinds=("email",))
    assert (again, spans) == (once, [])
