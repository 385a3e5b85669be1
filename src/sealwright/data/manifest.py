"""What a snapshot signs: its contract, its content, its files. The predicate of the snapshot statement.

Answers: what must be true of a folder for it to be this snapshot?
Does not answer: is it? That is `snapshot.open_snapshot`.
Holds no cell of the data: counts, digests, and what the contract says.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealwright.data.errors import ReasonCount
from sealwright.data.formats import (
    CONTENT_ALGORITHM,
    ENCRYPTION_ALGORITHM,
    FOOTER_KEY,
    QUARANTINE_KEY,
    PartFile,
    class_key,
)
from sealwright.data.spec import ColumnSpec, DataSpec, SqlSource
from sealwright.kernel import VerificationFailed, canonical_json, digest_of

if TYPE_CHECKING:
    from sealwright.data.sources import Source

__all__ = ["SNAPSHOT_TYPE", "FileEntry", "Identity", "Manifest", "make_manifest", "read_manifest"]

SNAPSHOT_TYPE = "urn:sealwright:predicate:snapshot:v1"

_DIGEST = r"^sha256:[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(_Part):
    """What makes two snapshots the same one, whoever made them, whenever, from whatever file."""

    format: Literal[1] = 1
    algorithm: Literal["sealwright-content-v1"] = CONTENT_ALGORITHM  # type: ignore[assignment]
    contract: str = Field(pattern=_DIGEST)
    content: str = Field(pattern=_DIGEST)
    rows: int = Field(ge=1)
    quarantine: str = Field(pattern=_DIGEST)
    quarantined: int = Field(ge=0)

    @property
    def digest(self) -> str:
        """The snapshot's digest."""
        return digest_of(canonical_json(self.model_dump()))


class FileEntry(_Part):
    """One file of the snapshot, as it lies on disk."""

    name: str = Field(pattern=r"^(rows|quarantine)-[0-9]{5}\.parquet$")
    size: int = Field(ge=1)
    digest: str = Field(pattern=_DIGEST)
    rows: int = Field(ge=1)

    @property
    def is_quarantine(self) -> bool:
        return self.name.startswith("quarantine-")


class Origin(_Part):
    """Where the rows came from."""

    kind: str
    name: str
    digest: str = Field(pattern=_DIGEST)
    digest_of: Literal["file", "query text"]


class Encryption(_Part):
    """How the files are encrypted: which master key for what."""

    algorithm: Literal["AES_GCM_V1"] = ENCRYPTION_ALGORITHM  # type: ignore[assignment]
    key_bits: Literal[256] = 256
    footer_key: str = FOOTER_KEY
    quarantine_key: str = QUARANTINE_KEY
    class_keys: Mapping[str, str]


class Reason(_Part):
    """How many cells of a column were refused for one reason."""

    column: str
    reason: str
    cells: int


class Column(_Part):
    """One column of the contract; those with role ignore are not in the files."""

    name: str
    contract: Mapping[str, Any]

    @property
    def spec(self) -> ColumnSpec:
        return ColumnSpec.model_validate(dict(self.contract))


class Manifest(_Part):
    """The whole predicate."""

    format: Literal[1] = 1
    created_at: str
    sequence: int = Field(ge=0)
    identity: Identity
    source: Origin
    columns: list[Column]
    files: list[FileEntry]
    encryption: Encryption
    quarantine_limit: float
    quarantine_reasons: list[Reason]

    @property
    def kept(self) -> dict[str, ColumnSpec]:
        """The columns in the files, in order."""
        return {column.name: column.spec for column in self.columns if column.contract["role"] != "ignore"}

    def check(self, digest: str) -> None:
        """Refuse a manifest whose parts do not agree with each other or with `digest`."""
        contract = {"format": 1, "columns": [{"name": column.name, **column.contract} for column in self.columns]}
        rows = sum(entry.rows for entry in self.files if not entry.is_quarantine)
        aside = sum(entry.rows for entry in self.files if entry.is_quarantine)
        agree = (
            self.identity.digest == digest
            and digest_of(canonical_json(contract)) == self.identity.contract
            and len({column.name for column in self.columns}) == len(self.columns)
            and len({entry.name for entry in self.files}) == len(self.files)
            and (rows, aside) == (self.identity.rows, self.identity.quarantined)
        )
        if not agree:
            raise VerificationFailed(
                "The manifest of this snapshot contradicts itself or is of another snapshot.", link="snapshot/statement"
            )


def make_manifest(
    *,
    spec: DataSpec,
    source: "Source",
    identity: Identity,
    files: Sequence[PartFile],
    reasons: Sequence[ReasonCount],
    created_at: str,
    sequence: int,
) -> Manifest:
    """The manifest of a finished ingest."""
    classes = sorted({spec.columns[name].data_class for name in spec.kept})
    return Manifest(
        created_at=created_at,
        sequence=sequence,
        identity=identity,
        source=_origin(source),
        columns=[Column(name=name, contract=column.plain()) for name, column in spec.columns.items()],
        files=[FileEntry(name=part.name, size=part.size, digest=part.digest, rows=part.rows) for part in files],
        encryption=Encryption(class_keys={name: class_key(name) for name in classes}),
        quarantine_limit=spec.quarantine.at_most_share,
        quarantine_reasons=[Reason(column=found.column, reason=found.reason, cells=found.cells) for found in reasons],
    )


def _origin(source: "Source") -> Origin:
    if isinstance(source.spec, SqlSource):
        digest = digest_of(source.spec.sql.encode())
        return Origin(kind=source.kind, name=source.name, digest=digest, digest_of="query text")
    return Origin(kind=source.kind, name=source.name, digest=source.digest, digest_of="file")


def read_manifest(predicate: Mapping[str, Any], digest: str) -> Manifest:
    """The manifest in a verified statement, checked against the digest it must be of.

    Raises
    ------
    VerificationFailed
        Other fields, or parts that do not agree.
    """
    try:
        manifest = Manifest.model_validate(dict(predicate))
        manifest.check(digest)
        assert manifest.kept
        return manifest
    except (ValidationError, ValueError, KeyError, AssertionError):
        raise VerificationFailed(
            "The signed manifest is not one this release can read.", link="snapshot/statement"
        ) from None
