"""The interface of a model: what goes in, what comes out. Written from the contract, carried by every package.

Answers: which features in which order, of what type and range, and which classes?
Does not answer: how they are computed with. Training and serving follow this page.

The graph has up to two inputs. "numbers": float32 [N, n]; null is NaN, a boolean 0 or 1, a date the days since
1970-01-01 (so are its min and max here). "strings": text [N, m]; null is the empty text. An input without columns is absent.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.dates import day_text
from sealwright.data.spec import DataSpec

__all__ = ["example_row", "feature_interface"]


def feature_interface(spec: DataSpec, train: pa.Table | None = None, *, project: str = "") -> dict[str, Any]:
    """The interface JSON of a model trained under this contract.

    Parameters
    ----------
    spec : DataSpec
        The contract. Ranges and categories come from here, never from what training happened to see.
    train : pa.Table, optional
        If given, must have every feature; a guard against another table.
    project : str
        Name of the project.

    Returns
    -------
    dict
        {"format", "project", "task", "target", "classes", "positive", "numbers", "strings", "outputs", "order"}, and
        "rules" where some are about features only.

    Raises
    ------
    ValueError
        `train` lacks a feature.
    """
    missing = [name for name in spec.features if train is not None and name not in train.schema.names]
    if missing:
        raise ValueError(f"the table lacks features of the contract: {missing[:10]}")
    features = {name: spec.columns[name] for name in spec.features}
    width = len(spec.classes)
    return {
        "format": 1,
        "project": project,
        "task": spec.task,
        "target": spec.target,
        "classes": list(spec.classes),
        "positive": spec.positive,
        "numbers": [_number(name, column) for name, column in features.items() if column.type != "category"],
        "strings": [_string(name, column) for name, column in features.items() if column.type == "category"],
        "outputs": {"value": ["N", 1]} if spec.task == "regression" else {"probabilities": ["N", width]},
        "order": list(features),
        **_rules(spec, features),
    }


def example_row(train: pa.Table, interface: Mapping[str, Any]) -> dict[str, Any]:
    """A row nobody has: the median or most frequent value of each feature. For examples in documents and calls.

    Returns
    -------
    dict
        Feature name to JSON value, in the order of the interface; dates as text.
    """
    kinds = {item["name"]: item["type"] for item in (*interface["numbers"], *interface["strings"])}
    return {name: _typical(train.column(name).drop_null(), kinds[name]) for name in interface["order"]}


def _rules(spec: DataSpec, features: Mapping[str, ColumnSpec]) -> dict[str, Any]:
    """The rules that a row of features can keep; those about other columns are held at ingest only."""
    rules = [rule.plain() for rule in spec.rules if rule.columns <= features.keys()]
    return {"rules": rules} if rules else {}


def _number(name: str, column: ColumnSpec) -> dict[str, Any]:
    least, most = column.bounds
    return {"name": name, "type": column.type, "nullable": column.nullable, "min": least, "max": most}


def _string(name: str, column: ColumnSpec) -> dict[str, Any]:
    return {"name": name, "type": "category", "nullable": column.nullable, "categories": list(column.categories or ())}


def _typical(values: Any, kind: str) -> Any:
    if not len(values):
        return None
    if kind in {"category", "boolean"}:
        return min(pc.value_counts(values).to_pylist(), key=lambda found: (-found["counts"], str(found["values"])))[
            "values"
        ]
    numbers = pc.cast(values, pa.int32()) if kind == "date" else values
    median = pc.quantile(numbers, q=0.5, interpolation="lower")[0].as_py()
    return day_text(median) if kind == "date" else median
