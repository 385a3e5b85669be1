"""`sealwright data check` and `sealwright data contract …`: hold any table against a contract, and write, import, export one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import AsJson, out, say, writable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealwright.data.contracts import ContractReport

__all__ = ["add_to"]

contract = typer.Typer(help="Write, import and export contracts that stand alone.", no_args_is_help=True)

Table = Annotated[Path, typer.Argument(help="A file of CSV, JSON lines, Parquet or Arrow.")]
To = Annotated[Path, typer.Option("--to", help="The file to write; never one that is there already.")]

_SHOWN = 30
_USE = {
    "pandera": "in Python: pandera.pandas.DataFrameSchema.from_yaml({!r}).validate(frame, lazy=True)",
    "great-expectations": "in Python: great_expectations.ExpectationSuite(**json.load(open({!r})))",
}


def add_to(app: typer.Typer) -> None:
    app.command()(check)
    contract.command()(draft)
    contract.command("import")(bring)
    contract.command("export")(hand)
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


def bring(
    file: Annotated[Path, typer.Argument(help="A pandera schema (YAML or JSON), or an expectation suite (JSON).")],
    to: To,
    as_json: AsJson = False,
) -> None:
    """Write a contract from a pandera schema or a Great Expectations suite. FILE is read as data; no code runs.

    What a contract cannot say is listed, and written into the contract as comments.
    Exit status: 0 written, 2 the file is neither, or the contract's name is taken.
    """
    from sealwright.data.contracts import contract_text, import_contract
    from sealwright.doors.cli import show

    new = _free(to)
    found = import_contract(file)
    left_out = [f"Not taken over: {what}" for what in found.left_out]
    _write(new, contract_text(found.contract, head=[f"From {file.name}.", *left_out]))
    facts = {"contract": str(to), "columns": len(found.contract.columns)}

    def words() -> None:
        show.title(f"Wrote {to}")
        show.facts({"columns": len(found.contract.columns)})
        _tell_differences(found.left_out, found.notes, "a contract")
        show.next_step(f"sealwright data check FILE --contract {to}")

    out(as_json, {**facts, "left_out": list(found.left_out), "notes": list(found.notes)}, words)


def hand(
    contract: Annotated[Path, typer.Argument(help="A contract file, or a project: folder or file.")],
    tool: Annotated[str, typer.Option("--as", help="pandera or great-expectations.")],
    to: To,
    as_json: AsJson = False,
) -> None:
    """Write CONTRACT as a pandera schema (YAML) or a Great Expectations suite (JSON).

    What the other tool cannot say is listed.
    Exit status: 0 written, 2 the contract cannot be used, or the name is taken.
    """
    from sealwright.data.contracts import TOOLS, export_contract, read_contract
    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput

    known = next((one for one in TOOLS if one == tool), None)
    if known is None:
        raise InvalidInput(f"--as is {' or '.join(TOOLS)}; got {tool[:40]!r}.")
    new = _free(to)
    exported = export_contract(read_contract(contract), known)
    _write(new, exported.text)

    def words() -> None:
        show.title(f"Wrote {to}")
        _tell_differences(exported.left_out, exported.notes, tool)
        show.next_step(_USE[known].format(str(to)))

    facts = {"file": str(to), "tool": tool}
    out(as_json, {**facts, "left_out": list(exported.left_out), "notes": list(exported.notes)}, words)


def _tell_differences(left_out: "Sequence[str]", notes: "Sequence[str]", where: str) -> None:
    """What did not come along, and what means something else there."""
    from sealwright.doors.cli import show

    for heading, lines in ((f"What {where} cannot say, and is not in it:", left_out), ("Look here:", notes)):
        if lines:
            say(heading)
            say("\n".join(f"- {show.safe(line)}" for line in lines))


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
            say(f"and {len(report.breaches) - _SHOWN} more; --json lists all.")
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
