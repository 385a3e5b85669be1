"""Data under contract: from a file or a query to an encrypted, signed snapshot.

Answers: what may the data hold, which rows keep to it, and exactly which rows was a model made from?
Does not answer: what is learned from it, or whether the model may be used.
Names load on first use, so that importing the room costs nothing; reading data needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.cast_one import cast_cell as cast_cell
    from sealwright.data.cells import REASONS as REASONS
    from sealwright.data.check import check_batch as check_batch
    from sealwright.data.check import check_columns as check_columns
    from sealwright.data.checked import CheckedSnapshot as CheckedSnapshot
    from sealwright.data.checked import check_snapshot as check_snapshot
    from sealwright.data.column_spec import ColumnSpec as ColumnSpec
    from sealwright.data.column_spec import DataClass as DataClass
    from sealwright.data.croissant import croissant_card as croissant_card
    from sealwright.data.derivation import Step as Step
    from sealwright.data.derivation import derive as derive
    from sealwright.data.disposal import Disposal as Disposal
    from sealwright.data.disposal import dispose_snapshot as dispose_snapshot
    from sealwright.data.encryption import encrypted_batches as encrypted_batches
    from sealwright.data.encryption import encrypted_writer as encrypted_writer
    from sealwright.data.errors import ColumnsUnusable as ColumnsUnusable
    from sealwright.data.errors import ContractMismatch as ContractMismatch
    from sealwright.data.errors import QuarantineFull as QuarantineFull
    from sealwright.data.errors import ReasonCount as ReasonCount
    from sealwright.data.errors import SourceUnreadable as SourceUnreadable
    from sealwright.data.errors import TargetUnusable as TargetUnusable
    from sealwright.data.errors import TransportRefused as TransportRefused
    from sealwright.data.file_keys import rewrap_file_keys as rewrap_file_keys
    from sealwright.data.formats import FOOTER_KEY as FOOTER_KEY
    from sealwright.data.infer import Inferred as Inferred
    from sealwright.data.infer import infer_contract as infer_contract
    from sealwright.data.ingestion import admitted as admitted
    from sealwright.data.ingestion import ingest as ingest
    from sealwright.data.interface import example_row as example_row
    from sealwright.data.interface import feature_interface as feature_interface
    from sealwright.data.key_sets import RowKeys as RowKeys
    from sealwright.data.manifest import SNAPSHOT_TYPE as SNAPSHOT_TYPE
    from sealwright.data.quarantine import Problem as Problem
    from sealwright.data.quarantine import QuarantinedRow as QuarantinedRow
    from sealwright.data.quarantine import Tally as Tally
    from sealwright.data.snapshot import Snapshot as Snapshot
    from sealwright.data.snapshot import open_snapshot as open_snapshot
    from sealwright.data.snapshot import quarantine_of as quarantine_of
    from sealwright.data.source_spec import FileSource as FileSource
    from sealwright.data.source_spec import S3Source as S3Source
    from sealwright.data.source_spec import SqlSource as SqlSource
    from sealwright.data.sources import Source as Source
    from sealwright.data.sources import SourceBatch as SourceBatch
    from sealwright.data.sources import open_source as open_source
    from sealwright.data.spec import READERS as READERS
    from sealwright.data.spec import DataSpec as DataSpec
    from sealwright.data.spec import QuarantineSpec as QuarantineSpec
    from sealwright.data.splitting import rows_for_testing as rows_for_testing
    from sealwright.data.splitting import split as split
    from sealwright.data.subject_keys import SubjectKeys as SubjectKeys
else:
    __getattr__, __dir__, __all__ = front_door(__name__, Needs("Reading data", extra="build", libraries=("pyarrow",)))
