"""No way to a yes by accident: the traps of the policy engine, each walked into on purpose (T-19)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import cedarpy
import pytest

from acting import operator, person, service
from sealwright.trust import ROLES
from sealwright.trust.permissions import engine as engine_module
from sealwright.trust.permissions.engine import Answer, Engine, Entity, Request
from sealwright.trust.permissions.permissions import _entity_of, neutral, shared_engine
from sealwright.trust.permissions.policy_files import RuleBook, actions, policy_words, rule_book
from sealwright.trust.permissions.resources import (
    AccountResource,
    CaseResource,
    DatasetResource,
    LedgerResource,
    Resource,
    VersionResource,
)
from sealwright.trust.principal import Principal

ME = "somebody"


def loaded(kind: str) -> list[Resource]:
    """Things of a kind about which everything speaks against `ME`, one fact at a time and all at once."""
    plain = neutral(kind)
    me = frozenset({ME})
    if isinstance(plain, VersionResource):
        facts: list[Mapping[str, Any]] = [
            {name: me} for name in ("trained_by", "submitted_by", "config_author", "suite_editor", "role_admins")
        ]
        facts += [
            {"approvals": frozenset({(ME, "reviewer")})},
            {"risk": "high"},
            {"risk": "high", "approvals": frozenset({("a", "reviewer"), ("b", "reviewer")})},
            {"stage": "revoked"},
            {"stage": "candidate"},
        ]
        return [plain, *(replace(plain, **one) for one in facts)]
    if isinstance(plain, AccountResource):
        return [plain, AccountResource(name=ME)]
    if isinstance(plain, LedgerResource):
        return [plain, LedgerResource(written_by=me)]
    if isinstance(plain, CaseResource):
        return [
            plain,
            CaseResource(name="bg_1", project="any", about="break_glass", opened_by=me, beneficiary="other"),
            CaseResource(name="bg_1", project="any", about="break_glass", beneficiary=ME),
        ]
    if isinstance(plain, DatasetResource):
        return [plain, replace(plain, sensitivity="special")]
    return [plain]


def everybody() -> Iterator[Principal]:
    for role in ROLES:
        yield person(ME, role)
        yield person(ME, role, strong=False)
        yield person(ME, role, acting_for="ada")
    yield person(ME, *ROLES)
    yield person(ME)
    yield operator(ME)
    yield service(ME, "predict:any")
    yield service(ME, "predict:other")


def asked(
    engine: Engine, principal: Principal, action: str, what: Resource, *, staffed: bool
) -> tuple[Request, Entity, Entity]:
    who = _entity_of(principal, what.project, frozenset())
    thing = Entity(what.entity, what.name, what.attributes)
    request = Request(
        principal=(who.type, who.id),
        action=action,
        resource=(thing.type, thing.id),
        context={"staffed": staffed, "role": "business_owner"},
    )
    return request, who, thing


def denied() -> Iterator[tuple[Answer, Request, Entity, Entity]]:
    """Every question of the battery that is answered with no."""
    engine = shared_engine()
    for action, known in actions().items():
        for what in loaded(known.kind):
            for principal in everybody():
                request, who, thing = asked(engine, principal, action, what, staffed=True)
                answer = engine.ask(request, [who, thing])
                if not answer.allowed:
                    yield answer, request, who, thing


def without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def test_the_policies_fit_the_schema() -> None:
    book = rule_book()
    found = cedarpy.validate_policies(book.policies, book.schema)
    assert found.validation_passed, found.errors


def test_a_misspelt_attribute_does_not_pass_validation() -> None:
    book = rule_book()
    assert "resource.trained_by" in book.policies
    for right, wrong in (
        ("resource.trained_by", "resource.trainedby"),
        ("principal.strong", "principal.is_strong"),
        ('"model.promote"', '"model.promot"'),
    ):
        assert not cedarpy.validate_policies(book.policies.replace(right, wrong), book.schema).validation_passed


def test_every_policy_has_a_name_and_words_of_its_own() -> None:
    words = policy_words()
    written = json.loads(cedarpy.policies_to_json_str(rule_book().policies))["staticPolicies"].values()
    assert {one["annotations"]["id"] for one in written} == set(words)
    assert len(written) == len(words)
    assert all(one["annotations"]["because"] == words[one["annotations"]["id"]].because for one in written)
    assert {one["annotations"]["id"] for one in written if one["effect"] == "forbid"} == {
        name for name, one in words.items() if one.forbids
    }


def test_every_action_of_the_schema_is_known_with_its_meaning() -> None:
    assert len(actions()) == rule_book().schema.count("\n  action ")


def test_deleting_any_attribute_never_turns_no_into_yes_t19() -> None:
    engine, tried, deciders = shared_engine(), 0, set()
    for answer, request, who, thing in denied():
        deciders |= set(answer.policies)
        for name in who.attributes:
            changed = replace(who, attributes=without(who.attributes, name))
            assert not engine.ask(request, [changed, thing]).allowed, (request, name)
        for name in thing.attributes:
            changed = replace(thing, attributes=without(thing.attributes, name))
            assert not engine.ask(request, [who, changed]).allowed, (request, name)
        for name in request.context:
            assert not engine.ask(replace(request, context=without(request.context, name)), [who, thing]).allowed
        tried += 1
    forbids = {name for name, one in policy_words().items() if one.forbids}
    assert forbids - deciders == set()  # else a policy was not part of the trial
    assert tried > 1000


def test_even_without_the_schema_a_policy_that_errs_is_a_no_t19(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap itself: Cedar skips a `forbid` that cannot be evaluated. The engine does not."""
    book = RuleBook(
        policies='@id("a") permit(principal, action, resource); @id("b") forbid(principal, action, resource)'
        " unless { principal.strong };",
        schema="namespace Sealwright { entity Person, Thing; action act appliesTo { principal: Person, resource: Thing }; }",
    )
    request = Request(principal=("Person", "p"), action="act", resource=("Thing", "t"), context={})
    entities = [Entity("Person", "p", {}), Entity("Thing", "t", {})]
    raw = cedarpy.is_authorized(
        {
            "principal": 'Sealwright::Person::"p"',
            "action": 'Sealwright::Action::"act"',
            "resource": 'Sealwright::Thing::"t"',
        },
        book.policies,
        [one.to_json() for one in entities],
    )
    assert raw.decision is cedarpy.Decision.Allow
    assert raw.diagnostics.errors
    assert Engine(book).ask(request, entities) == Answer(allowed=False, policies=("a",), trouble="engine.not_evaluated")


