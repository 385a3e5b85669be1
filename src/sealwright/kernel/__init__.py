"""What every room stands on: errors, ids, time, digests, canonical bytes, safe files.

Answers: how do we name, time, hash, write and refuse things?
Does not answer: anything about models, data or people. Imports no other room.
"""

from typing import TYPE_CHECKING, Any

from sealwright.kernel.canonical import canonical_json, strict_json
from sealwright.kernel.digests import Sha256, digest_of, digest_of_file, hex_of
from sealwright.kernel.errors import (
    Conflict,
    InvalidInput,
    MissingExtra,
    NotFound,
    OperationFailed,
    Refused,
    SealwrightError,
    StoppedByPolicy,
    VerificationFailed,
)
from sealwright.kernel.escaping import json_text, page_text, safe, safe_html
from sealwright.kernel.files import fsync_folder, private_folder, read_limited, write_atomically
from sealwright.kernel.ids import check_name, new_id, new_ids
from sealwright.kernel.progress import Progress, silent
from sealwright.kernel.time import Clock, FixedClock, from_rfc3339, rfc3339, system_clock
from sealwright.kernel.version import VERSION
from sealwright.kernel.writing_csv import FORMULA_START, NUMBER, csv_cell, csv_text
from sealwright.kernel.writing_yaml import YAML_WIDTH, yaml_comment, yaml_value

if TYPE_CHECKING:
    from sealwright.kernel.reading_yaml import Located, strict_yaml

__all__ = [
    "Clock",
    "Conflict",
    "FORMULA_START",
    "FixedClock",
    "InvalidInput",
    "Located",
    "MissingExtra",
    "NUMBER",
    "NotFound",
    "OperationFailed",
    "Progress",
    "Refused",
    "SealwrightError",
    "Sha256",
    "StoppedByPolicy",
    "VERSION",
    "VerificationFailed",
    "YAML_WIDTH",
    "canonical_json",
    "check_name",
    "csv_cell",
    "csv_text",
    "digest_of",
    "digest_of_file",
    "from_rfc3339",
    "fsync_folder",
    "hex_of",
    "json_text",
    "new_id",
    "new_ids",
    "page_text",
    "private_folder",
    "read_limited",
    "rfc3339",
    "safe",
    "safe_html",
    "silent",
    "strict_json",
    "strict_yaml",
    "system_clock",
    "write_atomically",
    "yaml_comment",
    "yaml_value",
]


def __getattr__(name: str) -> Any:
    """What reads YAML loads on first use: a serving process reads none."""
    if name not in ("Located", "strict_yaml"):
        raise AttributeError(f"sealwright.kernel has no {name!r}")
    from sealwright.kernel import reading_yaml

    return getattr(reading_yaml, name)
