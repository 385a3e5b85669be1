"""The first line of a CSV file: where it ends, what separates its fields, what they are called."""

import csv
import io
import itertools
import re

from sealwright.data.errors import SourceUnreadable

__all__ = ["DELIMITERS", "ends_inside_quotes", "find_delimiter", "header_length", "split_header"]

DELIMITERS = (",", ";", "\t", "|")  # in this order when several fit equally well
_SAMPLE_ROWS = 50
_NUMBER = re.compile(r"\s*[+-]?[.,]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?\s*")


def header_length(head: bytes) -> int | None:
    """Bytes of the first record including its line end and blank lines before it; None if it does not end in `head`."""
    place = len(head) - len(head.lstrip(b"\r\n"))
    quoted = False
    starts_field = True
    while place < len(head):
        byte = head[place : place + 1]
        if quoted:
            quoted = byte != b'"'
        elif byte in b"\r\n":
            return place + (2 if head[place : place + 2] == b"\r\n" else 1)
        elif byte == b'"':  # opens a field at its start; after a closing quote it is a doubled one
            quoted = starts_field or head[place - 1 : place] == b'"'
        starts_field = byte.decode("latin-1") in DELIMITERS
        place += 1
    return None


def find_delimiter(sample: str) -> str:
    """The separator by which the first rows have the same number of fields, at least two, as often as possible."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            rows = list(itertools.islice(filter(None, reader), _SAMPLE_ROWS))
        except csv.Error:
            continue
        fields = len(rows[0]) if rows else 0
        agreeing = sum(len(row) == fields for row in rows[1:]) / max(1, len(rows) - 1)
        if fields > 1 and (agreeing, fields) > best_score:
            best, best_score = delimiter, (agreeing, fields)
    return best


def split_header(text: str, delimiter: str, name: str) -> list[str]:
    """The names in a header line.

    Raises
    ------
    SourceUnreadable
        Every field is a number: the file has no header.
    """
    cells = next(csv.reader([text.strip("\r\n")], delimiter=delimiter), [])
    if cells and all(_NUMBER.fullmatch(cell) for cell in cells):
        raise SourceUnreadable(
            f"The first line of {name} holds numbers only, so it is data, not names.\n"
            "Put a line with the column names before it."
        )
    return cells


def ends_inside_quotes(text: str, delimiter: str) -> bool:
    """Whether a record's text stops within a quoted field: somebody opened a quote and never closed it."""
    quoted = False
    starts_field = True
    previous = ""
    for character in text:
        if quoted:
            quoted = character != '"'
        elif character == '"':
            quoted = starts_field or previous == '"'
        starts_field = not quoted and character == delimiter
        previous = character
    return quoted
