"""Checks, hardening and promises of one version, as the compiled whole: who is told what, and what the record keeps."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of
from sealwright.serving import (
    Contract,
    ServingSpec,
    answering_document,
    contract_of,
    full_scope,
    label_scope,
    predict_scope,
)
from sealwright.serving.answering import Answering
from sealwright.serving.checking.document import AnsweringDocument, Calibration, Conformal, Learned, Output, Threshold
from sealwright.serving.checking.rules import rules_of
from sealwright.serving.checking.unusual import usual_of
from sealwright.serving.contract import Batch
from sealwright.serving.disclosure import Disclosure
from sealwright.serving.options import NO_OPTIONS, Options
from sealwright.serving.outcome import Outcome, outcome_of
from sealwright.serving.problems import Forbidden, NoPromise, RowsRefused
from sealwright.serving.reasons import Reasons
from sealwright.serving.reasons.model import AdverseNotice, Contribution, PrincipalReason, Reference

Said = Callable[..., AnsweringDocument]
PROJECT = "german-credit"
USUAL = frozenset({predict_scope(PROJECT)})
FULL = USUAL | {full_scope(PROJECT)}
LABELS = frozenset({label_scope(PROJECT)})
INTERVAL = Options(interval=True)


def _outcome(contract: Contract, *shares: float) -> Outcome:
    raw = np.array([[1 - share, share] for share in shares], dtype=np.float32)
    return outcome_of(contract, len(shares), raw)


def _judged(answering: Answering, contract: Contract, batch: Batch, *shares: float) -> Outcome:
    _, found = answering.checked(batch)
    return answering.judged(found, _outcome(contract, *shares))


# ---- what is done where nothing is asked for


def test_a_version_that_asks_for_nothing_adds_nothing(contract: Contract, rows_of: Any) -> None:
    answering, batch = Answering(contract), rows_of(2, 1)
    same, found = answering.checked(batch)
    outcome = _outcome(contract, 0.25, 0.75)
    assert same is batch
    assert answering.judged(found, outcome) is outcome
    assert answering.told(USUAL, NO_OPTIONS, outcome, ()) == (outcome, (), b"", 0)
    assert answering.asked is contract


# ---- odd rows


def test_clipping_marks_the_row_and_answers_it(contract: Contract, said: Said, rows_of: Any) -> None:
    answering = Answering(contract, said(mode="clip"))
    batch = rows_of(2, 1)
    batch.numbers[1, 0] = 130
    mended, found = answering.checked(batch)
    assert mended.numbers[1, 0] == 100
    shown, _, kept, abstained = answering.told(
        USUAL, NO_OPTIONS, answering.judged(found, _outcome(contract, 0.1, 0.9)), ()
    )
    assert json.loads(msgspec.json.encode(shown.beside)) == [
        {},
        {"marks": [{"feature": "age", "was": "above", "used": 100}]},
    ]
    assert (shown.labels, kept, abstained) == (["good", "bad"], b"", 0)


def test_abstaining_on_odd_rows_tells_why_and_the_record_keeps_what_the_model_said(
    contract: Contract, said: Said, rows_of: Any
) -> None:
    answering = Answering(contract, said(mode="abstain"))
    batch = rows_of(2, 1)
    batch.strings[1, 2] = "something new"
    shown, _, kept, abstained = answering.told(
        USUAL, NO_OPTIONS, _judged(answering, contract, batch, 0.1, 0.9), ()
    )  # fmt: skip
    assert shown.labels == ["good", ""]
    assert list(shown.probabilities[1]) == [None, None]
    assert shown.beside is not None
    assert shown.beside[1]["abstained"]["codes"] == ("outside_contract",)
    assert b"something new" not in msgspec.json.encode(shown.beside)
    assert json.loads(kept)["labels"] == ["good", "bad"]
    assert abstained == 1


def test_a_broken_rule_refuses_its_own_request_only_and_is_named(
    interface: dict[str, Any], contract: Contract, said: Said, rows_of: Any
) -> None:
    rule = {"name": "old_enough", "then": [{"column": "age", "sign": ">", "value": 20}], "text": "Nobody under 21."}
    rules = rules_of(interface | {"rules": [rule]}, contract)
    batch = rows_of(3, 1)
    batch.numbers[:, 0] = [30, 19, 40]
    outcome = _judged(Answering(contract, None, rules), contract, batch, 0.1, 0.2, 0.3)
    assert outcome.of(0, 1).labels == ["good"]
    assert outcome.of(2, 1).labels == ["good"]
    with pytest.raises(RowsRefused) as refused:
        outcome.of(1, 2)
    (problem,) = refused.value.problems
    assert (problem.code, problem.detail) == (
        "rule_broken", "Row 0: Expected by the rule old_enough: Nobody under 21.",
    )  # fmt: skip
    unsure = _judged(Answering(contract, said(mode="abstain"), rules), contract, batch, 0.1, 0.2, 0.3)
    assert unsure.of(0, 3).labels == ["good", "", "good"]


def test_no_refusal_lists_more_than_twenty_problems(
    interface: dict[str, Any], contract: Contract, rows_of: Any
) -> None:
    rules = rules_of(
        interface | {"rules": [{"name": "never", "then": [{"column": "age", "sign": "<", "value": 0}]}]}, contract
    )
    outcome = _judged(Answering(contract, None, rules), contract, rows_of(30, 1), *[0.1] * 30)
    with pytest.raises(RowsRefused) as refused:
        outcome.of(0, 30)
    assert len(refused.value.problems) == 20


def test_an_unusual_row_gets_no_label_and_its_share_is_told_where_asked(
    contract: Contract, said: Said, rows_of: Any
) -> None:
    usual = usual_of(contract, rows_of(600, 1))
    batch = rows_of(2, 2)
    batch.strings[1, :] = "rent: city"
    batch.numbers[1, 5:] = [0, 10, 0]
    told = _judged(Answering(contract, said(usual=usual, tell_ood=True)), contract, batch, 0.1, 0.2)
    assert told.beside is not None
    assert told.beside[0]["ood"] < 0.995 < told.beside[1]["ood"]
    assert told.labels == ["good", "good"]
    held = _judged(Answering(contract, said(usual=usual, above_ood=0.995)), contract, batch, 0.1, 0.2)
    assert held.labels == ["good", ""]
    assert held.beside is not None
    assert held.beside[1]["abstained"]["codes"] == ("unusual",)


# ---- unsure answers


def test_each_class_has_its_own_least_probability(contract: Contract, said: Said, rows_of: Any) -> None:
    answering = Answering(contract, said(below={"bad": 0.8}))
    shown = _judged(answering, contract, rows_of(3, 1), 0.45, 0.79, 0.81)
    assert shown.labels == ["good", "", "bad"]


def test_a_learned_threshold_looks_at_the_models_own_probability(contract: Contract, said: Said, rows_of: Any) -> None:
    threshold = Threshold(
        confidence=0.7, target=0.1, certainty=0.95, tried=20, rows=500, accepted=300, wrong=10, bound=0.08
    )
    correction = Calibration(
        rows=500, slope=0.1, shift=0.0, curve=None, brier=0.2, brier_platt=0.1, brier_isotonic=None
    )
    answering = Answering(contract, said(threshold=threshold, calibrate="platt", calibration=correction))
    shown = _judged(answering, contract, rows_of(2, 1), 0.69, 0.71)
    assert shown.labels == ["", "bad"]
    assert shown.beside is not None
    assert shown.beside[1]["calibrated"]["bad"] == pytest.approx(0.5223, abs=1e-3)  # both are told, side by side
    assert list(shown.probabilities[1]) == [0.29, 0.71]
    assert "calibrated" not in shown.beside[0]


def test_more_than_one_possible_class_is_no_label(contract: Contract, said: Said, rows_of: Any) -> None:
    answering = Answering(contract, said(ambiguous=True))
    shown = _judged(answering, contract, rows_of(2, 1), 0.55, 0.95)
    assert shown.labels == ["", "bad"]


# ---- sets and intervals


def test_a_set_comes_on_request_with_what_it_rests_on(contract: Contract, said: Said) -> None:
    answering = Answering(contract, said())
    shown, *_ = answering.told(USUAL, INTERVAL, _outcome(contract, 0.5, 0.95), ())
    promise = {"coverage": 0.9, "rows": 500}
    assert shown.beside == [{"set": ["good", "bad"], "promise": promise}, {"set": ["bad"], "promise": promise}]
    with pytest.raises(NoPromise):
        Answering(contract, said(conformal=None)).promises.refuse()


def test_an_interval_lies_around_the_number(numbers_contract: Contract, said: Said) -> None:
    answering = Answering(numbers_contract, said(conformal=Conformal(rows=80, limits={"0.9": 2.5})))
    outcome = outcome_of(numbers_contract, 1, np.array([[10.0]], dtype=np.float32))
    shown, *_ = answering.told(USUAL, INTERVAL, outcome, ())
    assert shown.beside == [{"interval": [7.5, 12.5], "promise": {"coverage": 0.9, "rows": 80}}]


# ---- how much leaves


def test_attack_extraction_a_label_scope_is_told_labels_whatever_the_project_says(
    contract: Contract, said: Said, rows_of: Any
) -> None:
    usual = usual_of(contract, rows_of(300, 1))
    for output in (Output(), Output(digits=2)):
        answering = Answering(contract, said(output=output, usual=usual, tell_ood=True))
        shown, words, kept, _ = answering.told(
            LABELS, NO_OPTIONS, _judged(answering, contract, rows_of(1, 3), 0.123456), ()
        )
        assert shown.labels == ["good"]
        assert shown.probabilities == [[None, None]]
        assert shown.beside == [{}]
        assert (words, json.loads(kept)["probabilities"]) == ((), [[0.876544, 0.123456]])
        for options in (Options(explain=True), INTERVAL):
            with pytest.raises(Forbidden):
                answering.disclosure.refuse(options, LABELS)


def test_attack_extraction_a_label_scope_gets_no_number_where_there_are_no_labels(numbers_contract: Contract) -> None:
    outcome = outcome_of(numbers_contract, 1, np.array([[10.0]], dtype=np.float32))
    with pytest.raises(Forbidden):
        Disclosure(numbers_contract).shown(outcome, LABELS)


def test_a_full_scope_lifts_what_the_project_holds_back(contract: Contract, said: Said) -> None:
    for output in (Output(digits=1), Output(classes=1), Output(labels_only=True)):
        answering, outcome = Answering(contract, said(output=output)), _outcome(contract, 0.123456)
        assert answering.told(FULL, NO_OPTIONS, outcome, ())[0] is outcome
        assert answering.told(USUAL, NO_OPTIONS, outcome, ())[0] is not outcome
        assert answering.told(LABELS | {full_scope(PROJECT)}, NO_OPTIONS, outcome, ())[0].probabilities == [
            [None, None]
        ]


@given(share=st.floats(0, 1), digits=st.integers(1, 6), classes=st.integers(1, 2))
def test_attack_extraction_no_number_that_leaves_has_more_digits_than_the_project_says(
    share: float, digits: int, classes: int
) -> None:
    answering = Answering(_BINARY, AnsweringDocument(**_PLAIN | {"output": Output(digits=digits, classes=classes)}))
    outcome = _outcome(_BINARY, share)
    for options in (NO_OPTIONS, INTERVAL):
        shown, *_ = answering.told(USUAL, options, outcome, ())
        (line,) = shown.probabilities
        told = [one for one in line if one is not None]
        assert len(told) == min(classes, 2)
        assert all(round(one, digits) == one for one in told)
        assert shown.labels == outcome.labels
        assert shown.whole is outcome


@given(value=st.floats(-1e6, 1e6, width=32), digits=st.integers(1, 6))
def test_attack_extraction_an_interval_tells_no_digit_that_the_value_does_not(value: float, digits: int) -> None:
    """Two values that are told alike have the same interval."""
    answering = Answering(_NUMBER, AnsweringDocument(**_PLAIN | {"output": Output(digits=digits)}))

    def told(number: float) -> Any:
        outcome = outcome_of(_NUMBER, 1, np.array([[number]], dtype=np.float32))
        return answering.told(USUAL, INTERVAL, outcome, ())[0]

    exact = told(value)
    (shown,) = exact.values
    low, high = exact.beside[0]["interval"]
    assert shown == float(f"{float(f'{value:.7g}'):.{digits}g}")
    assert told(shown).beside[0]["interval"] == [low, high]
    assert low <= value - 0.6 + 1e-6 + abs(value) * 1e-5
    assert high >= value + 0.6 - 1e-6 - abs(value) * 1e-5


def test_attack_extraction_reasons_hold_no_number_where_digits_are_held_back(contract: Contract, said: Said) -> None:
    reasons = Reasons(
        explainer="sha256:0", method="m", toward="bad", unit="log-odds", reference=Reference(decided="", rows=99),
        base=0.125, score=0.731, probability=0.6750,
        contributions=(Contribution("age", 0.5061), Contribution("amount", -0.1)),
        adverse=AdverseNotice(reasons=(PrincipalReason(code="R1", text="Too young.", feature="age", against=0.5061),)),
    )  # fmt: skip
    answering, explain = Answering(contract, said(output=Output(digits=2))), Options(explain=True)
    _, (words,), _, _ = answering.told(USUAL, explain, _outcome(contract, 0.675), [reasons])
    assert (words["for"], words["against"]) == (["age"], ["amount"])
    assert not any(
        digit in msgspec.json.encode(words).decode().replace("sha256:0", "").replace("R1", "") for digit in "0123456789"
    )
    assert answering.told(FULL, explain, _outcome(contract, 0.675), [reasons])[1] == [reasons]


def test_a_row_without_a_label_gets_no_reasons_either(contract: Contract, said: Said, rows_of: Any) -> None:
    answering = Answering(contract, said(below={"good": 0.9, "bad": 0.9}))
    outcome = _judged(answering, contract, rows_of(1, 1), 0.5)
    _, words, _, _ = answering.told(USUAL, Options(explain=True), outcome, [None])  # type: ignore[list-item]
    assert words == [{"withheld": "There is no label to give reasons for."}]


# ---- the document


def _learned(contract: Contract, rows_of: Any) -> bytes:
    found = Learned(
        format=1, model="sha256:m", usual=usual_of(contract, rows_of(200, 1)), calibration=None,
        conformal=Conformal(rows=9, limits={"0.8": 0.5, "0.9": 0.7, "0.95": None, "0.99": None}), accepted=(),
    )  # fmt: skip
    return canonical_json(msgspec.to_builtins(found))


def test_the_document_of_a_project_loads_and_holds_what_it_says(
    interface: dict[str, Any], contract: Contract, rows_of: Any
) -> None:
    learned = _learned(contract, rows_of).replace(b"sha256:m", digest_of(b"m").encode())
    spec = ServingSpec.model_validate(
        {"out_of_range": "clip", "output": {"digits": 3}, "abstain_below": 0.6, "abstain_above_ood": 0.99}
    )
    data = answering_document(learned, digest_of(b"m"), interface, spec)
    assert data is not None
    answering = Answering.of(data, b"m", interface, contract)
    assert answering.asked is not contract
    with pytest.raises(VerificationFailed, match="another model"):
        Answering.of(data, b"another", interface, contract)
    for damaged in (data[:-1], data.replace(b'"clip"', b'"take"'), data.replace(b'"tell_ood"', b'"tell_all"')):
        with pytest.raises(VerificationFailed, match="cannot be used"):
            Answering.of(damaged, b"m", interface, contract)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"abstain_below": {"worse": 0.5}}, "worse is no class"),
        ({"coverage": 0.99, "abstain_ambiguous": True}, "abstain_ambiguous: what it needs was not learned"),
        ({"abstain_error": 0.1}, "abstain_error: what it needs was not learned"),
        ({"calibrate": "platt"}, "calibrate: what it needs was not learned"),
    ],
)
def test_what_a_model_has_not_learned_is_said_before_anything_is_sealed(
    settings: dict[str, Any], said: str, interface: dict[str, Any], contract: Contract, rows_of: Any
) -> None:
    with pytest.raises(InvalidInput, match=said):
        answering_document(_learned(contract, rows_of), "sha256:m", interface, ServingSpec.model_validate(settings))


def test_settings_about_classes_do_not_fit_a_number(interface: dict[str, Any]) -> None:
    numbers = interface | {"task": "regression", "classes": None}
    spec = ServingSpec.model_validate({"output": {"labels_only": True}, "calibrate": "platt"})
    with pytest.raises(InvalidInput, match=r"calibrate: a predicted number has no classes[\s\S]*labels_only"):
        answering_document(None, "sha256:m", numbers, spec)


def test_a_package_that_asks_for_nothing_and_learned_nothing_has_no_document(interface: dict[str, Any]) -> None:
    assert answering_document(None, "sha256:m", interface, ServingSpec()) is None


_BINARY = contract_of(
    {
        "format": 1, "project": PROJECT, "task": "binary", "classes": ["good", "bad"], "order": ["x"],
        "numbers": [{"name": "x", "type": "number", "nullable": False}],
    }
)  # fmt: skip
_NUMBER = contract_of(
    {
        "format": 1, "project": PROJECT, "task": "regression", "order": ["x"],
        "numbers": [{"name": "x", "type": "number", "nullable": False}],
    }
)  # fmt: skip
_PLAIN: dict[str, Any] = {
    "format": 1, "model": "", "mode": "refuse", "output": Output(), "below": {}, "threshold": None, "ambiguous": False,
    "above_ood": None, "tell_ood": False, "coverage": 0.9, "calibrate": None, "usual": None, "calibration": None,
    "conformal": Conformal(rows=500, limits={"0.9": 0.6}),
}  # fmt: skip
