"""A rollout in the terminal: both arms side by side, every limit with its interval, and what follows.

On a terminal the page is drawn over itself; piped, a line is written when something changed; with --json, one object a look.
"""

import csv
import json
import math
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sealwright.doors.cli import show
from sealwright.doors.cli.options import say
from sealwright.kernel import InvalidInput, safe

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from sealwright.pipeline import RolloutMove, RolloutStatus

__all__ = ["Screen", "outcomes_in", "page_of"]

_STATES = {"kept": "green", "broken": "bold red", "undecided": "yellow"}
_WORDS = {"promote": "goes on", "hold": "waits", "roll_back": "goes back"}
_WORD_STYLES = {"promote": "bold green", "hold": "bold yellow", "roll_back": "bold red"}
_MOST_BYTES = 64 << 20
_WANTED = "Write a CSV file in UTF-8 with the heading decision,value and below it a decision's id and a number a line."
_WIDE = 100  # columns the arms take side by side with all they did


class Screen:
    """Where looks at a rollout are shown, one after the other."""

    def __init__(self, *, as_json: bool) -> None:
        self._json, self._live, self._last = as_json, self._of_terminal(as_json=as_json), ""
        self.shown = False

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, status: "RolloutStatus") -> None:
        """One look."""
        self.shown = True
        if self._json:
            say(json.dumps(status.to_json()))
        elif self._live is not None:
            self._live.update(page_of(status), refresh=True)
        else:
            self._line(status)

    def tell(self, moved: "RolloutMove") -> None:
        """What was done about it."""
        if self._json:
            say(json.dumps(moved.to_json()))
            return
        self._print(f"{moved.what.replace('_', ' ')}: pointer {moved.pointer.sequence}, version {moved.pointer.number}")
        for reason in moved.reasons:
            self._print(f"  because {reason}")

    def end(self, words: str) -> None:
        if not self._json:
            self._print(words)

    @staticmethod
    def wait(seconds: float) -> None:
        time.sleep(seconds)

    def _print(self, words: str) -> None:
        if self._live is not None:
            self._live.console.print(safe(words), markup=False)
        else:
            say(words)

    def _line(self, status: "RolloutStatus") -> None:
        arms = ", ".join(
            f"{one.arm} {one.answered:,} answered {one.failed:,} failed" for one in (status.old, status.new)
        )
        line = f"stage {status.stage + 1} of {len(status.plan.stages)}: {arms}; {_WORDS[status.verdict.word]}"
        if line != self._last:
            say(line)
            self._last = line

    @staticmethod
    def _of_terminal(*, as_json: bool) -> "Live | None":
        page = show.console()
        if as_json or not page.is_terminal:
            return None
        from rich.live import Live

        return Live(console=page, auto_refresh=False)


def page_of(status: "RolloutStatus") -> "Group":
    """Everything about a rollout on one page."""
    from rich.console import Group
    from rich.text import Text

    plan, verdict = status.plan, status.verdict
    stages = f"stage {status.stage + 1} of {len(plan.stages)}, {status.minutes:,.1f} minutes"
    head = f"{plan.project}/{plan.channel}: {plan.kind} of version {plan.challenger} beside version {plan.champion}, {stages}"
    word = Text("Verdict: ", style="dim") + Text(_WORDS[verdict.word], style=_WORD_STYLES[verdict.word])
    reasons = [Text(f"  - {safe(one)}") for one in verdict.reasons]
    following = "the way back" if verdict.word == "roll_back" else status.next
    then = Text("Next: ", style="dim") + Text(safe(following))
    return Group(Text(safe(head), style="bold"), _arms(status), _limits(status), word, *reasons, then)


def _arms(status: "RolloutStatus") -> Any:
    """A row for each arm; on a narrow terminal a column for each, so that no word is broken."""
    names = ["arm", "version", "share", "answered", "failed", "refused", "p95 ms", "score", "outcomes", "mean"]
    rows: list[list[str]] = []
    for arm in status.to_json()["arms"]:
        cells = [
            arm["arm"], arm["version"], f"{arm['share']:.2%}", f"{arm['answered']:,}", f"{arm['failed']:,}",
            f"{arm['refused']:,}", arm["p95_ms"], arm["mean_score"], f"{arm['outcomes']:,}", arm["mean_outcome"],
        ]  # fmt: skip
        rows.append(["-" if cell is None else safe(cell) for cell in cells])
    if show.console().width < _WIDE:
        rows = [list(column) for column in zip(names[1:], *(row[1:] for row in rows), strict=True)]
        names = ["", *(arm["arm"] for arm in status.to_json()["arms"])]
    table = _table(names)
    for row in rows:
        table.add_row(*row)
    return table


def _limits(status: "RolloutStatus") -> Any:
    from rich.text import Text

    table = _table(["limit", "found", "interval", "allowed", "state"])
    for one in status.verdict.findings:
        between = "-" if one.low is None else f"{_number(one.low)} to {_number(one.high)}"
        state = Text(one.state, style=_STATES[one.state])
        table.add_row(one.measure, _number(one.value), between, _number(one.limit), state)
    return table


def _table(names: list[str]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _number(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.4g}"


def outcomes_in(file: Path) -> dict[str, float]:
    """What a CSV of outcomes says: decision id and number.

    Raises
    ------
    InvalidInput
        No such heading, no outcome, a number that is none, or a decision twice; the line is named.
    """
    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        raise InvalidInput(f"{file} is no CSV file of at most {_MOST_BYTES >> 20} MiB.")
    found: dict[str, float] = {}
    with file.open(newline="", encoding="utf-8-sig") as lines:  # spreadsheets begin with a byte order mark
        table = csv.DictReader(lines, strict=True)
        try:
            if not {"decision", "value"} <= set(table.fieldnames or ()):
                raise InvalidInput(f"Line 1 of {file.name} does not name the columns decision and value.\n{_WANTED}")
            for line in table:
                decision, value = line["decision"], float(line["value"])
                if decision in found or not math.isfinite(value):
                    raise ValueError
                found[decision] = value
        except (KeyError, ValueError, TypeError, csv.Error):
            raise InvalidInput(
                f"Line {max(1, table.line_num)} of {file.name} is not a decision's id and a finite number, each decision once.\n"
                f"{_WANTED}"
            ) from None
    return found
