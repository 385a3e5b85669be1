"""What a snapshot signs: its contract, its content, its files. The predicate of the snapshot statement.

Answers: what must be true of a folder for it to be this snapshot?
Does not answer: is it? That is `snapshot.open_snapshot`.
Holds no cell of the data: counts, digests, and what the contract says.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.formats import (
    CONTENT_ALGORITHM,
    ENCRYPTION_ALGORITHM,
    FOOTER_KEY,
    QUARANTINE_KEY,
    PartFile,
    class_key,
    content_digest,
)
from sealwright.data.source_spec import SqlSource
from sealwright.kernel import VerificationFailed, canonical_json, digest_of

if TYPE_CHECKING:
    from sealwright.data.layout import Layout
    from sealwright.data.sources import Source

__all__ = [
    "SNAPSHOT_TYPE",
    "Derivation",
    "FileEntry",
    "Identity",
    "Manifest",
    "Origin",
    "Reason",
    "content_of",
    "contract_digest_of",
    "file_entry",
    "make_manifest",
    "origin_of",
    "read_manifest",
]

SNAPSHOT_TYPE = "urn:sealwright:predicate:snapshot:v1"

_DIGEST = r"^sha256:[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(_Part):
    """What makes two snapshots the same one, whoever made them, whenever, from whatever file."""

    format: Literal[1] = 1
    algorithm: Literal["sealwright-content-v1", "sealwright-content-parts-v1"] = CONTENT_ALGORITHM  # type: ignore[assignment]
    contract: str = Field(pattern=_DIGEST)
    content: str = Field(pattern=_DIGEST)
    rows: int = Field(ge=1)
    quarantine: str = Field(pattern=_DIGEST)
    quarantined: int = Field(ge=0)
    subject: str | None = None  # "<project>/<column>": under whose pseudonyms persons are kept
    derivation: str | None = Field(default=None, pattern=_DIGEST)  # of the block below, where there is one

    @property
    def digest(self) -> str:
        """The snapshot's digest."""
        return digest_of(canonical_json(self.model_dump(exclude_none=True)))


class FileEntry(_Part):
    """One file of the snapshot, as it lies on disk."""

    name: str = Field(pattern=r"^(rows|quarantine|changes)-[0-9]{5}\.parquet$")
    size: int = Field(ge=1)
    digest: str = Field(pattern=_DIGEST)
    rows: int = Field(ge=1)
    blocks: list[str]  # digests of the blocks of rows in it, hex
    synthetic: bool = False  # rows that were made up: for ever marked so, and never in a test split

    @property
    def kind(self) -> str:
        """rows, quarantine, or changes: what cleaning changed."""
        return self.name.partition("-")[0]


class Origin(_Part):
    """Where the rows came from."""

    kind: str
    name: str
    digest: str = Field(pattern=_DIGEST)
    digest_of: Literal["file", "list of parts", "query text", "snapshot"]


class Derivation(_Part):
    """How a snapshot was made from others. Says how many rows and cells changed, never whose."""

    kind: Literal["append", "upsert", "delete", "clean", "augment", "extract", "redact", "correct"]
    parents: list[str] = Field(min_length=1)
    recipe: str | None = Field(default=None, pattern=_DIGEST)
    removed: int = Field(ge=0)  # rows
    added: int = Field(ge=0)  # rows
    synthetic: int = Field(default=0, ge=0)  # of those added
    changes: Mapping[str, int] = {}  # name of a step to the cells it changed
    why: str = Field(default="", max_length=500)

    @property
    def digest(self) -> str:
        return digest_of(canonical_json(self.model_dump(mode="json")))


