"""CSV files, streamed as text. No cell is typed here, so nothing can be guessed wrong.

Answers: which rows does the file hold, and which lines are no rows?
Stated handling: an empty field is a missing value, quoted or not; blank lines are no rows (in a file
with one column, they are missing values); a line with too many or too few fields is handed on as rejected.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from sealwright.data.cells import matches
from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import check_column_names, name_unnamed
from sealwright.data.source_spec import FileSource, S3Source
from sealwright.data.sources.csv_header import ends_inside_quotes, find_delimiter, header_length, split_header
from sealwright.data.sources.model import RejectedRow, SourceBatch, SourceSpec, Transport
from sealwright.data.sources.stored import Stored
from sealwright.data.sources.text_bytes import BLOCK, TextBytes

__all__ = ["CsvFile", "writes_decimal_commas"]

_DECIMAL_COMMA = r"^\s*[+-]?[0-9]+(?:,[0-9]+)?\s*$"
_LONGEST_HEADER = 1 << 20
_SAMPLE = 1 << 18


class CsvFile:
    """One CSV file. Opening it reads the header; `batches` reads it from the start each time."""

    kind = "csv"

    def __init__(self, stored: Stored, said: FileSource | S3Source, spec: SourceSpec) -> None:
        self._stored, self._said, self.spec = stored, said, spec
        self.name = stored.name
        self.decimal = said.decimal
        self.unreadable: Mapping[str, str] = {}
        self.share = 0.0
        self._digest = ""
        with self._open() as stream:
            self._header = self._take_header(stream)
            sample = stream.peek(_SAMPLE)
        if not sample.strip(b"\r\n"):
            raise SourceUnreadable(f"{self.name} has a header and no rows. There is nothing to learn from.")
        cut = sample if len(sample) < _SAMPLE else sample[: max(sample.rfind(b"\n"), 0)]
        text = self._header.decode()
        self._delimiter = said.delimiter or find_delimiter(text + cut.decode(errors="ignore"))
        names, self.notes = name_unnamed(split_header(text, self._delimiter, self.name))
        self.columns = check_column_names(names, what=self.name)

    @property
    def delimiter(self) -> str:
        """What separates the fields."""
        return self._delimiter

    def with_decimal_comma(self) -> "CsvFile":
        """The same file, its numbers read with decimal commas."""
        said = self._said.model_copy(update={"decimal": ","})
        return CsvFile(self._stored, said, said)

    @property
    def transport(self) -> Transport:
        return self._stored.transport

    @property
    def digest(self) -> str:
        if not self._digest:
            with self._open() as stream:
                self._digest = stream.finish()
        return self._digest

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if only is None or name in only]
        with self._open() as stream:
            if self._take_header(stream) != self._header:
                raise SourceUnreadable(f"{self.name} changed since it was opened. Try again.")
            rows = _Rows()
            for batch in self._parse(stream, rows, wanted):
                self.share = stream.share
                yield batch
            self._refuse_open_quote(stream, rows.last_cell)
            self._digest = stream.finish()
        self.share = 1.0

    def _open(self) -> TextBytes:
        return TextBytes(self._stored, encoding=self._said.encoding, packed=self.name.lower().endswith(".gz"))

    def _take_header(self, stream: TextBytes) -> bytes:
        head = stream.peek(_LONGEST_HEADER)
        length = header_length(head)
        if not head.strip():
            raise SourceUnreadable(f"{self.name} is empty. A data file needs a header and at least one row.")
        if length is None:
            if len(head) < _LONGEST_HEADER:
                raise SourceUnreadable(f"{self.name} has a header and no rows. There is nothing to learn from.")
            raise SourceUnreadable(
                f"The first line of {self.name} is longer than {_LONGEST_HEADER:,} bytes, so it is no header."
            )
        return stream.read(length)

    def _parse(self, stream: TextBytes, rows: "_Rows", wanted: list[str]) -> Iterator[SourceBatch]:
        """Arrow's streaming parser, one thread, so that it knows the number of each line it rejects."""
        positions = [f"f{place}" for place in range(len(self.columns))]
        chosen = [positions[self.columns.index(name)] for name in wanted]
        last = positions[-1]  # always read: an unclosed quote at the end of the file shows in it
        try:
            reader = pcsv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=pcsv.ReadOptions(column_names=positions, use_threads=False, block_size=BLOCK),
                parse_options=pcsv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=len(positions) > 1,
                    invalid_row_handler=rows.reject,
                ),
                convert_options=pcsv.ConvertOptions(
                    column_types=dict.fromkeys(positions, pa.string()),
                    include_columns=[*chosen, last] if last not in chosen else chosen,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    check_utf8=False,  # checked before the parser sees it
                ),
            )
            while (batch := _next(reader)) is not None:
                if batch.num_rows:
                    rows.last_cell = batch.column(last)[-1].as_py()
                yield rows.number(batch.select(chosen).rename_columns(wanted))
        except pa.ArrowInvalid as error:
            self._refuse_unparsable(error, rows.seen)
        if leftover := rows.rest():
            empty = pa.RecordBatch.from_arrays([pa.array([], pa.string())] * len(wanted), names=wanted)
            self._refuse_open_quote_in(leftover[-1])
            yield SourceBatch(empty, np.empty(0, np.int64), leftover)

    def _refuse_unparsable(self, error: pa.ArrowInvalid, seen: int) -> None:
        if "straddling" in str(error):
            raise SourceUnreadable(
                f"After data row {seen:,}, {self.name} has a row longer than {BLOCK:,} bytes.\n"
                'Most likely a quote (") is opened there and never closed.'
            ) from None
        if "Empty CSV" not in str(error):
            raise SourceUnreadable(f"{self.name} cannot be read as CSV after data row {seen:,}.") from None

    def _refuse_open_quote(self, stream: TextBytes, last_cell: str | None) -> None:
        """A quote never closed makes one cell of all the rest; the parser accepts that, we do not.

        The file then ends with the quote and the cell, and holds an odd number of quotes. (The count decides
        where a last cell that begins with a line break looks the same; it was closed.)
        """
        opened = b'"' + (last_cell or "").replace('"', '""').encode()
        before = stream.tail[: -len(opened)][-1:].decode("latin-1")
        if stream.tail.endswith(opened) and before in {"", self._delimiter, "\n", "\r"} and stream.quotes % 2:
            raise self._open_quote("the last row")

    def _refuse_open_quote_in(self, row: RejectedRow) -> None:
        if ends_inside_quotes(row.text, self._delimiter):
            raise self._open_quote(f"data row {row.row:,}")

    def _open_quote(self, where: str) -> SourceUnreadable:
        return SourceUnreadable(
            f'In {where} of {self.name} a quote (") is opened and never closed.\n'
            "Close it, or double a quote that belongs to the text."
        )


