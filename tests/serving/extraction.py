"""Copying a model by asking it: the thief's side, over the wire. Used by test_copying_a_model and by benchmarks/serving_extraction.py.

The thief reads the description of the served model, draws rows within its ranges and categories, asks in batches, and learns a model
of their own from the answers: from probabilities where they are told some, from labels where not. How good the copy is, is
measured on fresh rows that are not asked: the share on which copy and model name the same label.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

__all__ = ["Copied", "Thief", "learned_model"]

_BATCH = 500
_LEAST = 1e-4  # of a probability, before its logarithm is taken
Rows = dict[str, list[Any]]


class Copied(NamedTuple):
    """What a number of answers was good for."""

    asked: int  # questions
    told: int  # answers that came
    same: float  # share of fresh rows on which copy and model name the same label


def learned_model(interface: dict[str, Any], *, seed: int = 7, trees: int = 60) -> bytes:
    """A model worth copying: boosted trees over the eight numbers, learned from rows whose rule bends and crosses, as ONNX."""
    rng = np.random.default_rng(seed)
    width = len(interface["numbers"])
    rows = np.stack([_drawn(part, rng, 4000) for part in interface["numbers"]], axis=1).astype(np.float32)
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    bent = scaled[:, 0] * scaled[:, 1] + np.sin(2 * scaled[:, 5]) + 0.8 * scaled[:, 6] - np.abs(scaled[:, 7])
    bad = bent + rng.normal(0, 0.7, len(rows)) > np.median(bent)
    learned = GradientBoostingClassifier(n_estimators=trees, max_depth=4, random_state=seed).fit(rows, bad)
    return _as_onnx(learned, width, len(interface["strings"]))


def _as_onnx(learned: Any, width: int, texts: int) -> bytes:
    nodes: dict[str, list[Any]] = {
        name: []
        for name in (
            "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values", "nodes_truenodeids",
            "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids", "target_weights",
        )
    }  # fmt: skip
    for number, (one,) in enumerate(learned.estimators_):
        tree = one.tree_
        for place in range(tree.node_count):
            leaf = tree.children_left[place] < 0
            nodes["nodes_treeids"].append(number)
            nodes["nodes_nodeids"].append(place)
            nodes["nodes_featureids"].append(0 if leaf else int(tree.feature[place]))
            nodes["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            nodes["nodes_values"].append(0.0 if leaf else float(tree.threshold[place]))
            nodes["nodes_truenodeids"].append(0 if leaf else int(tree.children_left[place]))
            nodes["nodes_falsenodeids"].append(0 if leaf else int(tree.children_right[place]))
            if leaf:
                nodes["target_treeids"].append(number)
                nodes["target_nodeids"].append(place)
                nodes["target_ids"].append(0)
                nodes["target_weights"].append(learned.learning_rate * float(tree.value[place, 0, 0]))
    base = float(learned.init_.class_prior_[1])
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", ["numbers"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "numbers"], ["filled"]),
            helper.make_node("TreeEnsembleRegressor", ["filled"], ["score"], domain="ai.onnx.ml", n_targets=1,
                             base_values=[float(np.log(base / (1 - base)))], **nodes),
            helper.make_node("Sigmoid", ["score"], ["bad"]),
            helper.make_node("Sub", ["one", "bad"], ["good"]),
            helper.make_node("Concat", ["good", "bad"], ["probabilities"], axis=1),
        ],
        "learned",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, width]),
            helper.make_tensor_value_info("strings", TensorProto.STRING, [None, texts]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("one", 1))],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


class Thief:
    """Somebody with a token. `interface` is what the description of the model says."""

    def __init__(self, interface: dict[str, Any], model: bytes, *, seed: int = 1) -> None:
        """`model` only judges the copy; the thief never looks into it."""
        self._interface, self._rng = interface, np.random.default_rng(seed)
        self._names = [part["name"] for part in interface["numbers"]]
        fresh = self._rows(2000)
        truth = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        strings = np.full((2000, len(interface["strings"])), "a11", dtype=object)
        found = truth.run(None, {"numbers": self._seen(fresh), "strings": strings})[0]
        self._fresh, self._truth = self._seen(fresh), found[:, 1] > 0.5

    def copies(self, port: int, ca: Any, token: str, sizes: list[int]) -> Iterator[Copied]:
        """Ask on and on, and learn a copy after each of these numbers of questions."""
        seen: list[NDArray[np.float32]] = []
        told: list[NDArray[np.float64]] = []
        asked = 0
        tls = ssl.create_default_context(cafile=str(ca))
        for size in sizes:
            with contextlib.closing(http.client.HTTPSConnection("localhost", port, context=tls, timeout=30)) as link:
                while asked < size:
                    rows = self._rows(min(_BATCH, size - asked))
                    asked += len(rows["age"])
                    answers = self._ask(link, token, rows)
                    if answers is not None:
                        seen.append(self._seen(rows))
                        told.append(answers)
            count = sum(map(len, told))
            yield Copied(asked, count, self._same(np.concatenate(seen), np.concatenate(told)) if count else 0.5)

    def _ask(self, link: http.client.HTTPSConnection, token: str, rows: Rows) -> NDArray[np.float64] | None:
        """Probability of "bad" for each row; 0 or 1 where only the label is told; None where the server refuses."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"columns": rows}).encode()
        link.request("POST", f"/v1/models/{self._interface['project']}/predict", body, headers)
        reply = link.getresponse()
        data = reply.read()
        if reply.status != 200:
            return None
        told = json.loads(data)["answer"]["columns"]
        labels = np.array([float(label == "bad") for label in told["label"]])
        if "probabilities" not in told:
            return labels
        bad, good = (told["probabilities"].get(name) for name in ("bad", "good"))
        found = labels.copy()
        for at in range(len(labels)):
            if bad is not None and bad[at] is not None:
                found[at] = bad[at]
            elif good is not None and good[at] is not None:
                found[at] = 1 - good[at]
        return found

    def _same(self, seen: NDArray[np.float32], told: NDArray[np.float64]) -> float:
        with threadpool_limits(1):  # many threads for few rows wait for each other
            return self._learned(seen, told)

    def _learned(self, seen: NDArray[np.float32], told: NDArray[np.float64]) -> float:
        if np.isin(told, (0.0, 1.0)).all():
            if len(np.unique(told)) < 2:
                return float((self._truth == bool(told[0])).mean())
            copy: Any = HistGradientBoostingClassifier(random_state=0, max_iter=200).fit(seen, told > 0.5)
            return float((copy.predict(self._fresh) == self._truth).mean())
        bounded = np.clip(told, _LEAST, 1 - _LEAST)
        copy = HistGradientBoostingRegressor(random_state=0, max_iter=200).fit(seen, np.log(bounded / (1 - bounded)))
        return float(((copy.predict(self._fresh) > 0) == self._truth).mean())

    def _rows(self, count: int) -> Rows:
        rows: Rows = {}
        for part in self._interface["numbers"]:
            values = _drawn(part, self._rng, count)
            if part["type"] == "integer":
                rows[part["name"]] = [int(value) for value in values]
            elif part["type"] == "boolean":
                rows[part["name"]] = [bool(value) for value in values]
            elif part["type"] == "date":
                rows[part["name"]] = [str(np.datetime64("1970-01-01") + int(value)) for value in values]
            else:
                rows[part["name"]] = [round(float(value), 4) for value in values]
        for part in self._interface["strings"]:
            rows[part["name"]] = ["a11"] * count
        return rows

    def _seen(self, rows: Rows) -> NDArray[np.float32]:
        """The rows as numbers, dates as days."""
        columns = []
        for part in self._interface["numbers"]:
            values = rows[part["name"]]
            if part["type"] == "date":
                values = [int(np.datetime64(value, "D").astype(int)) for value in values]
            columns.append(np.asarray(values, dtype=np.float32))
        return np.stack(columns, axis=1)


def _drawn(part: dict[str, Any], rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Values within the range of one number."""
    low, high = part["min"], part["max"]
    if part["type"] == "date":
        low, high = (int(np.datetime64(day, "D").astype(int)) for day in (low, high))
    if part["type"] in ("integer", "boolean", "date"):
        return rng.integers(int(low), int(high) + 1, count).astype(float)
    return rng.uniform(low, high, count)
