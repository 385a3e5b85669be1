"""Principal reasons keep the eight rules, each named here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.serving.reasons.adverse import MOST_REASONS, adverse_notice
from sealwright.serving.reasons.document import Sentence
from sealwright.serving.reasons.model import AdverseNotice

NAMES = ["a", "b", "c", "d", "e", "f", "g"]
SENTENCES = {name: Sentence(code=name.upper(), text=f"Because of {name}.") for name in NAMES}
CONTRIBUTIONS = {"a": -0.1, "b": -0.9, "c": 0.5, "d": -0.3, "e": -0.2, "f": -0.8, "g": -0.05}


def told(contributions: dict[str, float] | None = None, **but: Any) -> AdverseNotice:
    given_ = {
        "denied": True,
        "used": set(NAMES),
        "protected": set(),
        "sentences": SENTENCES,
        "helps": dict.fromkeys(NAMES, True),
    }
    found = adverse_notice(CONTRIBUTIONS if contributions is None else contributions, **{**given_, **but})
    assert found is not None
    return found


def named(notice: AdverseNotice) -> list[str]:
    return [one.feature for one in notice.reasons]


def test_rule_1_only_what_the_deployed_model_uses_is_a_reason() -> None:
    found = told(used=set(NAMES) - {"b"})
    assert "b" not in named(found)
    assert [(one.feature, one.rule) for one in found.left_out] == [("b", "not used")]


def test_rule_2_the_strongest_against_approval_comes_first_and_what_spoke_for_it_never() -> None:
    found = told()
    assert named(found) == ["b", "f", "d", "e"]
    assert [one.against for one in found.reasons] == [0.9, 0.8, 0.3, 0.2]


@pytest.mark.parametrize("strongest", [True, False])
def test_rule_3_a_protected_attribute_is_never_a_reason_and_never_hidden_from_a_person(strongest: bool) -> None:
    hidden = "b" if strongest else "g"
    found = told(protected={hidden})
    assert hidden not in named(found)
    assert [(one.feature, one.rule) for one in found.left_out] == [(hidden, "protected")]
    assert ("protected" in found.needs_person) == strongest  # the weakest would not have been told anyway


def test_rule_4_four_reasons_and_enquiries_besides() -> None:
    assert len(told().reasons) == MOST_REASONS == 4
    besides = SENTENCES | {"g": Sentence(code="G", text="Because of g.", inquiries=True)}
    assert named(told(sentences=besides)) == ["b", "f", "d", "e", "g"]
    among = SENTENCES | {"f": Sentence(code="F", text="Because of f.", inquiries=True)}
    assert named(told(sentences=among)) == ["b", "f", "d", "e"]


@given(st.permutations(list(CONTRIBUTIONS)), st.dictionaries(st.sampled_from(NAMES), st.floats(-1, 1), min_size=1))
def test_rule_5_the_same_input_has_the_same_reasons(order: list[str], contributions: dict[str, float]) -> None:
    assert told({name: CONTRIBUTIONS[name] for name in order}) == told()
    assert told(contributions) == told(dict(contributions))


def test_rule_5_equal_contributions_stand_in_the_order_of_the_contract() -> None:
    assert named(told(dict.fromkeys(["e", "a", "d"], -0.5))) == ["e", "a", "d"]


def test_rule_6_what_would_not_help_is_no_reason_and_what_was_not_asked_about_neither() -> None:
    asked = dict.fromkeys(NAMES, True) | {"b": False}
    del asked["f"]
    found = told(helps=asked)
    assert named(found) == ["d", "e", "a", "g"]
    assert [(one.feature, one.rule) for one in found.left_out] == [("b", "would not help"), ("f", "would not help")]
    assert found.needs_person == ""


def test_rule_7_each_reason_has_its_code_and_sentence_and_a_code_is_told_once() -> None:
    shared = SENTENCES | {"f": Sentence(code="B", text="Because of b.")}
    found = told(sentences=shared)
    assert [(one.code, one.text) for one in found.reasons] == [(n.upper(), f"Because of {n}.") for n in "bdea"]


def test_rule_7_a_principal_factor_without_a_sentence_is_left_to_a_person() -> None:
    without = {name: one for name, one in SENTENCES.items() if name != "f"}
    found = told(sentences=without)
    assert "No sentence" in found.needs_person
    assert named(found) == ["b", "d", "e", "a"]


def test_rule_8_an_approved_case_has_no_reasons_of_refusal() -> None:
    found = adverse_notice(CONTRIBUTIONS, denied=False, used=set(NAMES), protected=set(), sentences=SENTENCES, helps={})
    assert found is None


def test_a_refusal_without_any_specific_reason_is_left_to_a_person() -> None:
    assert told({"c": 0.5}).reasons == ()
    assert "No specific reason" in told({"c": 0.5}).needs_person


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(-5, 5)), st.sets(st.sampled_from(NAMES)))
def test_whatever_the_contributions_no_rule_is_broken(contributions: dict[str, float], protected: set[str]) -> None:
    found = told(contributions, protected=protected)
    against = [one.against for one in found.reasons]
    assert against == sorted(against, reverse=True)
    assert len(against) <= MOST_REASONS
    assert not protected & set(named(found))
    assert all(contributions[name] < 0 for name in named(found))
    assert len({one.code for one in found.reasons}) == len(against)
