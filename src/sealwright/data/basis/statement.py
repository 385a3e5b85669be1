"""The signed statement of a dataset's basis: what was said about the data on the day it was taken in.

Answers: on what basis, for which purposes, from where and for how long was this snapshot held?
Does not answer: may it be used for something. `rules` decides that from the same words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from sealwright.data.basis.model import BasisSpec
from sealwright.data.basis.rules import ColumnGroup, ColumnLike, column_groups
from sealwright.data.basis.words import SECURITY_OF_THE_SYSTEM
from sealwright.kernel import SealwrightError, VerificationFailed, check_name, from_rfc3339, hex_of, rfc3339

__all__ = ["DATA_BASIS_TYPE", "FiledBasis", "basis_predicate", "basis_subjects", "read_basis"]

DATA_BASIS_TYPE = "urn:sealwright:predicate:data-basis:v1"

_KEYS = frozenset(
    {"format", "project", "snapshot", "purpose", "purpose_words", "basis", "columns", "security", "stated_at"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    data_class: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledBasis:
    """What a basis statement says, after its parts were checked."""

    project: str
    snapshot: str  # digest
    purpose: str | None  # id of what the model is for
    purpose_words: str
    spec: BasisSpec | None  # None: the project said nothing, and did not have to
    columns: Mapping[str, ColumnLike]
    security: tuple[str, ...]
    stated_at: datetime

    @property
    def groups(self) -> list[ColumnGroup]:
        return column_groups(self.spec, self.columns)


def basis_predicate(
    spec: BasisSpec | None,
    *,
    project: str,
    snapshot: str,
    columns: Mapping[str, ColumnLike],
    purpose: str | None,
    purpose_words: str,
    now: datetime,
) -> dict[str, Any]:
    """The predicate of a basis statement.

    Parameters
    ----------
    columns : mapping
        The columns of the contract; those with role ignore are left out.
    purpose, purpose_words : str
        `charter.purpose_id` and `charter.purpose`.

    Raises
    ------
    InvalidInput
        A name, digest or time is not usable.
    """
    hex_of(snapshot)
    kept = {name: column for name, column in columns.items() if column.role != "ignore"}
    return {
        "format": 1,
        "project": check_name(project, what="project"),
        "snapshot": snapshot,
        "purpose": purpose,
        "purpose_words": purpose_words,
        "basis": spec.plain() if spec is not None else None,
        "columns": [{"name": name, "class": one.data_class, "role": one.role} for name, one in kept.items()],
        "security": [*SECURITY_OF_THE_SYSTEM, *(spec.security if spec is not None else ())],
        "stated_at": rfc3339(now),
    }


def basis_subjects(predicate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a basis statement is about: the snapshot."""
    return [("snapshot", str(predicate["snapshot"]))]


def read_basis(predicate: Mapping[str, Any], subjects: Sequence[str] = ()) -> FiledBasis:
    """Read a basis predicate back.

    Parameters
    ----------
    subjects : sequence of digest
        `Statement.subject_digests`: where given, the predicate must be about the first of them.

    Raises
    ------
    VerificationFailed
        A field is missing, unknown or of a wrong kind, or it is about another snapshot than the statement.
    """
    if set(predicate) != _KEYS or predicate["format"] != 1:
        raise _broken("its fields are not those of format 1")
    if subjects and tuple(subjects) != (predicate["snapshot"],):
        raise _broken("it is about another snapshot than the statement")
    try:
        hex_of(predicate["snapshot"])
        said = predicate["basis"]
        purpose = predicate["purpose"]
        return FiledBasis(
            project=check_name(predicate["project"], what="project"),
            snapshot=predicate["snapshot"],
            purpose=check_name(purpose, what="purpose") if purpose is not None else None,
            purpose_words=str(predicate["purpose_words"]),
            spec=BasisSpec.model_validate(said) if said is not None else None,
            columns={
                str(one["name"]): _Column(data_class=str(one["class"]), role=str(one["role"]))
                for one in predicate["columns"]
            },
            security=tuple(str(line) for line in predicate["security"]),
            stated_at=from_rfc3339(predicate["stated_at"]),
        )
    except (ValidationError, SealwrightError, TypeError, KeyError, AttributeError) as error:
        raise _broken(str(error).splitlines()[0][:120]) from None


def _broken(reason: str) -> VerificationFailed:
    return VerificationFailed(
        f"The statement of a dataset's basis cannot be read: {reason}.\nTake the data in again with: sealwright ingest",
        link="data-basis",
    )