def writes_decimal_commas(source: CsvFile) -> bool:
    """Whether the first rows hold numbers like 1,5, so that a comma must be their decimal mark."""
    if source.decimal == "," or source.delimiter == ",":
        return False
    for batch in source.batches():
        columns = [column.drop_null() for column in batch.rows.columns]
        return any(len(column) and matches(column, _DECIMAL_COMMA).all() for column in columns if _any_comma(column))
    return False


def _any_comma(column: Any) -> bool:
    return bool(pc.any(pc.match_substring(column, ",")).as_py())


class _Rows:
    """Numbers for the rows Arrow returns, given the numbers of those it rejected."""

    def __init__(self) -> None:
        self.last_cell: str | None = None  # of the last row read
        self.seen = 0  # rows and rejected rows handed on so far
        self._rejected: list[RejectedRow] = []

    def reject(self, row: Any) -> str:
        self._rejected.append(RejectedRow(row.number, row.text))
        return "skip"

    def number(self, batch: Any) -> SourceBatch:
        """The batch with its row numbers, and the rejected rows that stand before its last row."""
        count, taken = batch.num_rows, 0
        if count:
            while taken < len(self._rejected) and self._rejected[taken].row <= self.seen + count + taken:
                taken += 1
        due, self._rejected = tuple(self._rejected[:taken]), self._rejected[taken:]
        numbers = np.arange(self.seen + 1, self.seen + count + taken + 1, dtype=np.int64)
        if due:
            numbers = np.setdiff1d(numbers, [row.row for row in due], assume_unique=True)
        self.seen += count + taken
        return SourceBatch(batch, numbers, due)

    def rest(self) -> tuple[RejectedRow, ...]:
        """Rejected rows after the last row."""
        due, self._rejected = tuple(self._rejected), []
        self.seen += len(due)
        return due


def _next(reader: Any) -> Any:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
