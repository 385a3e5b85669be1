"""Numbers with a rule: real ones pass, and a slip of the finger does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.personal import find_in_text
from sealwright.data.personal.checksums import iso7064_97, luhn, luhn_many, verhoeff
from sealwright.data.personal.detectors.card import RANGES, network_of

DIGITS = st.text("0123456789", min_size=2, max_size=18)

NATIONAL = {
    "us_ssn": "SSN: 536-22-1234",
    "uk_nino": "AB 12 34 56 C",
    "de_steuer_id": "Steuer-ID 86 095 742 719",
    "de_rvnr": "Rentenversicherung 15 070649 C 103",
    "fr_nir": "2 55 08 14 168 025 38",
    "es_dni": "DNI 12345678Z",
    "es_nie": "X1234567L",
    "it_cf": "RSSMRA85T10A562S",
    "nl_bsn": "BSN 111222333",
    "br_cpf": "529.982.247-25",
    "in_aadhaar": "Aadhaar 2341 2341 2346",
    "in_pan": "PAN ABCPD1234E",
    "pl_pesel": "PESEL 44051401458",
    "ch_ahv": "756.9217.0769.85",
    "be_nn": "85.07.30-033.28",
    "se_pnr": "personnummer 811218-9876",
    "no_fnr": "fødselsnummer 15076500565",
    "fi_hetu": "131052-308T",
    "cn_id": "11010519491231002X",
    "tr_tckn": "TC kimlik 10000000146",
    "uk_nhs": "NHS number 943 476 5919",
    "ca_sin": "SIN 130 692 544",
    "au_tfn": "TFN 123 456 782",
    "za_id": "ID 8001015009087",
    "pt_nif": "NIF 123456789",
    "mx_curp": "CURP GOMC900101HDFRRL09",
    "cz_rc": "736028/5163",
    "kr_rrn": "820101-1234567",
    "ro_cnp": "CNP 1800101221144",
    "at_svnr": "SVNR 1237 010180",
    "dk_cpr": "CPR 010180-1234",
}


@pytest.mark.parametrize(("scheme", "text"), NATIONAL.items())
def test_a_national_number_is_known_by_its_scheme(scheme: str, text: str) -> None:
    assert [(span.kind, span.scheme) for span in find_in_text(text)] == [("national_id", scheme)]


def test_every_scheme_has_an_example_here() -> None:
    from sealwright.data.personal.detectors.national_id import SCHEMES

    assert set(SCHEMES) == set(NATIONAL)


@pytest.mark.parametrize(
    "text",
    [
        "SSN 000-12-3456",
        "SSN 666-12-3456",
        "SSN 912-12-3456",
        "SSN 078-05-1120",
        "Steuer-ID 86 095 742 718",
        "RSSMRA85T10A562T",
        "529.982.247-26",
        "DNI 12345678A",
        "GB 12 34 56 C",
        "756.9217.0769.86",
        "BSN 111222334",
    ],
)
def test_a_number_that_was_never_issued_is_none(text: str) -> None:
    assert [span for span in find_in_text(text) if span.kind == "national_id"] == []


@pytest.mark.parametrize(
    "number",
    ["2221000000000009", "2720990000000007", "5555555555554444", "4111111111111111", "378282246310005", "6011111111111117",
     "3530111333300000", "30569309025904", "6200000000000005", "2200000000000004"],
)  # fmt: skip
def test_cards_of_every_network_are_found_alone_grouped_and_glued(number: str) -> None:
    grouped = " ".join(number[k : k + 4] for k in range(0, len(number), 4))
    for text in (
        f"card {number}",
        f"Karte: {number}.",
        f"card no. {grouped}",
        f"pay with visa {grouped.replace(' ', '-')}",
    ):
        assert [span.kind for span in find_in_text(text)] == ["card"], text


def test_the_second_series_of_mastercard_is_whole_and_ends() -> None:
    assert {network_of(f"{prefix}000000000000") for prefix in range(2221, 2721)} == {"mastercard"}
    assert network_of("2220990000000000") == ""
    assert network_of("2721000000000000") == ""


def test_luhn_of_many_is_luhn_of_each() -> None:
    numbers = np.random.default_rng(1).integers(10, 10**18, 500)
    assert luhn_many(numbers).tolist() == [luhn(str(number)) for number in numbers]


@given(DIGITS, st.data())
def test_one_wrong_digit_never_passes(digits: str, data: st.DataObject) -> None:
    for rule in (luhn, verhoeff):
        whole = next(digits + last for last in "0123456789" if rule(digits + last))
        place = data.draw(st.integers(0, len(whole) - 1))
        other = data.draw(st.sampled_from([c for c in "0123456789" if c != whole[place]]))
        assert not rule(whole[:place] + other + whole[place + 1 :])


@given(DIGITS, st.data())
def test_verhoeff_notices_every_swap_of_neighbours(digits: str, data: st.DataObject) -> None:
    whole = next(digits + last for last in "0123456789" if verhoeff(digits + last))
    place = data.draw(st.integers(0, len(whole) - 2))
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert verhoeff(swapped) == (swapped == whole)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=10, max_size=30), st.data())
def test_one_wrong_character_never_passes_modulo_97(text: str, data: st.DataObject) -> None:
    key = 98 - iso7064_97(text + "DE00")
    assert iso7064_97(f"{text}DE{key:02d}") == 1
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    changed = f"{text[:place]}{other}{text[place + 1 :]}DE{key:02d}"
    same_width = other.isdigit() == text[place].isdigit()
    assert (iso7064_97(changed) == 1) == (other == text[place]) or not same_width


def test_no_range_of_cards_contradicts_another() -> None:
    for _, first, last, lengths in RANGES:
        assert len(first) == len(last)
        assert first <= last
        assert lengths
