"""Comma-separated text that a spreadsheet shows and does not run.

Answers: how is somebody else's text written into a cell so that no program takes it for a formula?
A text that begins as a formula could (= + - @, their full-width forms, tab, line ends) gets an apostrophe in front, which
spreadsheets take as "this is text" (OWASP, CSV injection). Numbers stay numbers. Quoting and line ends as in RFC 4180.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from sealwright.kernel.escaping import page_text

__all__ = ["FORMULA_START", "NUMBER", "csv_cell", "csv_text"]

FORMULA_START = "^[=+\\-@\t\r\n＝＋－＠]"
"""What a cell must not begin with, as a regular expression."""
_FORMULA = re.compile(FORMULA_START)
NUMBER = r"^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
"""What is a plain number, and stays one."""
_NUMBER = re.compile(NUMBER)


def csv_cell(value: object) -> str:
    """One cell, before quoting: None is empty, a number itself, text without control characters or a way to be a formula."""
    text = "" if value is None else page_text(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as text, the heading among them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([csv_cell(cell) for cell in row])
    return out.getvalue()
