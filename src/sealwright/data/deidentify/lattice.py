"""The search: how little must be coarsened, and which rows left out, so that k, l and t hold?

Answers: which level of each quasi-identifier, and which rows stay?
Does not answer: what was reached in the end. `releasing` measures that again, on the rows that go.

Levels of all columns form a lattice. Whoever is too few at one point of it is too few at every finer point, so each
point that fails rules out all below it, and each that holds rules out all that lose more.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.deidentify.closeness import distinct_values, entropies
from sealwright.data.deidentify.errors import LimitsNotReached
from sealwright.data.deidentify.grouping import Ints, Spread, group, spread_of
from sealwright.data.deidentify.ladder import Ladder, Rung
from sealwright.data.deidentify.measuring import Guarded, sizes_of
from sealwright.data.deidentify.spec import Enforce
from sealwright.kernel import InvalidInput, Progress, silent

__all__ = ["Chosen", "choose"]

Node = tuple[int, ...]

_MOST_NODES = 20_000
_SLACK = 1e-9  # sums of shares in floating point


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The levels that lose least of those that hold, and the rows that stay."""

    levels: Mapping[str, int]
    rungs: Mapping[str, Rung]
    words: Mapping[str, str]
    kept: NDArray[np.bool_]  # one a row
    suppressed: int
    loss: float  # 0 (nothing) to 1 (everything), the mean over the quasi-identifiers
    looked_at: int  # points of the lattice
    points: int


def choose(
    ladders: Sequence[Ladder],
    guarded: Sequence[Guarded],
    wanted: Enforce,
    *,
    persons: Guarded | None = None,
    progress: Progress = silent,
) -> Chosen:
    """Find the levels that lose least, and the rows to leave out.

    Parameters
    ----------
    ladders : sequence of Ladder
        The quasi-identifiers, over the same rows.
    guarded : sequence of Guarded
        The sensitive columns, over the same rows.
    persons : Guarded, optional
        Whom each row is about, where somebody has more than one: k then counts persons, not rows.

    Raises
    ------
    LimitsNotReached
        Not even the coarsest levels hold without leaving out more rows than allowed.
    InvalidInput
        No rows, or far too many combinations of levels.

    Notes
    -----
    Full-domain generalisation with suppression, searched as in OLA (El Emam et al. 2009, "A globally optimal
    k-anonymity method"). For k and distinct l what is found is the best there is. For entropy l and for t, leaving rows
    out may turn a point from failing to holding; the search may then miss a finer one. It never takes one that fails.
    """
    rows = len(ladders[0].codes.of_rows)
    if not rows:
        raise InvalidInput("There are no rows to de-identify.")
    points = math.prod(len(ladder.rungs) for ladder in ladders)
    if points > _MOST_NODES:
        raise InvalidInput(
            f"{points:,} combinations of levels are too many ({_MOST_NODES:,} at most). Name fewer levels."
        )
    case = _Case.of(ladders, guarded, wanted, persons, rows)
    nodes = np.array(list(itertools.product(*(range(len(ladder.rungs)) for ladder in ladders))), dtype=np.int64)
    loss = np.mean([np.asarray(one.losses)[nodes[:, place]] for place, one in enumerate(ladders)], axis=0)
    best, found, looked = _search(case, nodes, loss, progress)
    levels = {ladder.name: int(level) for ladder, level in zip(ladders, nodes[best], strict=True)}
    return Chosen(
        levels=levels,
        rungs={ladder.name: ladder.rungs[levels[ladder.name]] for ladder in ladders},
        words={ladder.name: ladder.words(levels[ladder.name]) for ladder in ladders},
        kept=found.kept[case.of_rows],
        suppressed=found.suppressed,
        loss=float(loss[best]),
        looked_at=looked,
        points=len(nodes),
    )