def test_somebody_or_something_unknown_is_a_no_t19() -> None:
    engine = shared_engine()
    request, who, thing = asked(engine, person(ME, "ml_engineer"), "model.promote", neutral("version"), staffed=True)
    assert engine.ask(request, [who, thing]).allowed
    for known in ([who], [thing], [], [who, replace(thing, id="other")], [replace(who, id="other"), thing]):
        assert engine.ask(request, known) == Answer(allowed=False, trouble="engine.unknown_entity")


def test_the_third_decision_is_a_no_though_python_takes_it_for_true_t19() -> None:
    assert bool(cedarpy.Decision.NoDecision)
    engine = shared_engine()
    request, who, thing = asked(engine, person(ME, "ml_engineer"), "model.promote", neutral("version"), staffed=True)
    for wrong in ({"staffed": "yes", "role": ""}, {"staffed": True}, {"staffed": True, "role": "", "more": 1}):
        answer = engine.ask(replace(request, context=wrong), [who, thing])
        assert (answer.allowed, answer.trouble) == (False, "engine.not_evaluated")


def test_an_engine_that_raises_is_a_no_t19(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shared_engine()
    request, who, thing = asked(engine, person(ME, "ml_engineer"), "model.promote", neutral("version"), staffed=True)

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(engine_module.cedarpy, "is_authorized", broken)
    assert engine.ask(request, [who, thing]) == Answer(allowed=False, trouble="engine.failed")


def test_an_unknown_action_is_a_no() -> None:
    engine = shared_engine()
    request, who, thing = asked(engine, person(ME, *ROLES), "model.promote", neutral("version"), staffed=True)
    assert not engine.ask(replace(request, action="model.sell"), [who, thing]).allowed


def test_what_was_parsed_for_one_question_does_not_answer_another() -> None:
    engine = Engine(rule_book())
    strong, weak = person(ME, "ml_engineer"), person(ME, "ml_engineer", strong=False)
    version = neutral("version")
    for principal, expected in ((strong, True), (weak, False), (strong, True)):
        request, who, thing = asked(engine, principal, "model.promote", version, staffed=True)
        assert engine.ask(request, [who, thing], key=(principal, version)).allowed is expected
