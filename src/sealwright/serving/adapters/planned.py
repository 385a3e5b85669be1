"""The serving plan: words looked up in dictionaries and numbers put in place here, the rest of the verified graph in ONNX Runtime.

Answers: how is a model run without carrying every word into its graph? Each text column becomes a dictionary from a word to the bytes
that the word is in the matrix, so that a row is one join of bytes.
Does not answer: anything that is calculated. `registry.set_apart` leaves that in the graph.

A plan serves only where it gave the same bits as the whole graph on rows made from the contract; else the whole graph serves.
See docs/adr/0022-serving-plan.md.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import SealwrightError
from sealwright.registry import SetApart, Source, Unreadable, set_apart
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.adapters.onnx import OnnxEngine, OnnxSession
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.engine import Engine
from sealwright.serving.trial_rows import trial_rows

__all__ = ["PlannedEngine", "engine_of"]

_NUMBERS = "numbers"
_Pieces = Callable[[Batch], Iterable[bytes]]
"""One piece of a row's bytes for each row of a batch."""


def engine_of(
    model: bytes,
    contract: Contract,
    *,
    runs: ModelRuns | None = None,
    tell: Callable[[str], None] = lambda _why: None,
) -> Engine:
    """The engine of a verified model: its plan, where it has one that agrees with the whole graph, else the whole graph.

    Parameters
    ----------
    runs : ModelRuns, optional
        What bounds its runs.
    tell : callable
        Hears why a plan that was made is not used.

    Raises
    ------
    VerificationFailed
        As `OnnxEngine`.
    """
    whole = OnnxEngine(model, contract, runs)
    try:
        apart = set_apart(model, len(contract.numbers), len(contract.strings))
    except Unreadable:
        return whole  # it is none of the graphs that a plan can be made of
    try:
        planned = PlannedEngine(apart, contract, runs)
        with contextlib.nullcontext() if runs is None else runs.unhurried():
            agreed = agree(whole, planned, trial_rows(contract))
        if agreed:
            return planned
        why = "it gives other numbers than the whole graph"
    except SealwrightError as error:
        why = str(error)
    tell(why)
    return whole


def agree(whole: Engine, planned: Engine, rows: Batch) -> bool:
    """Whether two engines give the same bits, for all rows together and for one alone."""
    first = Batch(
        1, None if rows.numbers is None else rows.numbers[:1], None if rows.strings is None else rows.strings[:1]
    )
    return all(whole.run(asked).tobytes() == planned.run(asked).tobytes() for asked in (rows, first))


class PlannedEngine:
    """Implements `Engine`. Safe to call from several threads: nothing in it changes after loading."""

    def __init__(self, apart: SetApart, contract: Contract, runs: ModelRuns | None = None) -> None:
        """Compile the dictionaries and load the rest of the graph.

        Raises
        ------
        VerificationFailed
            The rest of the graph cannot be loaded by itself.
        """
        self._rest = OnnxSession(apart.rest, contract.output, runs)
        self._fed = {name: _Matrix(columns) for name, columns in apart.fed.items() if name != _NUMBERS}
        self._numbers = _NUMBERS in apart.fed  # go in as they are

    def run(self, batch: Batch) -> NDArray[np.float32]:
        feeds = {name: matrix.of(batch) for name, matrix in self._fed.items()}
        if self._numbers and batch.numbers is not None:
            feeds[_NUMBERS] = batch.numbers
        return self._rest.run(feeds)


class _Matrix:
    """One input of the rest: its columns, row by row."""

    def __init__(self, columns: Sequence[Source]) -> None:
        self._width = len(columns)
        self._pieces: list[_Pieces] = []
        for (kind, place), run in groupby(
            columns, key=lambda one: (one.kind, one.place if one.kind == "string" else 0)
        ):
            of = list(run)
            self._pieces.append(_numbers_of([one.place for one in of]) if kind == "number" else _words_of(place, of))

    def of(self, batch: Batch) -> NDArray[np.float32]:
        """Shape (rows, columns)."""
        pieces = [piece(batch) for piece in self._pieces]
        joined = b"".join(chain.from_iterable(zip(*pieces, strict=True)))
        return np.frombuffer(joined, dtype=np.float32).reshape(batch.rows, self._width)


def _numbers_of(places: Sequence[int]) -> _Pieces:
    """Numbers as they are."""
    size = len(places) * np.dtype(np.float32).itemsize
    chosen, in_order = np.array(places), list(places) == list(range(len(places)))

    def pieces(batch: Batch) -> Iterable[bytes]:
        numbers = batch.numbers
        assert numbers is not None
        if not in_order or numbers.shape[1] > len(places):
            numbers = numbers.take(chosen, axis=1)
        data = numbers.tobytes()
        return [data[at : at + size] for at in range(0, len(data), size)]

    return pieces


class _Words(dict[str, bytes]):
    """What each word of one text column becomes in the matrix."""

    def __init__(self, columns: Sequence[Source]) -> None:
        words = {word for one in columns for word in one.table}
        super().__init__({word: _bytes([one.of_text(word) for one in columns]) for word in words})
        self._other = _bytes([one.other for one in columns])

    def __missing__(self, word: str) -> bytes:
        return self._other


def _words_of(place: int, columns: Sequence[Source]) -> _Pieces:
    word_of = _Words(columns).__getitem__
    return lambda batch: map(word_of, batch.texts[place])


def _bytes(values: Sequence[float]) -> bytes:
    return np.array(values, dtype=np.float32).tobytes()
