"""Freezing a charter: what was promised, in bytes that can be signed and dated.

Answers: which objectives, thresholds, groups and settings were fixed at a moment?
Does not answer: when that was compared to the results; the ledger's order answers it, read by `evidence`.
Pure: nothing here signs, files or reads a clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from sealwright.charter.model import CharterSpec
from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    from_rfc3339,
    hex_of,
    rfc3339,
)

__all__ = ["CHARTER_TYPE", "FrozenCharter", "charter_subjects", "freeze_charter", "read_charter"]

CHARTER_TYPE = "urn:sealwright:predicate:charter:v1"

_KEYS = frozenset(
    {"format", "project", "charter", "charter_digest", "policy", "policy_digest", "groups", "settings", "frozen_at"}
)
_SECTIONS = "sections"  # charters of before it was added lack it; then settings are known by digest alone


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCharter:
    """A charter statement's content after its inner digests were checked."""

    project: str
    spec: CharterSpec
    charter_digest: str
    policy: Mapping[str, Any]  # the whole resolved policy, so that a later one can be compared with it
    policy_digest: str
    groups: tuple[str, ...]  # attributes for which fairness was promised to be measured
    settings: Mapping[str, str]  # name of a project section -> digest of its canonical JSON
    sections: Mapping[str, Mapping[str, Any]]  # those held whole, so that later settings can be compared with them
    frozen_at: datetime

    def same_terms(self, predicate: Mapping[str, Any]) -> bool:
        """True where `predicate` promises exactly the same; only the moment may differ."""
        said = {_SECTIONS: {}, **predicate}
        return all(value == said.get(key) for key, value in _terms(self).items())


def freeze_charter(
    spec: CharterSpec,
    *,
    project: str,
    policy: Mapping[str, Any],
    groups: Sequence[str],
    settings: Mapping[str, str],
    now: datetime,
    sections: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The predicate of a charter statement.

    Parameters
    ----------
    spec : CharterSpec
        The project's charter.
    project : str
        Its name.
    policy : mapping
        The resolved policy as JSON (`evidence.Policy.to_json()`), objectives included.
    groups : sequence of str
        Attributes whose groups the fairness suite will compare. Naming fewer later counts as missing evidence.
    settings : mapping of str to digest
        Digests of the settings the run will use, e.g. {"assurance": "sha256:…"}.
    now : datetime
        The moment of freezing, aware.
    sections : mapping of str to mapping, optional
        Settings to hold whole besides, as JSON: those under which a model will be measured, {"assurance": {…}}.

    Raises
    ------
    InvalidInput
        A name, digest or time is not usable, or a section is not the one its digest in `settings` stands for.
    """
    body = spec.model_dump(mode="json")
    for digest in settings.values():
        hex_of(digest)
    held = {name: dict(section) for name, section in (sections or {}).items()}
    if wrong := _unlike(held, settings):
        raise InvalidInput(f"The section {wrong} is not the one whose digest is in settings.")
    return {
        "format": 1,
        "project": check_name(project, what="project"),
        "charter": body,
        "charter_digest": digest_of(canonical_json(body)),
        "policy": dict(policy),
        "policy_digest": digest_of(canonical_json(policy)),
        "groups": sorted(set(groups)),
        "settings": dict(settings),
        _SECTIONS: held,
        "frozen_at": rfc3339(now),
    }


def charter_subjects(predicate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a charter statement is about: the charter itself, by the digest of its content."""
    return [(f"{predicate['project']}/charter", str(predicate["charter_digest"]))]


def read_charter(predicate: Mapping[str, Any]) -> FrozenCharter:
    """Read a charter predicate back, trusting nothing that can be recomputed.

    Raises
    ------
    VerificationFailed
        A field is missing, unknown or of a wrong kind, or an inner digest does not match its content.
    """
    if (
        set(predicate) | {_SECTIONS} != _KEYS | {_SECTIONS}
        or predicate["format"] != 1
        or not isinstance(predicate["policy"], Mapping)
    ):
        raise _broken("its fields are not those of format 1")
    try:
        spec = CharterSpec.model_validate(predicate["charter"])
        for digest in predicate["settings"].values():
            hex_of(digest)
        frozen = FrozenCharter(
            project=check_name(predicate["project"], what="project"),
            spec=spec,
            charter_digest=digest_of(canonical_json(spec.model_dump(mode="json"))),
            policy=predicate["policy"],
            policy_digest=digest_of(canonical_json(predicate["policy"])),
            groups=tuple(str(name) for name in predicate["groups"]),
            settings=dict(predicate["settings"]),
            sections={name: dict(section) for name, section in predicate.get(_SECTIONS, {}).items()},
            frozen_at=from_rfc3339(predicate["frozen_at"]),
        )
    except (ValidationError, AttributeError, TypeError, ValueError) as error:
        raise _broken(str(error).splitlines()[0]) from None
    if not frozen.same_terms(predicate) or _unlike(frozen.sections, frozen.settings):
        raise _broken("a digest inside it does not match what it stands for")
    return frozen


def _terms(frozen: FrozenCharter) -> dict[str, Any]:
    return {
        "project": frozen.project,
        "charter": frozen.spec.model_dump(mode="json"),
        "charter_digest": frozen.charter_digest,
        "policy": frozen.policy,
        "policy_digest": frozen.policy_digest,
        "groups": list(frozen.groups),
        "settings": frozen.settings,
        _SECTIONS: frozen.sections,
    }


def _unlike(sections: Mapping[str, Mapping[str, Any]], settings: Mapping[str, str]) -> str:
    """The first section that is not what its digest stands for, or ""."""
    wrong = (name for name, one in sections.items() if settings.get(name) != digest_of(canonical_json(one)))
    return next(wrong, "")


def _broken(reason: str) -> VerificationFailed:
    return VerificationFailed(
        f"The charter statement cannot be read: {reason}.\nFreeze the charter again with: sealwright run",
        link="charter",
    )
