"""From what the project file says to a source that can be read."""

import os
from collections.abc import Mapping
from pathlib import Path

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import safe
from sealwright.data.sources.columnar import ArrowFile, ParquetFile
from sealwright.data.sources.csv_file import CsvFile
from sealwright.data.sources.files import LocalFile
from sealwright.data.sources.model import Source, SourceSpec
from sealwright.data.spec import FileSource, SqlSource

__all__ = ["open_source"]

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc", ".arrows")


def open_source(spec: SourceSpec, base: Path, *, environment: Mapping[str, str] | None = None) -> Source:
    """Open a file or a query, and read as much of it as its column names take.

    Parameters
    ----------
    spec : str, FileSource or SqlSource
        A path relative to `base`, or one with more said about it, or a query.
    base : Path
        The project folder.
    environment : mapping, optional
        Where `SqlSource.url_env` is looked up; left out: the environment of this process.

    Raises
    ------
    SourceUnreadable
        Missing, empty, damaged, another format or encoding, or the database refuses.
    ColumnsUnusable
        Repeated or unprintable column names.
    """
    if isinstance(spec, SqlSource):
        from sealwright.data.sources.sql import DatabaseQuery  # SQLAlchemy only where it is used

        return DatabaseQuery(spec, os.environ if environment is None else environment)
    said = spec if isinstance(spec, FileSource) else FileSource(file=spec)
    path = base / said.file
    name = safe(path.name.lower())
    if name.endswith(_TEXT):
        return CsvFile(LocalFile(path), said, spec)
    if said != FileSource(file=said.file):
        raise SourceUnreadable(f"encoding, delimiter and decimal are for CSV files; {name} is none by its name.")
    if name.endswith(_PARQUET):
        return ParquetFile(LocalFile(path), spec)
    if name.endswith(_ARROW):
        return ArrowFile(LocalFile(path), spec)
    raise SourceUnreadable(
        f"The name {name} does not say what kind of data file it is.\n"
        f"Known endings: {', '.join((*_TEXT, *_PARQUET, *_ARROW))}"
    )
