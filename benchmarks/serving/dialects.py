"""How each server is asked, and where its answer holds the probabilities.

Answers: which path, which body, which numbers? One dialect per protocol, not per server.
Does not answer: whether the numbers are right; `checks` compares them with scikit-learn's.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BENTOML", "EMPTY", "KSERVE", "MLFLOW", "OIP", "ROWS", "SEALWRIGHT", "SEALWRIGHT_ROWS", "Dialect"]

Row = dict[str, Any]
Shares = list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One protocol. `read` takes decoded JSON; without it there is nothing to check in an answer."""

    path: str
    wrap: Callable[[Sequence[Row]], Any]
    read: Callable[[Any], Shares] | None

    def body(self, rows: Sequence[Row]) -> bytes:
        """The request for some rows. Values JSON does not know are written as Python writes them."""
        return json.dumps(self.wrap(rows)).encode()


def _tensors(rows: Sequence[Row]) -> dict[str, Any]:
    """Open Inference Protocol v2, one input a column, to be read as a pandas frame."""
    inputs = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        text = isinstance(values[0], str) and not _is_number(name)
        inputs.append(
            {
                "name": name,
                "shape": [len(rows), 1],
                "datatype": "BYTES" if text else "FP64",
                "data": values,
                **({"parameters": {"content_type": "str"}} if text else {}),
            }
        )
    return {"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": [{"name": "predict_proba"}]}


def _is_number(name: str) -> bool:
    from credit import NUMBERS

    return name in NUMBERS


def _flat(answer: Any) -> Shares:
    data = answer["outputs"][0]["data"]
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def _by_column(rows: Sequence[Row]) -> dict[str, Any]:
    return {"columns": {name: [row[name] for row in rows] for name in rows[0]}}


def _ours(answer: Any) -> Shares:
    told = answer["answer"]
    if "columns" in told:
        return [list(line) for line in zip(*told["columns"]["probabilities"].values(), strict=True)]
    return [list(one["probabilities"].values()) for one in told.get("rows", [told])]


EMPTY = Dialect(path="/", wrap=lambda rows: {"rows": list(rows)}, read=None)
ROWS = Dialect(path="/predict", wrap=lambda rows: {"rows": list(rows)}, read=lambda answer: answer["probabilities"])
BENTOML = Dialect(path="/predict", wrap=lambda rows: {"rows": list(rows)}, read=lambda answer: answer)
MLFLOW = Dialect(
    path="/invocations",
    wrap=lambda rows: {"dataframe_records": list(rows)},
    read=lambda answer: answer["predictions"],
)
KSERVE = Dialect(
    path="/v1/models/credit:predict",
    wrap=lambda rows: {"instances": list(rows)},
    read=lambda answer: answer["predictions"],
)
OIP = Dialect(path="/v2/models/credit/infer", wrap=_tensors, read=_flat)
SEALWRIGHT = Dialect(
    path="/v1/models/{project}/predict",
    wrap=lambda rows: {"row": rows[0]} if len(rows) == 1 else _by_column(rows),
    read=_ours,
)
SEALWRIGHT_ROWS = Dialect(path=SEALWRIGHT.path, wrap=lambda rows: {"rows": list(rows)}, read=_ours)
