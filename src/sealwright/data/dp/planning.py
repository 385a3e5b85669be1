"""From a query and a contract to a plan: bounds, cells and candidates, all declared before a row is read.

Answers: can this be asked of that contract, and between which bounds?
Does not answer: at what noise. Bounds never come from the data: they would give away its extremes, and noise sized
by them would depend on who is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.dates import day_number, day_text
from sealwright.data.dp.errors import BoundsMissing
from sealwright.data.dp.model import Plan, Query
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["EMPTY", "OUTSIDE", "plan_query", "value_text"]

EMPTY, OUTSIDE = "(empty)", "(outside)"

_GRID = 1 << 20  # steps between the bounds of a mean: rounding is then below a millionth of the range
_MOST_CELLS = 1000
_MOST_CANDIDATES = 1001
_DEFAULT_BINS = 10
_TYPES = {
    "mean": ("integer", "number", "boolean"),
    "histogram": ("category", "boolean", "integer", "number", "date"),
    "quantile": ("integer", "number", "date"),
}


def plan_query(query: Query, columns: Mapping[str, ColumnSpec]) -> Plan:
    """Hold a query against the columns of a contract.

    Parameters
    ----------
    columns : mapping of name to ColumnSpec
        The columns a snapshot keeps.

    Raises
    ------
    BoundsMissing
        Neither the request nor the contract says between which values the column lies.
    InvalidInput
        An unknown column, one of another type, or options that do not fit.
    """
    plan = Plan(query=query, type="", where=tuple(_condition(columns, name, text) for name, text in query.where))
    if query.kind == "count":
        _refuse(query.column is not None, "A count has no column. Count some rows only with --where COLUMN=VALUE.")
        return _only_fitting(plan)
    _refuse(query.column is None, f"Name the column: a {query.kind} is of one.")
    assert query.column is not None
    spec = _spec(columns, query.column)
    if spec.type not in _TYPES[query.kind]:
        fitting = ", ".join(_TYPES[query.kind])
        raise InvalidInput(f"{shown(query.column)} is of type {spec.type}; a {query.kind} is of {fitting}.")
    plan = replace(plan, type=spec.type, nullable=spec.nullable)
    return _only_fitting({"mean": _mean, "histogram": _histogram, "quantile": _quantile}[query.kind](plan, spec))


def value_text(value: float, kind: str) -> str:
    """A value of a column as people write it."""
    if kind == "date":
        return day_text(round(value))
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def _mean(plan: Plan, spec: ColumnSpec) -> Plan:
    lower, upper = (0.0, 1.0) if spec.type == "boolean" else _bounds(plan.query, spec)
    width = upper - lower
    exact = spec.type != "number" and width == int(width) and width <= _GRID and lower == int(lower)
    return replace(plan, lower=lower, upper=upper, steps=int(width) if exact else _GRID)


def _quantile(plan: Plan, spec: ColumnSpec) -> Plan:
    _refuse(plan.query.at is None or not 0 < plan.query.at < 1, "Say which quantile: --at 0.5 is the median.")
    lower, upper = _bounds(plan.query, spec)
    whole = spec.type in {"integer", "date"}
    steps = min(_MOST_CANDIDATES - 1, int(upper - lower)) if whole else _MOST_CANDIDATES - 1
    grid = [lower + (upper - lower) * place / steps for place in range(steps + 1)]
    candidates = tuple(sorted({float(round(value)) for value in grid} if whole else set(grid)))
    return replace(plan, lower=lower, upper=upper, candidates=candidates)


def _histogram(plan: Plan, spec: ColumnSpec) -> Plan:
    empty = (EMPTY,) if spec.nullable else ()
    if spec.type in {"category", "boolean"}:
        _refuse(
            bool(plan.query.edges or plan.query.bins or plan.query.lower or plan.query.upper),
            f"The cells of a {spec.type} are its values in the contract; leave edges, bins and bounds out.",
        )
        values = ("false", "true") if spec.type == "boolean" else tuple(spec.categories or ())
        return replace(plan, labels=(*values, *empty))
    edges = _edges(plan.query, spec)
    lower, upper = spec.bounds
    covered = lower is not None and upper is not None and edges[0] <= lower and upper <= edges[-1]
    between = [
        f"{value_text(low, spec.type)} to {'' if place == len(edges) - 2 else 'below '}{value_text(high, spec.type)}"
        for place, (low, high) in enumerate(pairwise(edges))
    ]
    labels = (*between, *(() if covered else (OUTSIDE,)), *empty)
    _refuse(len(labels) > _MOST_CELLS, f"At most {_MOST_CELLS:,} cells; every cell gets its own noise.")
    return replace(plan, lower=edges[0], upper=edges[-1], edges=edges, labels=labels)


def _edges(query: Query, spec: ColumnSpec) -> tuple[float, ...]:
    if query.edges:
        _refuse(
            query.bins is not None or query.lower is not None or query.upper is not None,
            "Give either the edges of the cells, or bounds and a number of cells.",
        )
        edges = tuple(_number(text, spec, "an edge") for text in query.edges)
        _refuse(len(edges) < 2 or list(edges) != sorted(set(edges)), "Give at least two edges, in rising order.")
        return edges
    bins = _DEFAULT_BINS if query.bins is None else query.bins
    _refuse(not 1 <= bins <= _MOST_CELLS, f"1 to {_MOST_CELLS:,} cells; got {bins}.")
    lower, upper = _bounds(query, spec)
    return (*(lower + (upper - lower) * place / bins for place in range(bins)), upper)


def _bounds(query: Query, spec: ColumnSpec) -> tuple[float, float]:
    declared = spec.bounds
    lower = declared[0] if query.lower is None else _number(query.lower, spec, "the lower bound")
    upper = declared[1] if query.upper is None else _number(query.upper, spec, "the upper bound")
    missing = [name for name, value in (("lower", lower), ("upper", upper)) if value is None]
    if lower is None or upper is None:
        raise BoundsMissing(
            f"{shown(query.column or '')} has no declared {' and no '.join(missing)} bound, and bounds are never read from"
            " the data: they would say who is in it.\nGive them from what you know of the world with"
            f" {' '.join(f'--{name} VALUE' for name in missing)}, or declare min and max in the contract and ingest again."
        )
    _refuse(not lower < upper, "The lower bound must be below the upper one.")
    return float(lower), float(upper)


def _number(text: str, spec: ColumnSpec, what: str) -> float:
    value: float | None
    if spec.type == "date":
        value = day_number(text)
    else:
        try:
            value = float(text)
        except ValueError:
            value = None
    if value is None or not abs(value) <= 2**53:
        wanted = "a date such as 2015-01-31" if spec.type == "date" else "a number"
        raise InvalidInput(f"{text[:40]!r} cannot be {what}: give {wanted}.")
    return value


def _condition(columns: Mapping[str, ColumnSpec], name: str, text: str) -> tuple[str, str | bool]:
    spec = _spec(columns, name)
    values = ("false", "true") if spec.type == "boolean" else tuple(spec.categories or ())
    if text not in values:
        known = f"one of {', '.join(map(shown, values[:12]))}" if values else "a column of type category or boolean"
        raise InvalidInput(f"--where {shown(name)}={text[:40]!r} cannot be used: it takes {known}.")
    return (name, text == "true") if spec.type == "boolean" else (name, text)


def _spec(columns: Mapping[str, ColumnSpec], name: str) -> ColumnSpec:
    if name not in columns:
        raise InvalidInput(f"The snapshot has no column {shown(name)}.{nearest(name, columns)}")
    return columns[name]


def _only_fitting(plan: Plan) -> Plan:
    """Options that this kind of query has no use for are refused, not ignored."""
    query = plan.query
    given = {"--at": query.at is not None, "--edges": bool(query.edges), "--bins": query.bins is not None}
    given |= {"--lower": query.lower is not None, "--upper": query.upper is not None}
    fitting: Mapping[str, Sequence[str]] = {
        "count": (),
        "mean": ("--lower", "--upper"),
        "histogram": ("--edges", "--bins", "--lower", "--upper"),
        "quantile": ("--at", "--lower", "--upper"),
    }
    odd = [name for name, there in given.items() if there and name not in fitting[query.kind]]
    if plan.type == "boolean" and query.kind == "mean":
        odd += [name for name in ("--lower", "--upper") if given[name]]
    _refuse(bool(odd), f"A {query.kind} {f'of a {plan.type} ' if plan.type else ''}takes no {' and no '.join(odd)}.")
    return plan


def _refuse(wrong: bool, message: str) -> None:
    if wrong:
        raise InvalidInput(message)
