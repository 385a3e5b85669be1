"""`sealwright data check` and `sealwright data contract …`: hold any table against a contract, and write, import, export one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import AsJson, out, writable

if TYPE_CHECKING:
    from sealwright.data.contracts import ContractReport

__all__ = ["add_to"]

contract = typer.Typer(help="Write, import and export contracts that stand alone.", no_args_is_help=True)

Table = Annotated[Path, typer.Argument(help="A CSV, Parquet or Arrow file.")]
To = Annotated[Path, typer.Option("--to", help="The file to write; never one that is there already.")]

_SHOWN = 30


def add_to(app: typer.Typer) -> None:
    app.command()(check)
    contract.command()(draft)
    app.add_typer(contract, name="contract")


def check(
    file: Table,
    contract: Annotated[Path, typer.Option("--contract", help="A contract file, or a project: folder or file.")],
    max_share: Annotated[
        float | None,
        typer.Option(
            "--max-share",
            min=0.0,
            max=1.0,
            help="Largest share of rows that may break it, 0 to 1, instead of what the contract says.",
            show_default=False,
        ),
    ] = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Also show a few broken values, of public and internal columns only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hold FILE against a contract: every row, every rule.

    Exit status: 0 the contract is kept, 2 the file or the contract cannot be used, 3 the contract is broken.
    """
    from sealwright.data.contracts import check_contract, read_contract
    from sealwright.doors.cli import show

    wanted = read_contract(contract)
    with show.progress(quiet=as_json) as progress:
        report = check_contract(file, wanted, at_most_share=max_share, show_values=show_values, progress=progress)
    out(as_json, report.to_json(), lambda: _tell(report, contract, show_values=show_values))
    raise typer.Exit(0 if report.passed else 3)


def draft(file: Table, to: To, as_json: AsJson = False) -> None:
    """Read FILE once and write a first contract: what the file keeps today, with the reason for every guess.

    Exit status: 0 written, 2 the file cannot be read, or the contract's name is taken.
    """
    from sealwright.data.contracts import contract_text, draft_contract
    from sealwright.doors.cli import show

    new = _free(to)
    with show.progress(quiet=as_json) as progress:
        drafted = draft_contract(file, progress=progress)
    head = [f"What {file.name} keeps today. Read it once; widen what may change, tighten what must not."]
    _write(new, contract_text(drafted.contract, head=head, notes=drafted.reasons))
    facts = {"contract": str(to), "rows": drafted.rows, "columns": len(drafted.contract.columns)}

    def words() -> None:
        show.title(f"Wrote {to}")
        show.facts({"data": f"{drafted.rows:,} rows, {len(drafted.contract.columns)} columns"})
        for note in drafted.notes:
            show.facts({"look here": note})
        show.next_step(f"read {to}, then: sealwright data check {file} --contract {to}")

    out(as_json, {**facts, "notes": list(drafted.notes)}, words)


def _tell(report: "ContractReport", contract: Path, *, show_values: bool) -> None:
    """The verdict first, then what is broken, then what to do."""
    from sealwright.doors.cli import show

    show.title("The contract is kept" if report.passed else "The contract is broken")
    limit = f"at most {report.at_most_share:.2%} may" if report.at_most_share else "none may"
    show.facts(
        {
            "data": f"{report.source}: {report.rows:,} rows, {len(report.checked)} columns checked",
            "rows that break it": f"{report.bad_rows:,} ({report.bad_share:.2%}; {limit})",
            **({"digest": report.source_digest} if report.source_digest else {}),
        }
    )
    for note in report.notes:
        show.facts({"note": note})
    if report.breaches:
        deciding = set(report.reasons)
        headings = ["column", "broken", "times", "share", "first rows", "expected", *(["found"] if show_values else [])]
        lines = []
        for found in report.breaches[:_SHOWN]:
            table = found.scope == "table"
            line = [
                found.column or ("the table" if table else "whole row"),
                found.rule.replace("_", " ") + ("" if found in deciding else " (within its limit)"),
                "" if table else f"{found.count:,}",
                "" if table else f"{found.share:.2%}",
                ", ".join(f"{row}" for row in found.first_rows),
                found.expected,
            ]
            lines.append([*line, ", ".join(found.values)] if show_values else line)
        show.rows(headings, lines)
        if len(report.breaches) > _SHOWN:
            typer.echo(f"and {len(report.breaches) - _SHOWN} more; --json lists all.")
    if not report.passed:
        show.next_step(f"repair the data where it stands, or change {contract} if it asks for too much")


def _free(to: Path) -> Path:
    """A file that is not there yet, refused before any work if it is."""
    from sealwright.kernel import Conflict

    writable(to)
    if to.exists():
        raise Conflict(f"{to} exists already and stays as it is. Name another file with --to.")
    return to


def _write(path: Path, text: str) -> None:
    from sealwright.kernel import write_atomically

    write_atomically(path, text.encode(), mode=0o644)
