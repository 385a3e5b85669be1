"""Data under contract: from a file or a query to an encrypted, signed snapshot.

Answers: what may the data hold, which rows keep to it, and exactly which rows was a model made from?
Does not answer: what is learned from it, or whether the model may be used.
Names load on first use, so that importing the room costs nothing; reading data needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.cast_one import cast_cell
    from sealwright.data.cells import REASONS
    from sealwright.data.check import check_batch, check_columns
    from sealwright.data.checked import CheckedSnapshot, check_snapshot
    from sealwright.data.column_spec import ColumnSpec, DataClass
    from sealwright.data.croissant import croissant_card
    from sealwright.data.derivation import Step, derive
    from sealwright.data.disposal import Disposal, dispose_snapshot
    from sealwright.data.encryption import encrypted_batches, encrypted_writer
    from sealwright.data.errors import (
        ColumnsUnusable,
        ContractMismatch,
        QuarantineFull,
        ReasonCount,
        SourceUnreadable,
        TargetUnusable,
        TransportRefused,
    )
    from sealwright.data.file_keys import rewrap_file_keys
    from sealwright.data.formats import FOOTER_KEY
    from sealwright.data.infer import Inferred, infer_contract
    from sealwright.data.ingestion import admitted, ingest
    from sealwright.data.interface import example_row, feature_interface
    from sealwright.data.key_sets import RowKeys
    from sealwright.data.manifest import SNAPSHOT_TYPE
    from sealwright.data.quarantine import Problem, QuarantinedRow, Tally
    from sealwright.data.snapshot import Snapshot, open_snapshot, quarantine_of
    from sealwright.data.source_spec import FileSource, S3Source, SqlSource
    from sealwright.data.sources import Source, SourceBatch, open_source
    from sealwright.data.spec import READERS, DataSpec, QuarantineSpec
    from sealwright.data.splitting import rows_for_testing, split
    from sealwright.data.subject_keys import SubjectKeys

__all__ = [
    "FOOTER_KEY",
    "READERS",
    "REASONS",
    "SNAPSHOT_TYPE",
    "CheckedSnapshot",
    "ColumnSpec",
    "ColumnsUnusable",
    "ContractMismatch",
    "DataClass",
    "DataSpec",
    "Disposal",
    "FileSource",
    "Inferred",
    "Problem",
    "QuarantineFull",
    "QuarantineSpec",
    "QuarantinedRow",
    "ReasonCount",
    "RowKeys",
    "S3Source",
    "Snapshot",
    "Source",
    "SourceBatch",
    "SourceUnreadable",
    "SqlSource",
    "Step",
    "SubjectKeys",
    "Tally",
    "TargetUnusable",
    "TransportRefused",
    "admitted",
    "cast_cell",
    "check_batch",
    "check_columns",
    "check_snapshot",
    "croissant_card",
    "derive",
    "dispose_snapshot",
    "encrypted_batches",
    "encrypted_writer",
    "example_row",
    "feature_interface",
    "infer_contract",
    "ingest",
    "open_snapshot",
    "open_source",
    "quarantine_of",
    "rewrap_file_keys",
    "split",
    "rows_for_testing",
]

_HOME = {
    "cast_one": ("cast_cell",),
    "cells": ("REASONS",),
    "check": ("check_batch", "check_columns"),
    "checked": ("CheckedSnapshot", "check_snapshot"),
    "croissant": ("croissant_card",),
    "derivation": ("Step", "derive"),
    "disposal": ("Disposal", "dispose_snapshot"),
    "encryption": ("encrypted_batches", "encrypted_writer"),
    "errors": (
        "ColumnsUnusable",
        "ContractMismatch",
        "QuarantineFull",
        "ReasonCount",
        "SourceUnreadable",
        "TargetUnusable",
        "TransportRefused",
    ),
    "file_keys": ("rewrap_file_keys",),
    "formats": ("FOOTER_KEY",),
    "infer": ("Inferred", "infer_contract"),
    "ingestion": ("admitted", "ingest"),
    "interface": ("example_row", "feature_interface"),
    "manifest": ("SNAPSHOT_TYPE",),
    "quarantine": ("Problem", "QuarantinedRow", "Tally"),
    "key_sets": ("RowKeys",),
    "snapshot": ("Snapshot", "open_snapshot", "quarantine_of"),
    "sources": ("Source", "SourceBatch", "open_source"),
    "column_spec": ("ColumnSpec", "DataClass"),
    "source_spec": ("FileSource", "S3Source", "SqlSource"),
    "spec": ("READERS", "DataSpec", "QuarantineSpec"),
    "splitting": ("split", "rows_for_testing"),
    "subject_keys": ("SubjectKeys",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "pyarrow":
            raise MissingExtra("Reading data", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
