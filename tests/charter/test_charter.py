"""A charter says what was promised, and a frozen one cannot say anything else later."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.charter import CharterSpec, Objective, RiskClass, charter_subjects, freeze_charter, read_charter
from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SETTINGS = {"assurance": digest_of(b"assurance")}
CHARTER = CharterSpec(
    purpose="Support credit officers in consumer loans.",
    owner="Head of consumer credit",
    risk_class=RiskClass.HIGH,
    objectives=(
        Objective(metric="performance.roc_auc", at_least=0.75, why="Below it the old scorecard does as well."),
    ),
    affected=("people who apply for a loan", "people who live with them"),
)


def frozen(**changes: object) -> dict[str, object]:
    given: dict[str, object] = {
        "project": "german-credit",
        "policy": {"format": 1, "limit": 0.65},
        "groups": ["sex", "age"],
        "settings": SETTINGS,
        "now": NOW,
    }
    return freeze_charter(CHARTER, **{**given, **changes})  # type: ignore[arg-type]


def test_what_was_frozen_is_read_back() -> None:
    read = read_charter(json.loads(canonical_json(frozen())))
    assert read.spec == CHARTER
    assert (read.project, read.groups, read.settings, read.frozen_at) == (
        "german-credit",
        ("age", "sex"),
        SETTINGS,
        NOW,
    )
    assert read.policy == {"format": 1, "limit": 0.65}


def test_the_same_terms_an_hour_later_are_the_same_terms() -> None:
    read = read_charter(frozen())
    assert read.same_terms(frozen(now=NOW + timedelta(hours=1)))
    assert not read.same_terms(frozen(policy={"format": 1, "limit": 0.6}))
    assert not read.same_terms(frozen(groups=["sex"]))
    assert not read.same_terms(frozen(settings={}))


HELD = {"attacks": {"rows": 200}, "threshold": 0.5}


def holding(**changes: object) -> dict[str, object]:
    """A charter that holds its assurance settings whole."""
    return frozen(
        **{"settings": {"assurance": digest_of(canonical_json(HELD))}, "sections": {"assurance": HELD}, **changes}
    )


def test_settings_that_are_held_whole_are_read_back() -> None:
    read = read_charter(json.loads(canonical_json(holding())))
    assert read.sections == {"assurance": HELD}
    assert read.same_terms(holding(now=NOW + timedelta(hours=1)))
    assert not read.same_terms(holding(sections={}))


def test_gentler_settings_under_the_old_digest_are_refused() -> None:
    with pytest.raises(InvalidInput, match="assurance"):
        holding(sections={"assurance": {"attacks": {"rows": 20}}})
    changed = json.loads(canonical_json(holding()))
    changed["sections"]["assurance"]["attacks"]["rows"] = 20
    with pytest.raises(VerificationFailed, match="does not match"):
        read_charter(changed)
    changed["sections"] = {"assurance": "none"}
    with pytest.raises(VerificationFailed, match="cannot be read"):
        read_charter(changed)


def test_a_charter_of_before_settings_were_held_whole_is_still_read() -> None:
    older = frozen()
    del older["sections"]
    assert read_charter(older).sections == {}
    assert read_charter(older).same_terms(frozen())


def test_a_charter_statement_is_about_the_content_of_its_charter() -> None:
    (name, digest), *rest = charter_subjects(frozen())
    assert rest == []
    assert name == "german-credit/charter"
    assert digest == digest_of(canonical_json(CHARTER.model_dump(mode="json")))


@pytest.mark.parametrize(
    "field", ["charter", "policy", "charter_digest", "policy_digest", "groups", "settings", "project"]
)
def test_a_changed_field_is_noticed_or_changes_the_terms(field: str) -> None:
    changed = json.loads(canonical_json(frozen()))
    changed[field] = {"other": 1} if isinstance(changed[field], dict) else "other"
    try:
        read = read_charter(changed)
    except VerificationFailed:
        return
    assert not read.same_terms(frozen())


def test_a_looser_policy_under_the_old_digest_is_refused() -> None:
    changed = frozen()
    changed["policy"] = {"format": 1, "limit": 0.1}
    with pytest.raises(VerificationFailed, match="does not match"):
        read_charter(changed)


@pytest.mark.parametrize("name", ["extra", None])
def test_missing_and_unknown_fields_are_refused(name: str | None) -> None:
    changed = frozen()
    if name:
        changed[name] = 1
    else:
        del changed["groups"]
    with pytest.raises(VerificationFailed, match="format 1"):
        read_charter(changed)


def test_a_settings_digest_must_be_a_digest() -> None:
    with pytest.raises(InvalidInput, match="sha256"):
        frozen(settings={"assurance": "abc"})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "either at_least or at_most"),
        ({"at_least": 0.5, "at_most": 0.6}, "either at_least or at_most"),
        ({"at_least": float("nan")}, "finite"),
        ({"at_least": 0.5, "judged_on": "upper"}, "flatters"),
        ({"at_most": 0.5, "judged_on": "lower"}, "flatters"),
    ],
)
def test_an_objective_has_one_honest_limit(limits: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Objective.model_validate({"metric": "performance.roc_auc", "why": "Because it matters here.", **limits})


@pytest.mark.parametrize("metric", ["auc", "Performance.AUC", "performance.", "performance.roc auc", "../etc"])
def test_an_objective_names_a_check(metric: str) -> None:
    with pytest.raises(ValidationError, match=r"performance\.roc_auc"):
        Objective(metric=metric, at_least=0.5, why="Because it matters here.")


def test_one_metric_has_one_objective() -> None:
    twice = (CHARTER.objectives[0], CHARTER.objectives[0])
    with pytest.raises(ValidationError, match="named twice"):
        CharterSpec(purpose="p", owner="o", risk_class=RiskClass.LIMITED, objectives=twice)


@pytest.mark.parametrize("text", ["", "   ", "hidden\u202ereversed", "null\x00byte", "bell\x07"])
def test_texts_are_readable_or_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        CharterSpec(purpose=text, owner="o", risk_class=RiskClass.MINIMAL)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        CharterSpec.model_validate({"purpose": "p", "owner": "o", "risk_class": "high", "prupose": "typo"})


def test_risk_classes_are_ordered() -> None:
    assert RiskClass.MINIMAL.rank < RiskClass.LIMITED.rank < RiskClass.HIGH.rank


def test_every_field_explains_itself_to_an_editor() -> None:
    schema = CharterSpec.model_json_schema()
    for part in (schema, schema["$defs"]["Objective"]):
        assert all(len(field.get("description", "")) > 20 for field in part["properties"].values())


@given(st.text(min_size=1, max_size=40), st.floats(-1e6, 1e6), st.sampled_from(["at_least", "at_most"]))
def test_any_charter_survives_freezing(text: str, limit: float, side: str) -> None:
    try:
        objective = Objective.model_validate({"metric": "performance.mae", side: limit, "why": text})
        spec = CharterSpec(purpose=text, owner=text, risk_class=RiskClass.LIMITED, objectives=(objective,))
    except ValidationError:
        return
    predicate = freeze_charter(spec, project="p", policy={}, groups=[], settings={}, now=NOW)
    assert read_charter(json.loads(canonical_json(predicate))).spec == spec
