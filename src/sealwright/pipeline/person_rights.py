"""A person asks for something: the request is on file, what they ask for is done, and the answer is on record.

Answers: one verb for each right, from the request to its proof.
Does not answer: who the person is, and whether the right applies. Whoever runs the verb has settled that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sealwright.data.requests import RequestKind, SubjectRequest
from sealwright.kernel import Conflict, InvalidInput, Progress, canonical_json, digest_of, silent, write_atomically
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.data_consent import name_in, suppressions_of
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.model_decisions import ModelDecision, open_decisions
from sealwright.pipeline.permission import allow
from sealwright.pipeline.person_copy import access_copy, portable_copy
from sealwright.pipeline.person_correction import correct_person
from sealwright.pipeline.person_erasure import erase_person
from sealwright.pipeline.person_search import FoundPerson, find_person
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["RIGHTS", "Answered", "Asked", "Right", "answer_person"]

Right = Literal["access", "correct", "erase", "restrict", "object", "export", "opt-out"]
RIGHTS: tuple[Right, ...] = get_args(Right)
_KIND: Mapping[str, RequestKind] = {
    "access": "access",
    "correct": "correct",
    "erase": "erase",
    "restrict": "restrict",
    "object": "object",
    "export": "export",
    "opt-out": "opt_out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for, and what is needed to do it."""

    right: Right
    request: str = ""  # id of one that is on file; empty: it is taken in now
    law: Literal["gdpr", "ccpa"] = "gdpr"
    identity: str = ""  # reference to how the person was identified
    values: Mapping[str, str] = field(default_factory=dict, repr=False)  # correct: column -> right value
    to: Path | None = None  # access, export: where the copy goes
    signal: Literal["request", "gpc"] = "request"  # opt-out: how it was said


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was done. `copy` is the person's data where they asked for it and named no file."""

    request: SubjectRequest
    found: FoundPerson
    done: str  # in words
    detail: Mapping[str, Any]
    models: tuple[ModelDecision, ...] = ()  # about which somebody must decide now
    copy: Mapping[str, Any] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "request": self.request.to_json(),
            "found": self.found.to_json(),
            "done": self.done,
            **self.detail,
            "models_to_decide": [one.to_json() for one in self.models if one.is_open],
            **({"copy": dict(self.copy)} if self.copy is not None else {}),
        }


_ACTION = {
    "access": "person.export",
    "export": "person.export",
    "correct": "person.correct",
    "erase": "data.erase",
    "restrict": "person.correct",
    "object": "person.correct",
    "opt-out": "person.correct",
}


def answer_person(
    workspace: Workspace, project: str, person: str, asked: Asked, *, by: Principal, progress: Progress = silent
) -> Answered:
    """Do what a person asks for in one project.

    Parameters
    ----------
    person : str
        Their identifier exactly as the subject column has it.

    Raises
    ------
    InvalidInput
        The project's data names no persons, or something needed is missing.
    Conflict
        The request that is named is of another kind or person, or has ended.
    Refused
        A legal hold stands in the way of an erasure. The request stays open.
    """
    allow(workspace, by, _ACTION[asked.right], data_of_project(project))
    request = _request(workspace, project, person, asked, by.counts_as)
    if asked.right in {"access", "export"}:
        answered = _copy(workspace, project, person, asked, request, by.counts_as)
    elif asked.right == "correct":
        answered = _correct(workspace, project, person, asked, request, by.counts_as, progress)
    elif asked.right == "erase":
        answered = _erase(workspace, project, person, request, by.counts_as, progress)
    else:
        answered = _leave_out(workspace, project, person, asked, request, by.counts_as)
    proof = str(answered.detail.get("proof", ""))
    ended = requests_of(workspace).end(request.id, "answered", outcome=answered.done, proof=proof, by=by.counts_as)
    return Answered(
        request=ended,
        found=answered.found,
        done=answered.done,
        detail=answered.detail,
        models=answered.models,
        copy=answered.copy,
    )


def _request(workspace: Workspace, project: str, person: str, asked: Asked, by: str) -> SubjectRequest:
    """The request that is answered; one that is not on file yet is taken in now."""
    register, subject, kind = requests_of(workspace), name_in(workspace, project, person), _KIND[asked.right]
    if asked.right == "correct" and not asked.values:
        raise InvalidInput("Say what is right: --set column=value, once for each column.")
    if asked.request:
        known = register.get(asked.request)
        if known.kind != kind or known.subject != subject or not known.is_open:
            raise Conflict(
                f"{asked.request} is a request to {known.kind} that is {known.state}; it must be open, to {kind}, and of"
                " this person. List them with: sealwright data requests --all"
            )
        return register.identified(known.id, asked.identity, by=by) if asked.identity else known
    return register.receive(kind, subject, projects=[project], law=asked.law, by=by, identity=asked.identity)


def _copy(workspace: Workspace, project: str, person: str, asked: Asked, request: SubjectRequest, by: str) -> Answered:
    make = access_copy if asked.right == "access" else portable_copy
    found, copy = make(workspace, project, person, by=by)
    data = canonical_json(copy)
    if asked.to is not None:
        write_atomically(asked.to, data, mode=0o600)
    rows = sum(one.rows for one in found.snapshots)
    return Answered(
        request=request,
        found=found,
        done=f"A copy was made of {_count(rows, 'row')} and {_count(len(found.decisions), 'decision')}."
        if asked.right == "access"
        else f"A copy was made of {_count(len(copy['rows']), 'row')}.",
        detail={"proof": digest_of(data), **({"file": str(asked.to)} if asked.to is not None else {})},
        copy=copy if asked.to is None else None,
    )


def _correct(
    workspace: Workspace,
    project: str,
    person: str,
    asked: Asked,
    request: SubjectRequest,
    by: str,
    progress: Progress,
) -> Answered:
    found, moved = correct_person(workspace, project, person, asked.values, by=by, progress=progress)
    return Answered(
        request=request,
        found=found,
        done=f"{', '.join(asked.values)} corrected in {_count(len(moved), 'snapshot')}.",
        detail={"snapshots": moved, "proof": next(iter(moved.values()), "")},
    )


def _erase(
    workspace: Workspace, project: str, person: str, request: SubjectRequest, by: str, progress: Progress
) -> Answered:
    erased = erase_person(workspace, project, person, by=by, request=request.id, progress=progress)
    models = open_decisions(workspace, erased.found, request=request.id, by=by)
    rows = sum(one.rows + one.set_aside for one in erased.rewritten)
    return Answered(
        request=request,
        found=erased.found,
        done=f"The person's key is destroyed; taken out: {_count(rows, 'row')} of"
        f" {_count(len(erased.rewritten), 'snapshot')}, {_count(erased.decisions, 'decision record')}.",
        detail={"erased": erased.to_json(), "proof": erased.statement},
        models=tuple(models),
    )


def _leave_out(
    workspace: Workspace, project: str, person: str, asked: Asked, request: SubjectRequest, by: str
) -> Answered:
    found = find_person(workspace, project, person, by=by, purpose=f"request to {asked.right}")
    kind = _KIND[asked.right]
    assert kind in {"restrict", "object", "opt_out"}
    stands = suppressions_of(workspace).suppress(
        project,
        found.subject,
        kind,
        by=by,
        request=request.id,
        origin=asked.signal,
    )
    return Answered(
        request=request,
        found=found,
        done="From now on the person's rows are kept but not used: no training, no assurance, no export, no new snapshot.",
        detail={"suppression": stands.id, "signal": asked.signal},
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
