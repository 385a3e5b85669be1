"""`sealwright data scan`: where do data about persons stand, and does the contract know?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import AsJson, out

if TYPE_CHECKING:
    from sealwright.data import Source
    from sealwright.data.personal import ColumnReport, Finding, PersonalDataReport, Unclassified

__all__ = ["add_to"]

_PROJECT_FILE = "sealwright.yaml"


def add_to(app: typer.Typer) -> None:
    app.command()(scan)


def scan(
    what: Annotated[
        Path, typer.Argument(metavar="FILE|PROJECT", help="A data file, or a project: its folder or sealwright.yaml.")
    ],
    contract: Annotated[
        Path | None,
        typer.Option("--contract", help="Compare FILE with this contract or project.", show_default=False),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit 3 if a column looks personal and no contract says so, or if a row or column could not be read.",
        ),
    ] = False,
    sample_rows: Annotated[
        int, typer.Option("--sample-rows", min=100, max=1_000_000, help="Rows drawn at random and looked at whole.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample; the same seed gives the same report.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Look for personal data in the names and cells of columns. No value is shown or kept.

    Exit status: 0 done, 2 the data cannot be read, 3 with --strict: something is unclassified or was not looked at.
    """
    from sealwright.data.personal import ScanSettings, unclassified
    from sealwright.data.personal import scan as look
    from sealwright.doors.cli import show

    source, columns = _opened(what, contract)
    with show.progress(quiet=as_json) as progress:
        report = look(
            source, contract=columns, settings=ScanSettings(sample_rows=sample_rows), seed=seed, progress=progress
        )
    _refuse_unread(report)
    open_ = unclassified(report, columns) if columns is not None else ()
    loose = (
        [one.column for one in open_] if columns is not None else [one.name for one in report.columns if one.suggested]
    )
    facts = {**report.to_json(), "unclassified": loose}
    out(as_json, facts, lambda: _tell(report, open_, what, known=columns is not None))
    raise typer.Exit(3 if strict and (loose or report.rows_unread or report.columns_unread) else 0)


def _opened(what: Path, contract: Path | None) -> "tuple[Source, Any]":
    """The data, and the columns to compare with, if any."""
    from sealwright.data import open_source
    from sealwright.data.contracts import read_contract
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import load_project

    if what.suffix in {".yaml", ".yml"} or (what / _PROJECT_FILE).is_file():
        if contract is not None:
            raise InvalidInput("A project is compared with its own contract; leave --contract out, or name a file.")
        project = load_project(what)
        return open_source(project.spec.data.source, project.folder), project.spec.data
    return open_source(str(what), Path()), read_contract(contract) if contract is not None else None


def _refuse_unread(report: "PersonalDataReport") -> None:
    """Nobody shall take for clean what was not looked at."""
    from sealwright.data import SourceUnreadable

    if report.columns:
        return
    why = f": {'; '.join(_unread(report))}" if report.rows_unread or report.columns_unread else ": it holds no row"
    raise SourceUnreadable(
        f"Nothing of {report.source} could be looked at{why}.\n"
        "Expected a table with at least one row. Mend the file, or name another, then scan it again."
    )


def _unread(report: "PersonalDataReport") -> list[str]:
    """What nobody could look at, in words."""
    from sealwright.data import REASONS

    said = [f"{count:,} row{'s' if count != 1 else ''} ({REASONS[reason]})" for reason, count in report.unread.items()]
    names = ", ".join(report.columns_unread)
    return (
        [*said, f"the column{'s' if len(report.columns_unread) > 1 else ''} {names} (nested or binary)"]
        if names
        else said
    )


def _tell(report: "PersonalDataReport", open_: "tuple[Unclassified, ...]", what: Path, *, known: bool) -> None:
    """The answer first, then the columns, then what was not looked at, then what to do."""
    from sealwright.doors.cli import show

    personal = [one for one in report.columns if one.suggested]
    show.title(_headline(len(personal), len(report.columns)))
    facts = {
        "data": f"{report.source}: {report.rows:,} rows, {len(report.columns)} columns looked at",
        "looked at": f"{report.rows_sampled:,} rows drawn at random, whole; e-mails, cards and IBANs in {report.rows_exact:,} rows",
    }
    if unread := _unread(report):
        facts["not looked at"] = "; ".join(unread)
    if known:
        facts["unclassified"] = f"{len(open_)} columns" if open_ else "none"
    show.facts(facts)
    columns = {one.column for one in open_}
    lines = [
        _line(one, column, known=known, loose=one.name in columns) for one in report.found() for column in one.findings
    ]
    if lines:
        headings = [
            "column",
            "kind",
            "why",
            "share",
            "sure",
            "suggested class",
            *(["class in contract"] if known else []),
        ]
        show.rows(headings, lines)
    show.facts({"this scanner": _recall(report)})
    if open_:
        show.next_step(
            f'in data.columns of {what}, set class: personal or special for these columns, or not_personal: "why"'
        )
    elif unread:
        show.next_step("mend what could not be read, then scan again; finding nothing there shows nothing")


def _headline(personal: int, columns: int) -> str:
    if not personal:
        return "Nothing was found that looks like data about persons"
    return f"{personal} of {columns} column{'s' if columns > 1 else ''} look{'s' if personal == 1 else ''} like data about persons"


def _line(report: "ColumnReport", finding: "Finding", *, known: bool, loose: bool) -> list[str]:
    from sealwright.data.personal import KINDS

    why = " and ".join(part for part in ("name" if finding.by_name else "", "content" if finding.cells else "") if part)
    kind = KINDS[finding.kind].about + (f" ({', '.join(finding.schemes)})" if finding.schemes else "")
    line = [
        report.name,
        kind,
        why or "values",
        ("" if finding.exact else "about ") + f"{finding.share:.1%}" if finding.cells else "",
        finding.confidence,
        (finding.data_class or "") if finding.counts else "",
    ]
    if not known:
        return line
    said = report.contract_class or "not in the contract"
    note = " (unclassified)" if loose else " (stated: not personal)" if report.not_personal and finding.counts else ""
    return [*line, said + note]


def _recall(report: "PersonalDataReport") -> str:
    """What such a scan misses on the set it was measured on."""
    declared = report.declared
    if not declared.texts:
        return "its recall is not declared"
    whole = declared.texts - declared.texts_without
    return (
        f"on its own test set ({declared.set}) it left something unseen in {declared.texts_missed:,} of {whole:,} texts"
        f" with personal data, and raised {declared.texts_false:,} false alarms in {declared.texts_without:,} without;"
        " by kind: docs/reference/personal-data-scanner.md. Finding nothing does not show that nothing is there"
    )
