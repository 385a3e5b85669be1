"""Names that stand in files we keep. They never change their meaning; a new meaning gets a new name."""

from dataclasses import dataclass

__all__ = ["CONTENT_ALGORITHM", "ENCRYPTION_ALGORITHM", "FOOTER_KEY", "QUARANTINE_KEY", "PartFile", "class_key"]

CONTENT_ALGORITHM = "sealwright-content-v1"
ENCRYPTION_ALGORITHM = "AES_GCM_V1"  # never AES_GCM_CTR_V1: a changed page would go unnoticed
FOOTER_KEY = "footer/v1"
QUARANTINE_KEY = "quarantine/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One written file of a snapshot."""

    name: str
    size: int  # bytes on disk
    digest: str  # of those bytes
    rows: int


def class_key(data_class: str) -> str:
    """Name of the master key of a class of columns, e.g. "class/personal/v1"."""
    return f"class/{data_class}/v1"
