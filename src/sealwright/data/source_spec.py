"""Where the rows are: `data.source` of a project file.

Answers: which file, query or object, and what must be known to read it?
Does not answer: what the rows must be like. That is the rest of the section, in `spec`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, StringConstraints

__all__ = ["FileSource", "S3Source", "SqlSource", "TransportSpec"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


_Encoding = Annotated[
    Literal["utf-8", "utf-16", "latin-1", "cp1252"],
    Field(description="Encoding of a CSV or JSON lines file. Excel on Windows often writes cp1252."),
]
_Delimiter = Annotated[
    Literal[",", ";", "\t", "|"] | None,
    Field(description="What separates the fields of a CSV file. Left out: found from the header."),
]
_Decimal = Annotated[Literal[".", ","], Field(description="Decimal mark of the numbers in a CSV file.")]
_Keys = Annotated[
    tuple[StrictStr, ...],
    Field(
        max_length=4096,
        exclude_if=lambda value: not value,
        description="JSON lines only: keys that may be missing in the first rows, where columns are looked for.",
    ),
]


class FileSource(_Section):
    """A file that needs more said about it than its name."""

    file: StrictStr = Field(
        description="Path of the file, relative to the project folder."
        " CSV (.csv, .tsv, .txt, also .gz), JSON lines (.jsonl, .ndjson, also .gz), Parquet (.parquet) or Arrow (.arrow,"
        " .feather). A folder, or a pattern such as parts/*.parquet: part files of one table, read in the order of"
        " their names."
    )
    encoding: _Encoding = "utf-8"
    delimiter: _Delimiter = None
    decimal: _Decimal = "."
    keys: _Keys = ()


class TransportSpec(_Section):
    """What is allowed on the way from the source to this machine."""

    unencrypted: Annotated[str, StringConstraints(strict=True, strip_whitespace=True)] = Field(
        min_length=8,
        max_length=500,
        description="Why rows may travel unencrypted here. Goes into the ledger each time it is made use of.",
    )


class SqlSource(_Section):
    """One query against a database. The address, which may hold a password, stays out of the project file."""

    sql: StrictStr = Field(min_length=1, max_length=100_000, description="One SELECT statement. It is only ever read.")
    url_env: StrictStr = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        description="Name of the environment variable that holds the SQLAlchemy URL, e.g. CREDIT_DB_URL.",
    )
    transport: TransportSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only where the database is on another machine and cannot be asked for TLS: {unencrypted: why}.",
    )


class S3Source(_Section):
    """An object in an S3-compatible store, or all whose names begin alike. Credentials come from the usual AWS
    environment variables and profiles, never from the project file."""

    s3: StrictStr = Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f]{1,1024}$",
        description="s3://bucket/key of a file of a kind that `file` may name; a key that ends in / or holds * names all"
        " parts of a table.",
    )
    endpoint: StrictStr | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:_-]+/?$",
        description="Address of the store, e.g. https://s3.example.org. Left out: AWS.",
    )
    region: StrictStr | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Region of the bucket. Left out: as AWS is configured.",
    )
    version: StrictStr | None = Field(
        default=None,
        pattern=r"^[\x21-\x7e]{1,1024}$",
        description="Version id of the object, where the bucket keeps versions. Left out: the newest when it is opened.",
    )
    encoding: _Encoding = "utf-8"
    delimiter: _Delimiter = None
    decimal: _Decimal = "."
    keys: _Keys = ()
    transport: TransportSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only where the store on another machine speaks no https: {unencrypted: why}.",
    )
