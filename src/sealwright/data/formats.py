"""Names that stand in files we keep. They never change their meaning; a new meaning gets a new name."""

from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.kernel import canonical_json, digest_of

__all__ = [
    "CHANGES_KEY",
    "CONTENT_ALGORITHM",
    "ENCRYPTION_ALGORITHM",
    "FOOTER_KEY",
    "KEYS_FILE",
    "PARTS_ALGORITHM",
    "QUARANTINE_KEY",
    "SUBJECT_KEY",
    "PartFile",
    "class_key",
    "content_digest",
]

CONTENT_ALGORITHM = "sealwright-content-v1"
PARTS_ALGORITHM = "sealwright-content-parts-v1"  # the same, where blocks end with each file
ENCRYPTION_ALGORITHM = "AES_GCM_V1"  # never AES_GCM_CTR_V1: a changed page would go unnoticed
FOOTER_KEY = "footer/v1"
QUARANTINE_KEY = "quarantine/v1"
CHANGES_KEY = "changes/v1"  # what cleaning changed: old and new cells
SUBJECT_KEY = "subject/v1"  # pseudonyms of persons, so that rows of erased persons are left out for every reader
KEYS_FILE = "keys.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One written file of a snapshot."""

    name: str
    size: int  # bytes on disk
    digest: str  # of those bytes
    rows: int
    blocks: tuple[str, ...]  # digests of the blocks of rows in it (`content`), hex


def class_key(data_class: str) -> str:
    """Name of the master key of a class of columns, e.g. "class/personal/v1"."""
    return f"class/{data_class}/v1"


def content_digest(blocks: Sequence[str], columns: Sequence[tuple[str, str]], rows: int, algorithm: str) -> str:
    """Digest of a content from the digests of its blocks (`content`); `columns`: name and kind of each, in order."""
    named = [[name, kind] for name, kind in columns]
    return digest_of(canonical_json({"algorithm": algorithm, "blocks": list(blocks), "columns": named, "rows": rows}))
