"""`sealwright score`: a file or a query, answered row by row by the version in service."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    acting_at,
    out,
    say,
    served_at,
    writable,
)

if TYPE_CHECKING:
    from sealwright.data import FileSource, S3Source, SqlSource
    from sealwright.pipeline import Scored

__all__ = ["add_to"]


class OnRefused(StrEnum):
    """What a row outside the contract does to the others."""

    KEEP = "keep"
    STOP = "stop"


class Encoding(StrEnum):
    """Of a text file."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    LATIN_1 = "latin-1"
    CP1252 = "cp1252"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel="Serve")(score)


def score(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A file, a folder of part files or a pattern: CSV, JSON lines, Parquet, Arrow; or s3://bucket/key.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        str, typer.Option("--project", help="Project name, or a project folder whose channel applies.")
    ] = ".",
    to: Annotated[
        Path, typer.Option("--out", help="New file for the answers: .jsonl, .csv, .parquet or .arrow.")
    ] = Path("answers.jsonl"),
    channel: Annotated[str | None, typer.Option("--channel", help="Release channel.", show_default=False)] = None,
    person: Annotated[
        str, typer.Option("--person", help="Column that says whom a row is about.", show_default=False)
    ] = "",
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="Column to repeat in the answers; may be given again.", show_default=False),
    ] = None,
    sql: Annotated[
        str | None, typer.Option("--sql", help="A SELECT in place of a file, with --url-env.", show_default=False)
    ] = None,
    url_env: Annotated[
        str | None,
        typer.Option("--url-env", help="Variable that holds the database's address.", show_default=False),
    ] = None,
    encoding: Annotated[Encoding, typer.Option("--encoding", help="Of a text file.")] = Encoding.UTF_8,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Of a CSV file; else found.", show_default=False)
    ] = None,
    decimal: Annotated[str, typer.Option("--decimal", help="Decimal mark in a CSV file.")] = ".",
    batch_rows: Annotated[
        int, typer.Option("--batch-rows", min=1, max=100_000, help="Rows with one ledger entry, at most.")
    ] = 10_000,
    on_refused: Annotated[
        OnRefused,
        typer.Option("--on-refused", help="keep: a refused row is told as such; stop: at the first one."),
    ] = OnRefused.KEEP,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin anew what an earlier run began. Its records stay.")
    ] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Have every row of a file answered by the version in service: checked, recorded and provable as a server's answers.

    Servers may run meanwhile. The same command goes on where a run was cut off; no row is recorded or answered twice.
    Exit status: 0 done, 2 the source or the output cannot be used, nothing is released, or a row was refused with
    --on-refused stop, 3 you may not, 4 something is not what was signed.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import score as score_source

    name, spec = served_at(project, channel)
    asked = _source(source, sql, url_env, encoding.value, delimiter, decimal)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        done = score_source(
            workspace,
            asked,
            project=name,
            out=writable(to) or to,
            by=by,
            channel=spec.channel,
            person=person,
            keys=key or [],
            batch_rows=batch_rows,
            stop_on_refused=on_refused is OnRefused.STOP,
            anew=anew,
            progress=progress,
        )
    out(as_json, done.to_json(), lambda: _tell(done))


def _source(
    source: str | None, sql: str | None, url_env: str | None, encoding: str, delimiter: str | None, decimal: str
) -> "FileSource | S3Source | SqlSource":
    from pydantic import ValidationError

    from sealwright.data import FileSource, S3Source, SqlSource
    from sealwright.kernel import InvalidInput

    if (source is None) == (sql is None) or (sql is None) != (url_env is None):
        raise InvalidInput("Name a file to score, or a query with both --sql and --url-env.")
    said = {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    try:
        if sql is not None:
            return SqlSource.model_validate({"sql": sql, "url_env": url_env})
        if source is not None and source.startswith("s3://"):
            return S3Source.model_validate({"s3": source, **said})
        return FileSource.model_validate({"file": source, **said})
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(f"--{'-'.join(map(str, first['loc']))} cannot be used: {first['msg']}.") from None


def _tell(done: "Scored") -> None:
    from sealwright.doors.cli import show

    rate = (done.rows - done.before) / done.seconds if done.seconds else 0.0
    show.facts(
        {
            "answers": done.out,
            "version": f"{done.number} of {done.project}",
            "rows": f"{done.rows:,}" + (f", {done.before:,} of them by an earlier run" if done.before else ""),
            "answered": f"{done.answered:,}",
            "refused": f"{done.refused:,}",
            "without a label": f"{done.abstained:,}",
            "on record": f"{done.batches:,} entries of the ledger {done.project}/{done.channel}",
            "rows/s": f"{rate:,.0f}",
        }
    )
    if done.reasons:
        lines = sorted(done.reasons.items(), key=lambda one: -one[1])
        show.rows(["refused because of", "rows"], [[reason, f"{count:,}"] for reason, count in lines[:20]])
    say()
    show.next_step(f"the receipt of a row: sealwright decisions receipt {done.project} {done.out} 1 --to receipt.json")