def _search(case: "_Case", nodes: Ints, loss: NDArray[np.float64], progress: Progress) -> tuple[int, "_Tried", int]:
    """The point that loses least of those that hold; it, what it keeps, and how many were tried."""
    best = len(nodes) - 1
    found = case.try_at(nodes[best])
    if not found.holds:
        raise _stopped(case, nodes[best])
    order = np.lexsort((nodes.sum(axis=1), loss))  # of equal loss, the lower levels first
    rank = np.empty(len(nodes), dtype=np.int64)
    rank[order] = np.arange(len(nodes))
    alive = rank < rank[best]
    looked = 1
    while alive.any():
        open_ = order[alive[order]]
        place = int(open_[len(open_) // 2])
        progress(f"looking for the least loss: {len(open_):,} of {len(nodes):,} ways left", 1 - len(open_) / len(nodes))
        tried = case.try_at(nodes[place])
        looked += 1
        if tried.holds:
            best, found = place, tried
            alive &= rank < rank[place]
        else:
            alive &= ~(nodes <= nodes[place]).all(axis=1)
    return best, found, looked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    holds: bool
    kept: NDArray[np.bool_]  # one a combination
    suppressed: int  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The rows, folded into combinations of quasi-identifiers at level 0, with how many rows each stands for."""

    ladders: Sequence[Ladder]
    guarded: Sequence[Guarded]
    wanted: Enforce
    of_rows: Ints  # row -> combination
    base: Sequence[Ints]  # per ladder: combination -> code at level 0
    weights: Ints
    spreads: Sequence[Spread]  # per sensitive column, over combinations
    persons: Spread | None

    @classmethod
    def of(
        cls,
        ladders: Sequence[Ladder],
        guarded: Sequence[Guarded],
        wanted: Enforce,
        persons: Guarded | None,
        rows: int,
    ) -> "_Case":
        codes = [ladder.codes for ladder in ladders]
        ids, count = group([one.of_rows for one in codes], [one.count for one in codes])
        first = np.zeros(count, dtype=np.int64)
        first[ids] = np.arange(rows)
        asked = wanted.l is not None or wanted.t is not None
        return cls(
            ladders=ladders,
            guarded=guarded if asked else (),
            wanted=wanted,
            of_rows=ids,
            base=[one.of_rows[first] for one in codes],
            weights=sizes_of(ids, count),
            spreads=[one.spread(ids, count) for one in guarded] if asked else [],
            persons=None if persons is None else persons.spread(ids, count),
        )

    @property
    def allowed(self) -> int:
        """How many rows may be left out."""
        return math.floor(self.wanted.most_suppressed * int(self.weights.sum()) + _SLACK)

    def try_at(self, node: Ints) -> _Tried:
        """Leave out what does not hold, and look again: the whole table is another one without it."""
        ids, classes = self.classes_at(node)
        kept = np.ones(len(self.weights), dtype=np.bool_)
        suppressed = 0
        while True:
            bad = self._bad(ids, classes, kept)
            if not bad.any():
                return _Tried(holds=bool(kept.any()), kept=kept, suppressed=suppressed)
            kept &= ~bad[ids]
            suppressed = int(self.weights[~kept].sum())
            if suppressed > self.allowed:
                return _Tried(holds=False, kept=kept, suppressed=suppressed)

    def classes_at(self, node: Ints) -> tuple[Ints, int]:
        at = [(one.maps[level], one.sizes[level]) for one, level in zip(self.ladders, node, strict=True)]
        return group([up[base] for (up, _), base in zip(at, self.base, strict=True)], [size for _, size in at])

    def spread_at(self, fine: Spread, ids: Ints, classes: int, kept: NDArray[np.bool_]) -> Spread:
        """The spread over coarser classes, of what is kept."""
        stays = kept[fine.of_class]
        return spread_of(ids[fine.of_class[stays]], classes, fine.value[stays], fine.values, fine.count[stays])

    def _bad(self, ids: Ints, classes: int, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Classes that have rows and do not hold."""
        sizes = sizes_of(ids, classes, self.weights * kept)
        bad = (sizes > 0) & (sizes < self.wanted.k)
        if self.persons is not None:
            bad |= distinct_values(self.spread_at(self.persons, ids, classes, kept)) < self.wanted.k
        if sizes[bad].sum() > self.allowed:
            return np.asarray(bad)
        for column, fine in zip(self.guarded, self.spreads, strict=True):
            spread = self.spread_at(fine, ids, classes, kept)
            if self.wanted.l is not None:
                measured = distinct_values(spread) if self.wanted.l_kind == "distinct" else entropies(spread)
                bad |= measured < self.wanted.l - _SLACK  # NaN is never smaller
            if self.wanted.t is not None:
                bad |= column.away(spread) > self.wanted.t + _SLACK
        return np.asarray(bad & (sizes > 0))


def _stopped(case: _Case, node: Ints) -> LimitsNotReached:
    """What the coarsest point has, and what would help."""
    wanted = case.wanted
    ids, classes = case.classes_at(node)
    every = np.ones(len(case.weights), dtype=np.bool_)
    rows = int(case.weights.sum())
    reached: dict[str, float] = {"k": float(sizes_of(ids, classes, case.weights).min())}
    if case.persons is not None:
        found = distinct_values(case.spread_at(case.persons, ids, classes, every))
        reached["persons in the smallest class"] = float(np.nanmin(found, initial=np.inf))
    for column, fine in zip(case.guarded, case.spreads, strict=True):
        spread = case.spread_at(fine, ids, classes, every)
        if wanted.l is not None:
            measured = distinct_values(spread) if wanted.l_kind == "distinct" else entropies(spread)
            reached[f"l of {column.name}"] = float(np.nanmin(measured, initial=np.inf))
        if wanted.t is not None:
            reached[f"t of {column.name}"] = float(np.nanmax(column.away(spread), initial=0.0))
    reached["share of rows to leave out, at least"] = case.try_at(node).suppressed / rows
    return LimitsNotReached(_words(wanted), reached, list(_changes(case, reached, rows)))


def _changes(case: _Case, reached: Mapping[str, float], rows: int) -> "itertools.chain[str]":
    wanted = case.wanted
    share = reached["share of rows to leave out, at least"]
    found = []
    if wanted.by == "suppress":
        found.append("set enforce.by: generalise, so that quasi-identifiers are coarsened before rows are left out")
        found.append(f"set enforce.most_suppressed above {share:.3g}, which leaves that share of the rows out")
        found.append("coarsen quasi-identifiers under deidentify.columns, or suppress one of them")
    if rows < wanted.k:
        found.append(f"take more rows: {rows:,} rows cannot hide each among {wanted.k:,}")
    if wanted.l is not None and wanted.by == "generalise":
        found.append("ask for a smaller l: a sensitive column has no more values than that in the whole table")
    return itertools.chain(found, [f"ask for less than k {wanted.k} only with the data protection officer's consent"])


def _words(wanted: Enforce) -> str:
    parts = [f"k {wanted.k}"]
    parts += [f"{wanted.l_kind} l {wanted.l:g}"] if wanted.l is not None else []
    parts += [f"t {wanted.t:g}"] if wanted.t is not None else []
    return f"{', '.join(parts)}, with at most {wanted.most_suppressed:.2%} of the rows left out"
