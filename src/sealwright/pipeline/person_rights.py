"""A person asks for something: the request is on file, what they ask for is done, and the answer is on record.

Answers: one verb for each right, from the request to its proof.
Does not answer: who the person is, and whether the right applies. Whoever runs the verb has settled that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from sealwright.data.requests import RequestKind, SubjectRequest
from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    Progress,
    SealwrightError,
    canonical_json,
    digest_of,
    silent,
    write_atomically,
)
from sealwright.pipeline.by_name import data_of_project, refuse_unknown_project
from sealwright.pipeline.data_consent import consents_of, name_in, suppressions_of
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.model_decisions import ModelDecision, open_decisions
from sealwright.pipeline.permission import allow
from sealwright.pipeline.person_copy import access_copy, portable_copy
from sealwright.pipeline.person_correction import check_correction, correct_person
from sealwright.pipeline.person_erasure import erase_person, find_to_erase
from sealwright.pipeline.person_search import FoundPerson, find_person
from sealwright.pipeline.rewriting import finish_replacing
from sealwright.pipeline.snapshots import subject_keys_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, raw_pseudonym

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


_PURPOSE: Mapping[str, str] = {  # as the ledger has it, with each key that is unwrapped to look
    "access": "subject access",
    "export": "subject export",
    "correct": "correction",
    "restrict": "request to restrict",
    "object": "request to object",
    "opt-out": "request to opt-out",
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
    """Do what a person asks for in one project. What can be seen to fail fails before the request is taken in.

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
    NotFound
        There is no such project; or nobody is named so, and what they ask for takes somebody.
    Refused
        A legal hold stands in the way of an erasure or a correction. The request stays open, and the message names it, as wherever it
        fails once the request was taken in.
    """
    allow(workspace, by, _ACTION[asked.right], data_of_project(project))
    refuse_unknown_project(workspace, project, asker=by)
    on_file = _on_file(workspace, name_in(workspace, project, person), asked)
    found = _found(workspace, project, person, asked, by.counts_as)
    request = _taken_in(workspace, found, asked, on_file, by.counts_as)
    try:
        answered = _done(workspace, found, person, asked, request, by.counts_as, progress)
        proof = str(answered.detail.get("proof", ""))
        ended = requests_of(workspace).end(request.id, "answered", outcome=answered.done, proof=proof, by=by.counts_as)
    except SealwrightError as error:
        error.args = (f"{error}\n{_stays_open(request)}",)
        raise
    return replace(answered, request=ended)


def _on_file(workspace: Workspace, subject: str, asked: Asked) -> SubjectRequest | None:
    """The request on file that is answered; None where it is to be taken in. Changes nothing."""
    if not asked.request:
        return None
    known, kind = requests_of(workspace, look=True).get(asked.request), _KIND[asked.right]
    if known.kind != kind or known.subject != subject or not known.is_open:
        raise Conflict(
            f"{asked.request} is a request to {known.kind} that is {known.state}; it must be open, to {kind}, and of"
            " this person. List them with: sealwright data requests --all"
        )
    return known


def _found(workspace: Workspace, project: str, person: str, asked: Asked, by: str) -> FoundPerson:
    """The person, and that what they ask for can be done: all that can be said before the request is taken in."""
    if asked.right == "correct" and not asked.values:
        raise InvalidInput("Say what is right: --set column=value, once for each column.")
    if asked.right == "erase":
        found = find_to_erase(workspace, project, person, by=by)
    else:
        finish_replacing(workspace, project, by=by)
        found = find_person(workspace, project, person, by=by, purpose=_PURPOSE[asked.right])
    if asked.right not in {"access", "export"}:  # that nothing is held is an answer to these
        _refuse_nobody(workspace, found)
    if asked.right == "correct":
        check_correction(workspace, found, asked.values)
    return found


def _refuse_nobody(workspace: Workspace, found: FoundPerson) -> None:
    """Refuse an identifier that nobody has, and nobody had: mistyped, it would leave the person as they are."""
    project, subject = found.project, found.subject
    if (
        found.any
        or raw_pseudonym(subject) in subject_keys_of(workspace, project).existing()
        or suppressions_of(workspace, look=True).of_subject(project, subject)
        or consents_of(workspace, look=True).history(project, subject)
    ):
        return
    raise NotFound(
        f"In {project} nobody is named so; identifiers count letter by letter, as the subject column has them.\n"
        "Nothing was done and no request taken in. If the identifier is right, nothing of that person is kept here: answer\n"
        "them that, and put it on record with: sealwright data request open, then sealwright data request close"
    )


def _taken_in(
    workspace: Workspace, found: FoundPerson, asked: Asked, on_file: SubjectRequest | None, by: str
) -> SubjectRequest:
    register = requests_of(workspace)
    if on_file is not None:
        return register.identified(on_file.id, asked.identity, by=by) if asked.identity else on_file
    return register.receive(
        _KIND[asked.right], found.subject, projects=[found.project], law=asked.law, by=by, identity=asked.identity
    )


def _done(
    workspace: Workspace,
    found: FoundPerson,
    person: str,
    asked: Asked,
    request: SubjectRequest,
    by: str,
    progress: Progress,
) -> Answered:
    """What they ask for, done; the request is still open."""
    if asked.right in {"access", "export"}:
        return _copy(workspace, found, person, asked, request, by)
    if asked.right == "correct":
        return _correct(workspace, found, person, asked, request, by, progress)
    if asked.right == "erase":
        return _erase(workspace, found, person, request, by, progress)
    return _leave_out(workspace, found, asked, request, by)


def _stays_open(request: SubjectRequest) -> str:
    return (
        f"The request {request.id} stays open; it is due on {request.due}. Mend that and run the same command with"
        f" --request {request.id},\nor say why it is not done: sealwright data request close {request.id} --state refused"
        ' --outcome "…"'
    )


def _copy(
    workspace: Workspace, found: FoundPerson, person: str, asked: Asked, request: SubjectRequest, by: str
) -> Answered:
    make = access_copy if asked.right == "access" else portable_copy
    found, copy = make(workspace, found.project, person, by=by, found=found)
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
    found: FoundPerson,
    person: str,
    asked: Asked,
    request: SubjectRequest,
    by: str,
    progress: Progress,
) -> Answered:
    found, moved = correct_person(workspace, found.project, person, asked.values, by=by, found=found, progress=progress)
    return Answered(
        request=request,
        found=found,
        done=f"{', '.join(asked.values)} corrected in {_count(len(moved), 'snapshot')}.",
        detail={"snapshots": moved, "proof": next(iter(moved.values()), "")},
    )


def _erase(
    workspace: Workspace, found: FoundPerson, person: str, request: SubjectRequest, by: str, progress: Progress
) -> Answered:
    erased = erase_person(workspace, found.project, person, by=by, request=request.id, found=found, progress=progress)
    models = open_decisions(workspace, erased.found, request=request.id, by=by)
    rows = sum(one.rows + one.set_aside for one in erased.rewritten)
    return Answered(
        request=request,
        found=erased.found,
        done=("The person's key is destroyed" if erased.key_destroyed else "The person had no key, or none any more")
        + f"; taken out: {_count(rows, 'row')} of"
        f" {_count(len(erased.rewritten), 'snapshot')}, {_count(erased.decisions, 'decision record')}.",
        detail={"erased": erased.to_json(), "proof": erased.statement},
        models=tuple(models),
    )


def _leave_out(workspace: Workspace, found: FoundPerson, asked: Asked, request: SubjectRequest, by: str) -> Answered:
    kind = _KIND[asked.right]
    assert kind in {"restrict", "object", "opt_out"}
    stands = suppressions_of(workspace).suppress(
        found.project,
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
