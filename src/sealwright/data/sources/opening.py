"""From what the project file says to a source that can be read."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import safe
from sealwright.data.source_spec import FileSource, S3Source, SqlSource
from sealwright.data.sources.columnar import ArrowFile, ParquetFile
from sealwright.data.sources.csv_file import CsvFile
from sealwright.data.sources.files import LocalFile
from sealwright.data.sources.json_lines import JsonLinesFile
from sealwright.data.sources.model import Source, SourceSpec
from sealwright.data.sources.parted import Parted, is_pattern, local_parts
from sealwright.data.sources.stored import Stored

__all__ = ["open_source"]

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_JSON = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc", ".arrows")


def open_source(spec: SourceSpec, base: Path, *, environment: Mapping[str, str] | None = None) -> Source:
    """Open a file, part files, a query or an object, and read as much of it as its column names take.

    Parameters
    ----------
    spec : str, FileSource, SqlSource or S3Source
        A path relative to `base`, or one with more said about it, or a query, or an object in a store.
    base : Path
        The project folder.
    environment : mapping, optional
        Where `SqlSource.url_env` is looked up; left out: the environment of this process.

    Raises
    ------
    SourceUnreadable
        Missing, empty, damaged, another format or encoding, or the database or store refuses.
    TransportRefused
        The rows would travel over a network unencrypted, and the project file does not say why they may.
    ColumnsUnusable
        Repeated or unprintable column names, or parts whose columns differ.
    MissingExtra
        The library for a store is not installed.
    """
    if isinstance(spec, SqlSource):
        from sealwright.data.sources.sql import DatabaseQuery  # SQLAlchemy only where it is used

        return DatabaseQuery(spec, os.environ if environment is None else environment)
    if isinstance(spec, S3Source):
        from sealwright.data.sources.s3 import open_store

        store = open_store(spec)
        if store.pattern:
            return Parted(store.name, spec, store.parts, partial(_part_of, spec, spec))
        return _reader(store.object(), spec, spec)
    said = spec if isinstance(spec, FileSource) else FileSource(file=spec)
    path = base / said.file
    if path.is_dir() or (is_pattern(said.file) and not path.exists()):
        return Parted(safe(path.name), spec, partial(local_parts, base, said.file), partial(_part_of, said, spec))
    return _reader(LocalFile(path), said, spec)


def _part_of(said: FileSource | S3Source, spec: SourceSpec, stored: Stored, keys: tuple[str, ...]) -> Source:
    """One part, told the keys that other parts have."""
    return _reader(stored, said.model_copy(update={"keys": (*said.keys, *keys)}) if keys else said, spec)


def _reader(stored: Stored, said: FileSource | S3Source, spec: SourceSpec) -> Source:
    """The reader for bytes of this name."""
    name = stored.name.lower()
    if name.endswith(_JSON):
        _refuse(said, ("delimiter", "decimal"), "CSV files", name)
        return JsonLinesFile(stored, said, spec)
    if name.endswith(_TEXT):
        _refuse(said, ("keys",), "JSON lines", name)
        return CsvFile(stored, said, spec)
    _refuse(said, ("encoding", "delimiter", "decimal"), "CSV files", name)
    _refuse(said, ("keys",), "JSON lines", name)
    if name.endswith(_PARQUET):
        return ParquetFile(stored, spec)
    if name.endswith(_ARROW):
        return ArrowFile(stored, spec)
    raise SourceUnreadable(
        f"The name {name} does not say what kind of data file it is.\n"
        f"Known endings: {', '.join((*_TEXT, *_JSON, *_PARQUET, *_ARROW))}"
    )


def _refuse(said: FileSource | S3Source, fields: tuple[str, ...], what: str, name: str) -> None:
    """Refuse settings that this kind of file has no use for."""
    given = [field for field in fields if getattr(said, field) != type(said).model_fields[field].default]
    if given:
        raise SourceUnreadable(f"{' and '.join(given)} are for {what}; {name} is none by its name.")
