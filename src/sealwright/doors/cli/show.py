"""How results look in a terminal: short lines, plain tables, one next step. Colours only mean something."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sealwright.kernel import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from sealwright.kernel import Progress

__all__ = ["console", "facts", "next_step", "progress", "rows", "safe", "title"]

_STYLES = {
    "passed": "green",
    "attested": "green",
    "does not apply": "dim",
    "failed": "bold red",
    "missing": "bold red",
    "out of date": "bold red",
    "not performed": "bold red",
    "not yet": "yellow",
}


def console(*, err: bool = False) -> "Console":
    import shutil

    from rich.console import Console

    width = None if shutil.get_terminal_size((0, 0)).columns else 100  # piped: a page, not 80 columns
    return Console(stderr=err, highlight=False, emoji=False, markup=False, width=width)


def title(text: str) -> None:
    from rich.text import Text

    console().print(Text(safe(text), style="bold"))


def facts(pairs: Mapping[str, Any]) -> None:
    """Names and values in two columns. Words wrap; a digest or path stays whole, to be copied."""
    import shutil
    import textwrap

    from rich.text import Text

    page = console()
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))
    names = {safe(name): safe(value) for name, value in pairs.items()}
    indent = max(map(len, names), default=0) + 2
    for name, value in names.items():
        lines = textwrap.wrap(value, width - indent, break_long_words=False, break_on_hyphens=False) or [""]
        page.print(Text(name.ljust(indent), style="dim") + Text(lines[0]), soft_wrap=True)
        for line in lines[1:]:
            page.print(Text(" " * indent + line), soft_wrap=True)


def rows(headings: Sequence[str], lines: Iterable[Sequence[Any]], *, status: int | None = None) -> None:
    """A table; the column numbered `status` holds outcome words and is coloured by them."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(Text(safe(heading)), overflow="fold")
    for line in lines:
        cells = [Text(safe(cell)) for cell in line]
        if status is not None:
            cells[status].stylize(_STYLES.get(str(line[status]), ""))
        table.add_row(*cells)
    console().print(table)


def next_step(text: str) -> None:
    from rich.text import Text

    console().print(Text("Next: ", style="dim") + Text(safe(text)), soft_wrap=True)


@contextmanager
def progress(*, quiet: bool) -> "Iterator[Progress]":
    """A progress line on standard error while long work runs; nothing when piped or quiet."""
    from sealwright.kernel import silent

    where = console(err=True)
    if quiet or not where.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TimeElapsedColumn())
    with Bar(*columns, console=where, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda line, share: bar.update(task, description=safe(line)[:60].ljust(60), completed=share)
