"""Where the checkpoints of a workspace go by themselves: witnesses, time-stamping authorities, locked buckets.

Answers: whom does this workspace anchor its ledgers with?
Does not answer: whom an auditor trusts. They bring their own keys and certificates.

Kept as anchors.json in the workspace. Every change is an entry of the ledger, so an anchor that vanishes was in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    canonical_json,
    digest_of,
    read_limited,
    strict_json,
    write_atomically,
)
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import LedgerResource, LockedBucket, Principal, TimestampAuthority, WitnessKey, check_address

__all__ = ["AnchorSettings", "BucketAt", "StamperAt", "WitnessAt", "add_anchor", "read_anchors", "remove_anchor"]

_FILE, _MOST_BYTES = "anchors.json", 4 << 20
_MOST = 16  # of each kind


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness, and where it answers."""

    address: str
    vkey: str

    @property
    def key(self) -> WitnessKey:
        return WitnessKey.parse(self.vkey)

    @property
    def name(self) -> str:
        return self.key.name

    def check(self) -> None:
        check_address(self.address)
        self.key  # noqa: B018 - a key that is none is refused


@dataclass(frozen=True, slots=True)
class StamperAt:
    """A time-stamping authority, its pinned certificates, and where it answers."""

    address: str
    pem: str
    policy: str = ""

    @property
    def authority(self) -> TimestampAuthority:
        return TimestampAuthority.from_pem(self.pem.encode(), self.policy or None)

    @property
    def name(self) -> str:
        return self.authority.fingerprint[:23]

    def check(self) -> None:
        check_address(self.address)
        self.authority  # noqa: B018 - certificates that are none are refused


@dataclass(frozen=True, slots=True)
class BucketAt:
    """A bucket with Object Lock. `endpoint` is empty for AWS."""

    bucket: str
    prefix: str = "sealwright"
    days: int = 400
    endpoint: str = ""

    @property
    def store(self) -> LockedBucket:
        return LockedBucket(self.bucket, prefix=self.prefix, days=self.days, endpoint=self.endpoint or None)

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def check(self) -> None:
        if self.endpoint:
            check_address(self.endpoint)
        self.store  # noqa: B018 - days that are none are refused


Anchor = WitnessAt | StamperAt | BucketAt
_KINDS: Mapping[str, type[WitnessAt] | type[StamperAt] | type[BucketAt]] = {
    "witnesses": WitnessAt,
    "timestamps": StamperAt,
    "buckets": BucketAt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSettings:
    """All anchors of a workspace."""

    witnesses: tuple[WitnessAt, ...] = ()
    timestamps: tuple[StamperAt, ...] = ()
    buckets: tuple[BucketAt, ...] = ()

    @property
    def all(self) -> tuple[Anchor, ...]:
        return (*self.witnesses, *self.timestamps, *self.buckets)

    def to_json(self) -> dict[str, Any]:
        kinds = {kind: [_fields(one) for one in getattr(self, kind)] for kind in _KINDS}
        return {"format": 1, "type": "sealwright.anchors", **kinds}


def read_anchors(home: Path) -> AnchorSettings:
    """The anchors of the workspace at `home`; none if nothing was set.

    Raises
    ------
    VerificationFailed
        anchors.json is not one we wrote.
    """
    path = home / _FILE
    if not path.exists():
        return AnchorSettings()
    try:
        said = strict_json(read_limited(path, _MOST_BYTES), what=_FILE)
        found = {kind: tuple(made(**one) for one in said[kind]) for kind, made in _KINDS.items()}
        settings = AnchorSettings(**found)  # type: ignore[arg-type]
        if settings.to_json() != said:
            raise InvalidInput("other fields")
        for one in settings.all:
            one.check()
    except (InvalidInput, TypeError, KeyError) as error:
        raise VerificationFailed(f"{path} is not as we wrote it: {error}", link=_FILE) from None
    return settings


def add_anchor(workspace: Workspace, anchor: Anchor, *, by: Principal) -> AnchorSettings:
    """Anchor with one more; the ledger has it before the file does.

    Raises
    ------
    PermissionDenied
        Whoever acts may not say where the ledger is anchored.
    Conflict
        It is there already, or there are too many of its kind.
    InvalidInput
        An address, key, certificate or bucket that is none.
    """
    allow(workspace, by, "ledger.anchor", LedgerResource())
    anchor.check()
    before, kind = read_anchors(workspace.home), _kind_of(anchor)
    held = getattr(before, kind)
    if any(one.name == anchor.name for one in held):
        raise Conflict(f"{anchor.name} is an anchor of this workspace already. Remove it first to change it.")
    if len(held) >= _MOST:
        raise Conflict(f"A workspace has at most {_MOST} {kind}.")
    return _changed(workspace, "anchor.added", anchor, replace(before, **{kind: (*held, anchor)}), by.counts_as)


def remove_anchor(workspace: Workspace, name: str, *, by: Principal) -> AnchorSettings:
    """Anchor with one less.

    Raises
    ------
    PermissionDenied
        Whoever acts may not say where the ledger is anchored.
    NotFound
        There is none of that name.
    """
    allow(workspace, by, "ledger.anchor", LedgerResource())
    before = read_anchors(workspace.home)
    for kind in _KINDS:
        held = getattr(before, kind)
        for one in held:
            if one.name == name:
                kept = tuple(other for other in held if other is not one)
                return _changed(workspace, "anchor.removed", one, replace(before, **{kind: kept}), by.counts_as)
    raise NotFound(f"There is no anchor {name[:80]!r}. See them with: sealwright ledger witnesses")


def _changed(workspace: Workspace, action: str, anchor: Anchor, after: AnchorSettings, by: str) -> AnchorSettings:
    detail = {"kind": _kind_of(anchor), "anchor": digest_of(canonical_json(_fields(anchor)))}
    workspace.ledger.append(action, workspace.id, detail, actor=by)
    write_atomically(workspace.home / _FILE, canonical_json(after.to_json()))
    return after


def _kind_of(anchor: Anchor) -> str:
    return next(kind for kind, made in _KINDS.items() if isinstance(anchor, made))


def _fields(anchor: Anchor) -> dict[str, Any]:
    return {name: getattr(anchor, name) for name in anchor.__dataclass_fields__}
