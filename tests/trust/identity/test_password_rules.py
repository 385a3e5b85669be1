"""Long passwords of any kind are taken; what everybody guesses first is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.trust import PasswordUnsuitable, Secret
from sealwright.trust.identity.password_rules import check_password


@pytest.mark.parametrize(
    "words",
    [
        "lantern okapi velvet rivers",
        "zu viele Köche verderben",
        "xK9#mQ2z!vT4pL",
        "все счастливые семьи",
        "日本語のパスワードはとても長い",
        "🦊🪁🎻🧩🥨🚲🧵🪴🦀🎲🛶🧲",
        "four  spaces    within  it",
        "dragonfly-gravel-teapot-31",
    ],
)
def test_unrelated_words_in_any_script_are_taken(words: str) -> None:
    check_password(Secret(words), around=("ada", "acme"))


@pytest.mark.parametrize(
    "words",
    [
        "password1234",
        "Password2026!!",
        "P@ssw0rd!P@ssw0rd!",
        "passwordpassword",
        "qwertyuiop123",
        "1234567890123",
        "111111111111",
        "iloveyou1234",
        "letmein-letmein",
        "welcome2026!",
        "asdfghjklqwertyuiop",
        "correcthorsebatterystaple",
        "Summer2026Summer",
        "administrator1",
        "abcdefghijkl",
        "abcabcabcabc",
        "aaaaaaaaaaaa",
        "monkeydragon1987",
        "Liverpool2019!",
        "987654321987",
        "sealwright2026",
        "            ",
    ],
)
def test_what_everybody_guesses_first_is_refused(words: str) -> None:
    with pytest.raises(PasswordUnsuitable, match="first that are tried"):
        check_password(Secret(words))


@pytest.mark.parametrize(
    "words", ["margarethe-1990", "Margarethe.Margarethe", "acmecorp-acmecorp", "margarethe@acmecorp"]
)
def test_the_names_of_person_and_workspace_are_guessed_too(words: str) -> None:
    with pytest.raises(PasswordUnsuitable, match="first that are tried"):
        check_password(Secret(words), around=("margarethe", "acmecorp"))


@pytest.mark.parametrize(("words", "found"), [("short", 5), ("x" * 257, 257), ("e\u0301" * 11, 11), ("", 0)])
def test_the_length_is_that_of_the_composed_form(words: str, found: int) -> None:
    with pytest.raises(PasswordUnsuitable, match=f"this one has {found}"):
        check_password(Secret(words))


def test_256_characters_are_taken_and_a_million_are_refused_quickly() -> None:
    check_password(Secret("lantern okapi velvet " + "".join(chr(0x4E00 + 7 * n) for n in range(235))))
    with pytest.raises(PasswordUnsuitable):
        check_password(Secret("x" * 1_000_000))


@pytest.mark.parametrize("words", ["lantern okapi \ud800 velvet", "lantern okapi\x00velvet", "lantern okapi\nvelvet"])
def test_characters_that_are_no_text_are_refused(words: str) -> None:
    with pytest.raises(PasswordUnsuitable, match="valid text"):
        check_password(Secret(words))


@given(
    st.sampled_from(["password", "dragon", "qwertz", "michael"]),
    st.integers(1950, 2030),
    st.sampled_from(["!", "", "!!", "."]),
)
def test_no_year_and_no_mark_makes_a_common_word_good(word: str, year: int, mark: str) -> None:
    with pytest.raises(PasswordUnsuitable):
        check_password(Secret(f"{word.title()}{word}{year}{mark}"))


def test_the_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(PasswordUnsuitable) as refused:
        check_password(Secret("monkeydragon1987"))
    assert "monkey" not in str(refused.value)