class Encryption(_Part):
    """How the files are encrypted: which key for what."""

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
    derivation: Derivation | None = None
    withheld: Mapping[str, int] = {}  # reason to rows left out at the person's wish: consent withdrawn, erased, …
    columns: list[Column]
    files: list[FileEntry]
    encryption: Encryption
    quarantine_limit: float
    quarantine_reasons: list[Reason]

    @property
    def kept(self) -> dict[str, ColumnSpec]:
        """The columns in the files, in order."""
        return {column.name: column.spec for column in self.columns if column.contract["role"] != "ignore"}

    @property
    def layout(self) -> "Layout":
        """How the columns lie in the files."""
        from sealwright.data.layout import Layout  # a manifest is checked without the libraries that read rows

        project, _, subject = (self.identity.subject or "").partition("/")
        return Layout(columns=self.kept, subject=subject or None, project=project)

    def of_kind(self, kind: str) -> list[FileEntry]:
        """Its files of rows, of the quarantine, or of changes, in order."""
        return [entry for entry in self.files if entry.kind == kind]

    @property
    def content_of_files(self) -> str:
        """Digest of the rows as the blocks of the files say."""
        return content_of(self.kept, self.of_kind("rows"), self.identity.algorithm)

    def check(self, digest: str) -> None:
        """Refuse a manifest whose parts do not agree with each other or with `digest`."""
        contract = {"format": 1, "columns": [{"name": column.name, **column.contract} for column in self.columns]}
        rows = sum(entry.rows for entry in self.of_kind("rows"))
        aside = sum(entry.rows for entry in self.of_kind("quarantine"))
        derived = self.derivation.digest if self.derivation is not None else None
        synthetic = sum(entry.rows for entry in self.files if entry.synthetic)
        agree = (
            self.identity.digest == digest
            and digest_of(canonical_json(contract)) == self.identity.contract
            and len({column.name for column in self.columns}) == len(self.columns)
            and len({entry.name for entry in self.files}) == len(self.files)
            and (rows, aside) == (self.identity.rows, self.identity.quarantined)
            and self.identity.content == self.content_of_files
            and self.identity.derivation == derived
            and (derived is not None or not synthetic)
        )
        if not agree:
            raise VerificationFailed(
                "The manifest of this snapshot contradicts itself or is of another snapshot.", link="snapshot/statement"
            )


def make_manifest(
    *,
    columns: Mapping[str, ColumnSpec],
    origin: Origin,
    identity: Identity,
    files: Sequence[FileEntry],
    reasons: Sequence[Reason],
    quarantine_limit: float,
    created_at: str,
    sequence: int,
    derivation: Derivation | None = None,
    withheld: Mapping[str, int] | None = None,
) -> Manifest:
    """The manifest of a finished snapshot."""
    classes = sorted({column.data_class for column in columns.values() if column.role != "ignore"})
    return Manifest(
        created_at=created_at,
        sequence=sequence,
        identity=identity,
        source=origin,
        derivation=derivation,
        withheld=dict(withheld or {}),
        columns=[Column(name=name, contract=column.plain()) for name, column in columns.items()],
        files=list(files),
        encryption=Encryption(class_keys={name: class_key(name) for name in classes}),
        quarantine_limit=quarantine_limit,
        quarantine_reasons=list(reasons),
    )


def contract_digest_of(columns: Mapping[str, ColumnSpec]) -> str:
    """Digest of columns and what they may hold, as `DataSpec.contract_digest`."""
    listed = [{"name": name, **column.plain()} for name, column in columns.items()]
    return digest_of(canonical_json({"format": 1, "columns": listed}))


def content_of(columns: Mapping[str, ColumnSpec], files: Sequence[FileEntry], algorithm: str) -> str:
    """Digest of the rows in these files, as their blocks say. `columns`: those that are kept, in order."""
    blocks = [block for entry in files for block in entry.blocks]
    kinds = [(name, "text" if column.type == "category" else column.type) for name, column in columns.items()]
    return content_digest(blocks, kinds, sum(entry.rows for entry in files), algorithm)


def file_entry(part: PartFile, *, synthetic: bool = False) -> FileEntry:
    """A written file as the manifest lists it."""
    return FileEntry(
        name=part.name,
        size=part.size,
        digest=part.digest,
        rows=part.rows,
        blocks=list(part.blocks),
        synthetic=synthetic,
    )


def origin_of(source: "Source") -> Origin:
    """Where rows came from, for the manifest."""
    from sealwright.data.sources.parted import Parted

    if isinstance(source.spec, SqlSource):
        digest = digest_of(source.spec.sql.encode())
        return Origin(kind=source.kind, name=source.name, digest=digest, digest_of="query text")
    of: Literal["file", "list of parts"] = "list of parts" if isinstance(source, Parted) else "file"
    return Origin(kind=source.kind, name=source.name, digest=source.digest, digest_of=of)


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
