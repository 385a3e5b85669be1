"""Documents as words, and what happens to them: laws that hold for every text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance.text.edits import EDITS, slips, synonym_edit
from sealwright.assurance.text.identity import swapped, toward
from sealwright.assurance.text.lexicon import synonyms
from sealwright.assurance.text.words import counted, kept, like_written, replaced, spans_of, vocabulary_of

TEXTS = st.text(alphabet="aBcé é'’.,!? \n-1", max_size=80)
SHARES = st.floats(0.01, 1)


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in spans_of(text)]


def test_a_word_is_a_run_of_letters_digits_and_apostrophes() -> None:
    assert words("It's 3 o’clock, naïve re-use!") == ["It's", "3", "o’clock", "naïve", "re", "use"]
    assert counted(["", None, "one two"]).tolist() == [0, 0, 2]
    assert vocabulary_of("The the cat", spans_of("The the cat")) == {"the": [0, 1], "cat": [2]}


@given(TEXTS)
def test_replacing_every_word_by_itself_changes_nothing(text: str) -> None:
    spans = spans_of(text)
    assert replaced(text, spans, dict(enumerate(words(text)))) == text
    assert kept(text, spans, np.ones(len(spans), dtype=bool)) == text


@given(TEXTS, st.integers(0, 2**32))
def test_what_is_kept_are_the_words_that_were_to_be_kept(text: str, seed: int) -> None:
    spans = spans_of(text)
    keep = np.random.default_rng(seed).random(len(spans)) < 0.5
    left = words(kept(text, spans, keep))
    wanted = [word for word, stays in zip(words(text), keep, strict=True) if stays]
    assert "".join(left).replace("'", "") == "".join(wanted).replace("'", "") or left == wanted


@settings(max_examples=60)
@given(TEXTS, SHARES, st.integers(0, 2**32), st.sampled_from(sorted(EDITS)))
def test_an_edit_follows_from_its_seed_and_leaves_an_empty_text_empty(
    text: str, share: float, seed: int, name: str
) -> None:
    edit, _ = EDITS[name]
    assert edit(text, share, np.random.default_rng(seed)) == edit(text, share, np.random.default_rng(seed))
    assert edit("", share, np.random.default_rng(seed)) == ""


@given(TEXTS, SHARES, st.integers(0, 2**32))
def test_capitals_and_look_alikes_keep_every_other_letter(text: str, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert EDITS["case"][0](text, share, rng).casefold() == text.casefold()
    assert len(EDITS["homoglyphs"][0](text, share, rng)) == len(text)


@given(TEXTS, SHARES, st.integers(0, 2**32))
def test_as_many_words_are_lost_as_asked_for(text: str, share: float, seed: int) -> None:
    rng, before = np.random.default_rng(seed), len(words(text))
    gone = min(before, max(1, round(share * before))) if before else 0
    cut = EDITS["truncation"][0](text, share, rng)
    assert text.startswith(cut)
    assert len(words(cut)) == before - gone
    assert text.replace(" ", "").replace("\n", "") != "" or cut in ("", text)


def test_a_slip_is_one_letter_swapped_lost_doubled_or_beside() -> None:
    found = slips("cat")
    assert {"act", "cta", "at", "ct", "ca", "ccat", "caat", "catt", "xat", "vat", "cst", "car", "cay"} == set(found)
    assert slips("a") == []
    assert all(abs(len(one) - 3) <= 1 for one in found)


def test_words_are_replaced_by_ones_that_may_stand_for_them_in_their_capitals() -> None:
    known = synonyms({}, english=True)
    assert set(known["good"]) == {"fine", "decent"}
    edit = synonym_edit({"good": ("fine",), "room": ("chamber",)})
    assert edit("GOOD Room, good room", 1.0, np.random.default_rng(0)) == "FINE Chamber, fine chamber"
    assert edit("nothing here", 1.0, np.random.default_rng(0)) == "nothing here"
    assert like_written("I", "we") == "We"


def test_declared_synonyms_come_first_and_may_stand_alone() -> None:
    both = synonyms({"good": ("tidy",)}, english=True)
    assert both["good"][0] == "tidy"
    assert synonyms({"good": ("tidy",)}, english=False) == {"good": ("tidy",)}


def test_synonyms_go_both_ways_and_no_word_stands_for_itself() -> None:
    known = synonyms({}, english=True)
    assert len(known) > 400
    for word, others in known.items():
        assert word not in others
        assert word == word.lower().strip()
        assert all(word in known[other] for other in others)


def test_a_document_is_told_with_the_other_sides_words() -> None:
    first, second = toward((("he", "she"), ("him", "her"), ("his", "her")))
    assert swapped("He gave HIM his book.", second) == "She gave HER her book."
    assert swapped("She gave her book.", first) == "He gave him book."
    assert swapped("The cheese helps", second) == "The cheese helps"


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_asked_share_of_words_is_touched(share: float) -> None:
    text = " ".join(f"word{at}" for at in range(40))
    now = EDITS["typos"][0](text, share, np.random.default_rng(1)).split()
    assert sum(a != b for a, b in zip(now, text.split(), strict=True)) == pytest.approx(share * 40, abs=1)
