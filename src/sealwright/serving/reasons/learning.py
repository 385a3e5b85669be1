"""What reasons need of the rows learned from, counted once when a version is made. The server never calls this.

Answers: how many rows fall into each leaf, or what is the mean of each column; which value of a feature is usual; how far apart
are numbers? For all rows, and of two classes also for the rows that the model decides as each of them.
Does not answer: what the project says in words. Nothing here is a row, or is about fewer than 30 of them.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import digest_of
from sealwright.registry import Linear, Link, Opened, Rows, Trees, Unreadable, matrix_of, open_model
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.engine import Engine
from sealwright.serving.reasons.encoding import Lines
from sealwright.serving.reasons.scores import CLOSE, answers_of, one_sum
from sealwright.serving.reasons.tree_sums import leaf_of_rows, leaves_in

__all__ = ["EVERYONE", "FEWEST", "Learned", "Population", "Seen", "learned_from"]

Floats = NDArray[np.float64]
EVERYONE = ""
FEWEST = 30  # rows of a population: fewer are mostly noise, and close to single persons
_MOST_ROWS = 20_000  # counted; of more, every so many-th
_MOST_LEAVES = 50_000  # compiling them takes a few seconds of a server that loads the version
_QUANTILES = (0.05, *(place / 10 for place in range(1, 10)), 0.95)
_MOST_TEXTS = 20


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """Rows learned from, in sums."""

    rows: int
    counts: tuple[int, ...] = ()  # trees: rows in each leaf
    means: tuple[float, ...] = ()  # linear: mean of each column of the matrix
    usual: dict[str, float | str | None]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Which values of a feature occur, to try in a search."""

    scale: float = 1.0
    numbers: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    whole: bool = False


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """Everything counted. `populations` are all rows (""), and of two classes the rows decided as each."""

    format: Literal[1]
    model: str
    link: Link
    populations: dict[str, Population]
    seen: dict[str, Seen]


def learned_from(model_bytes: bytes, contract: Contract, batch: Batch, engine: Engine) -> Learned | str:
    """Count, or say why this model has no reasons.

    Parameters
    ----------
    batch : Batch
        The rows learned from.
    engine : Engine
        The model's own engine.
    """
    lines = Lines(_thinned(batch))
    if len(lines) < FEWEST:
        return f"it learned from {len(lines)} rows; reasons compare with at least {FEWEST}"
    names = [feature.name for feature in contract.numbers], [feature.name for feature in contract.strings]
    try:
        opened = open_model(model_bytes, *names, contract.task)
    except Unreadable as why:
        return str(why)
    leaves = 0 if isinstance(opened.core, Linear) else sum(len(leaves_in(tree)) for tree in opened.core.model["trees"])
    if leaves > _MOST_LEAVES:
        return f"its trees have {leaves:,} leaves; at most {_MOST_LEAVES:,} are read"
    matrix = matrix_of(opened.columns, lines)
    said = np.asarray(engine.run(lines.batch()), dtype=np.float64)
    fallen = None
    if isinstance(opened.core, Trees):
        matrix = matrix.astype(np.float32).astype(np.float64)
        fallen = [leaf_of_rows(tree, matrix) for tree in opened.core.model["trees"]]
    link = _link_of(opened, matrix, fallen, said, len(contract.classes))
    if link is None:
        return "what was read from it does not give its answers"
    chosen = {EVERYONE: np.arange(len(lines))}
    if len(contract.classes) == 2:
        decided = np.argmax(said, axis=1)
        chosen |= {name: np.flatnonzero(decided == place) for place, name in enumerate(contract.classes)}
    return Learned(
        format=1,
        model=digest_of(model_bytes),
        link=link,
        populations={
            name: _population(contract, opened, lines, matrix, fallen, rows)
            for name, rows in chosen.items()
            if rows.size >= FEWEST
        },
        seen=_seen(contract, lines),
    )


def _thinned(batch: Batch) -> Batch:
    step = -(-batch.rows // _MOST_ROWS) or 1
    numbers = None if batch.numbers is None else batch.numbers[::step]
    strings = None if batch.strings is None else batch.strings[::step]
    return Batch(len(range(0, batch.rows, step)), numbers, strings)


def _link_of(
    opened: Opened, matrix: Floats, fallen: list[NDArray[np.intp]] | None, said: Floats, classes: int
) -> Link | None:
    """What turns sums into the model's own answers."""
    for link in opened.links:
        core = one_sum(opened.core, link)
        if isinstance(core, Linear):
            scores = matrix @ core.weights + core.constant
        else:
            scores = np.zeros((len(matrix), 1)) + np.asarray(core.model["base_offset"], dtype=np.float64).reshape(-1)
            for tree, leaf in zip(core.model["trees"], fallen or [], strict=True):
                scores = scores + tree["values"][leaves_in(tree)[leaf]]
        answers = answers_of(scores, link, classes)
        near = CLOSE if classes else CLOSE * np.maximum(1.0, np.abs(said))
        if answers.shape == said.shape and (np.abs(answers - said) <= near).all():
            return link
    return None


def _population(
    contract: Contract,
    opened: Opened,
    lines: Lines,
    matrix: Floats,
    fallen: list[NDArray[np.intp]] | None,
    rows: NDArray[np.intp],
) -> Population:
    usual: dict[str, float | str | None] = {}
    for place, feature in enumerate(contract.numbers):
        values = lines.numbers[rows, place].astype(np.float64)
        known = values[np.isfinite(values)]
        middle = float(np.quantile(known, 0.5, method="lower")) if known.size >= FEWEST else None
        usual[feature.name] = middle
    for place, feature in enumerate(contract.strings):
        texts, times = np.unique(lines.strings[rows, place].astype(str), return_counts=True)
        usual[feature.name] = str(texts[np.argmax(times)])
    if fallen is None or isinstance(opened.core, Linear):
        return Population(rows=rows.size, means=tuple(matrix[rows].mean(axis=0).tolist()), usual=usual)
    counts: list[int] = []
    for tree, leaf in zip(opened.core.model["trees"], fallen, strict=True):
        counts += np.bincount(leaf[rows], minlength=len(leaves_in(tree))).tolist()
    return Population(rows=rows.size, counts=tuple(counts), usual=usual)


def _seen(contract: Contract, rows: Rows) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for place, feature in enumerate(contract.numbers):
        values = rows.numbers[:, place].astype(np.float64)
        known = values[np.isfinite(values)]
        if known.size < FEWEST:
            continue
        inner = np.unique(np.quantile(known, _QUANTILES, method="lower")).tolist()
        whole = feature.kind != "number" or bool((known == np.round(known)).all())
        found[feature.name] = Seen(scale=float(known.std()) or 1.0, numbers=tuple(inner), whole=whole)
    for place, feature in enumerate(contract.strings):
        texts, times = np.unique(rows.strings[:, place].astype(str), return_counts=True)
        order = sorted(zip(texts.tolist(), times.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
        found[feature.name] = Seen(texts=tuple(text for text, _ in order if text)[:_MOST_TEXTS])
    return found
