"""What the documents inside a package may say: only what a statement beside them says.

Answers: which purpose, data, findings and gaps stand in the statements of one model?
Does not answer: how they look on a page (`card`) or in a bill of materials (`bom`). A number
that no statement backs never gets here, so it cannot be printed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.kernel import InvalidInput, hex_of
from sealwright.registry.interface import ModelInterface, read_interface
from sealwright.trust import Statement

__all__ = ["Fact", "Gap", "ModelFacts", "facts_of"]

_ONE_AIM = {"reweighing", "resampling", "decorrelate"}
_TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One finding, with the statement it comes from."""

    suite: str
    check: str
    value: float
    low: float | None
    high: float | None
    n: int
    unit: str
    group: str  # "" for the whole, "sex" for an attribute, "sex = female" for one level
    statement: str  # digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One check that was not carried out, and why."""

    check: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Everything the documents print."""

    model: str  # digest M
    interface: ModelInterface
    purpose: str
    owner: str
    risk_class: str
    intended_use: tuple[str, ...]
    out_of_scope: tuple[str, ...]
    affected: tuple[str, ...]
    snapshot: str  # digest
    snapshot_rows: int | None
    build_type: str  # of the provenance
    mitigation: str  # what training did so that groups fare more alike; "" for nothing
    privacy: str  # the guarantee of a private training and what was spent with it; "" for none
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]
    statements: Mapping[str, str]  # name in the package -> digest of the statement


def facts_of(model: str, interface: Mapping[str, Any], statements: Mapping[str, Statement]) -> ModelFacts:
    """Collect what the statements of one model say.

    Parameters
    ----------
    model : str
        Digest of model.onnx.
    interface : mapping
        The interface document.
    statements : mapping of str to Statement
        "charter", "snapshot", "provenance" and the suites, already verified.

    Raises
    ------
    InvalidInput
        No charter among them, or a test result that is not about this model.
    """
    hex_of(model)
    if "charter" not in statements:
        raise InvalidInput("The documents of a package need its charter statement; freeze the charter first.")
    charter = _object(statements["charter"].predicate.get("charter"))
    snapshot = statements.get("snapshot")
    provenance = _object(statements["provenance"].predicate) if "provenance" in statements else {}
    facts: list[Fact] = []
    gaps: list[Gap] = []
    data = set(snapshot.subject_digests) if snapshot else set()
    for name, statement in sorted(statements.items()):
        result = _object(statement.predicate.get("sealwright"))
        if statement.predicate_type == _TEST_RESULT and not {model, *data} & set(statement.subject_digests):
            raise InvalidInput(f"The {name} statement is about another model; run the suite again on this one.")
        facts += [_fact(name, item, statement.digest) for item in _list(result.get("findings"))]
        gaps += [
            Gap(check=str(item["check"]), why=str(item["why"]))
            for item in _list(result.get("not_performed"))
            if item.get("applicable", True)
        ]
    return ModelFacts(
        model=model,
        interface=read_interface(interface),
        purpose=str(charter.get("purpose", "")),
        owner=str(charter.get("owner", "")),
        risk_class=str(charter.get("risk_class", "")),
        intended_use=_words(charter.get("intended_use")),
        out_of_scope=_words(charter.get("out_of_scope")),
        affected=_words(charter.get("affected")),
        snapshot=snapshot.subject_digests[0] if snapshot else "",
        snapshot_rows=_rows(snapshot),
        build_type=str(_object(provenance.get("buildDefinition")).get("buildType", "")),
        mitigation=_mitigation(_object(provenance.get("buildDefinition"))),
        privacy=_privacy(_object(provenance.get("buildDefinition"))),
        facts=tuple(facts),
        gaps=tuple(gaps),
        statements={name: statement.digest for name, statement in sorted(statements.items())},
    )


def _mitigation(build: Mapping[str, Any]) -> str:
    """The mitigation that the provenance names, in words."""
    chosen = _object(_object(_object(build.get("externalParameters")).get("training")).get("mitigation"))
    if not chosen:
        return ""
    listed = chosen.get("attributes")
    named = [next(iter(one)) if isinstance(one, Mapping) and one else one for one in listed or ()]
    aim = f", constraint {chosen.get('constraint')}" if chosen.get("method") not in _ONE_AIM else ""
    return f"{chosen.get('method')} for {', '.join(map(str, named))}{aim}".replace("_", " ")


def _privacy(build: Mapping[str, Any]) -> str:
    """The guarantee that the provenance states, and the state of the dataset's budget when the training began, in words."""
    said = _object(_object(build.get("internalParameters")).get("privacy"))
    if not said:
        return ""
    promise = f"epsilon {said.get('epsilon')}, delta {said.get('delta')}, for {said.get('unit')}"
    budget = _object(said.get("budget"))
    if not budget:
        return f"{promise}; it was not entered in a privacy budget"
    return (
        f"{promise}. With this training, epsilon {budget.get('spent')} of {budget.get('epsilon')} of the dataset's privacy"
        f" budget were spent, by {_counted(budget, 'training')} and {_counted(budget, 'release')}"
    )


def _counted(budget: Mapping[str, Any], what: str) -> str:
    number = budget.get(f"{what}s")
    return f"{number} {what}{'' if number == 1 else 's'}"


def _fact(suite: str, item: Mapping[str, Any], statement: str) -> Fact:
    group = item.get("group") or {}
    attribute, level = group.get("attribute"), group.get("level")
    return Fact(
        suite=suite,
        check=str(item["check"]),
        value=float(item["value"]),
        low=None if item.get("low") is None else float(item["low"]),
        high=None if item.get("high") is None else float(item["high"]),
        n=int(item["n"]),
        unit=str(item["unit"]),
        group="" if not attribute else str(attribute) if level is None else f"{attribute} = {level}",
        statement=statement,
    )


def _rows(snapshot: Statement | None) -> int | None:
    rows = snapshot.predicate.get("rows") if snapshot else None
    return rows if isinstance(rows, int) and not isinstance(rows, bool) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
