"""A contract, and the way from a query to a plan."""

import hashlib
from typing import Any

from sealwright.data import ColumnSpec
from sealwright.data.dp import Plan, Query, plan_query
from sealwright.data.privacy_budget import millionths

__all__ = ["COLUMNS", "named", "plan", "query"]

COLUMNS = {
    name: ColumnSpec.model_validate(said)
    for name, said in {
        "person": {"type": "text", "role": "identifier"},
        "age": {"type": "integer", "min": 0, "max": 100, "nullable": True},
        "height": {"type": "number", "min": -1, "max": 3},
        "free": {"type": "number"},
        "half": {"type": "number", "min": 0},
        "colour": {"type": "category", "categories": ["red", "green", "blue"]},
        "maybe": {"type": "category", "categories": ["a", "b"], "nullable": True},
        "fits": {"type": "boolean"},
        "since": {"type": "date", "min": "2015-01-01", "max": "2015-12-31"},
    }.items()
}


def named(text: str) -> bytes:
    """Stands for the keyed names of a workspace."""
    return hashlib.sha256(b"key" + text.encode()).digest()[:16]


def query(kind: Any, epsilon: str = "1", **more: Any) -> Query:
    return Query(kind=kind, epsilon=millionths(epsilon), **more)


def plan(kind: Any, epsilon: str = "1", **more: Any) -> Plan:
    return plan_query(query(kind, epsilon, **more), COLUMNS)
