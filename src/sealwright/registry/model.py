"""What the registry keeps: candidates, sealed packages, versions, pointers, revocations.

Frozen, no I/O. Digests are "sha256:<hex>", times are aware and UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.evidence import Approval
from sealwright.trust import PointerArm, Statement

__all__ = [
    "Candidate",
    "PackageParts",
    "PointerFacts",
    "Revocation",
    "RevocationList",
    "SealedPackage",
    "VerifiedPackage",
    "Version",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageParts:
    """What a candidate is built from. Statements are signed envelopes by their name in the package."""

    model: bytes = field(repr=False)
    interface: Mapping[str, Any] = field(repr=False)
    card_md: str = field(repr=False)
    bom: bytes = field(repr=False)
    statements: Mapping[str, bytes] = field(repr=False)  # "charter", "snapshot", "provenance", "quality", …
    explainer: bytes | None = field(repr=False, default=None)  # what reasons need besides the model
    answering: bytes | None = field(repr=False, default=None)  # how rows and answers are checked, how much is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A package before its gate: everything that is judged, under one digest."""

    digest: str  # P: what the gate and the approvals are about
    model: str  # M: digest of model.onnx
    project: str
    files: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPackage:
    """A package on disk, signed. Nothing about it changes any more."""

    digest: str
    model: str
    project: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPackage:
    """A package after every check, all of it from the bytes that were checked."""

    digest: str  # P
    model: str  # M
    project: str
    model_bytes: bytes = field(repr=False)
    interface: Mapping[str, Any] = field(repr=False)
    statements: Mapping[str, Statement] = field(repr=False)  # by name; without gate and approvals
    gate: Statement = field(repr=False)
    approvals: tuple[Approval, ...] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)  # every file, by name
    signed_by: str  # key id of the package signature
    checked: Sequence[str] = ()  # worded for people
    not_checked: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A package under a number people can say."""

    project: str
    number: int  # 1, 2, 3, … per project
    package: str
    model: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerFacts:
    """What a verified pointer says: this package serves here, from then until then.

    `arms`, `split`: where requests are shared among several packages. The first arm is the champion, whose package and
    number also stand in `package` and `number`; without arms there is nothing but that.
    """

    project: str
    channel: str
    sequence: int  # 1, 2, 3, … per project and channel, never reused
    package: str
    number: int
    not_before: datetime
    expires: datetime
    previous: str | None  # digest of the pointer statement before
    revocations: int  # a revocation list older than this one must not be believed
    reason: str
    by: str
    digest: str  # of this pointer's statement
    arms: tuple[PointerArm, ...] = ()
    split: str = ""  # the salt by which requests are spread over the arms, hex text


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One package that must not be served any more."""

    package: str
    sequence: int  # of the list that first named it
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """Every revoked package of a workspace. A newer list only ever adds."""

    sequence: int
    issued_at: datetime
    packages: Mapping[str, Revocation]
    digest: str  # of the statement; "" where nothing was revoked yet
