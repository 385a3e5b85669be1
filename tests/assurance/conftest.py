"""Real models and real rows: German credit, iris and diabetes, trained with scikit-learn and converted to ONNX."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sealwright.assurance import AssuranceSpec, Features, Figure, Finding, SuiteResult, run_suites
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.elsewhere.held import judged_things
from sealwright.kernel import FixedClock

CLOCK = FixedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
QUICK = {"bootstrap": 300, "budget": {"repeats": 3}}
_GERMAN = Path(__file__).parents[2] / "examples/german-credit/german_credit.csv"


@dataclass(frozen=True)
class Judged:
    """Suite results, and short ways to ask them."""

    results: dict[str, SuiteResult]

    def __getitem__(self, suite: str) -> SuiteResult:
        return self.results[suite]

    def one(self, check: str, **about: str) -> Finding:
        """The only finding of a check, or the one about this attribute and level."""
        wanted = {"level": None} | about
        found = [
            finding
            for finding in self[check.partition(".")[0]].find(check)
            if not about or (finding.group and finding.group.to_json() == wanted)
        ]
        assert len(found) == 1, f"{check} {about}: {len(found)} findings"
        return found[0]

    def why(self, check: str, **about: str) -> str:
        """The only reason why a check gave no finding."""
        wanted = {"level": None} | about
        skips = self[check.partition(".")[0]].not_performed
        found = [
            item
            for item in skips
            if item.check == check and (not about or (item.group and item.group.to_json() == wanted))
        ]
        assert len(found) == 1, f"{check} {about}: {len(found)} reasons"
        return found[0].why

    def figure(self, name: str) -> Figure:
        return next(one for result in self.results.values() for one in result.figures if one.name == name)


@dataclass(frozen=True)
class Trained:
    """A model with the rows it was made from and is judged on."""

    model: Any
    interface: dict[str, Any]
    train: pa.Table
    test: pa.Table

    def judge(
        self, *suites: str, groups: Sequence[str] = (), spec: Mapping[str, Any] | None = None, **more: Any
    ) -> Judged:
        """Run suites with little resampling, a fixed clock and seed 7."""
        asked = AssuranceSpec.model_validate(QUICK | dict(spec or {}))
        arguments = {"clock": CLOCK, "seed": 7} | more
        found = run_suites(suites, self.model, self.test, self.train, self.interface, asked, groups, **arguments)
        return Judged({result.suite: result for result in found})

    def with_(self, **changes: Any) -> "Trained":
        return replace(self, **changes)


def number(name: str, kind: str = "number", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "nullable": False, "min": None, "max": None} | more


def interface_of(task: str, numbers: list[dict], strings: list[dict], classes: list[str], positive: str | None) -> dict:
    """An interface document as the package carries it."""
    outputs = {"value": [None, 1]} if task == "regression" else {"probabilities": [None, len(classes)]}
    return {
        "format": 1,
        "project": "test",
        "task": task,
        "target": "outcome",
        "classes": classes,
        "positive": positive,
        "numbers": numbers,
        "strings": strings,
        "outputs": outputs,
        "order": [item["name"] for item in (*numbers, *strings)],
    }


def case_of(model: Any, rows: np.ndarray, truth: np.ndarray, *, task: str = "binary", **settings: Any) -> Case:
    """The case of a model as somebody holds it, over an array of numbers; nothing is known of what it learned from."""
    given = judged_things(
        model, rows, truth, groups=None, learned_from=None, task=task, positive=None, classes=None, settings=settings
    )
    return make_case(given["predictor"], given["test"], None, given["interface"], given["spec"], (), 1, None)


def to_bytes(estimator: Any, numbers: int, strings: int, regression: bool = False) -> bytes:
    """An ONNX model with our input and output names."""
    inputs = []
    if numbers:
        inputs.append(("numbers", FloatTensorType([None, numbers])))
    if strings:
        inputs.append(("strings", StringTensorType([None, strings])))
    options = {} if regression else {id(estimator): {"zipmap": False}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's own use of numpy
        graph = to_onnx(estimator, initial_types=inputs, options=options, target_opset=18)
    wanted = "value" if regression else "probabilities"
    old = graph.graph.output[-1].name
    for node in graph.graph.node:
        for position, name in enumerate(node.output):
            if name == old:
                node.output[position] = wanted
    graph.graph.output[-1].name = wanted
    return graph.SerializeToString()


@pytest.fixture(scope="session")
def scored() -> Callable[..., Trained]:
    """Build two classes, no and yes, and a model that answers with its only feature."""

    def build(
        truth: Sequence[Any], scores: Sequence[float], groups: Mapping[str, Sequence[Any]] | None = None
    ) -> Trained:
        columns = {
            "score": np.asarray(scores, dtype=float),
            "outcome": np.where(np.asarray(truth, dtype=bool), "yes", "no"),
        }
        test = pa.table(columns | {name: list(values) for name, values in (groups or {}).items()})
        interface = interface_of("binary", [number("score")], [], ["no", "yes"], "yes")
        return Trained(_answers_with_its_feature, interface, test, test)

    return build


def _answers_with_its_feature(features: Features) -> np.ndarray:
    score = np.clip(features.numbers[:, 0], 0, 1)
    return np.column_stack([1 - score, score])


@pytest.fixture(scope="session")
def guessed() -> Callable[..., Trained]:
    """Build a regression whose model answers with its only feature."""

    def build(
        truth: Sequence[float], guesses: Sequence[float], groups: Mapping[str, Sequence[Any]] | None = None
    ) -> Trained:
        columns = {"guess": np.asarray(guesses, dtype=float), "outcome": np.asarray(truth, dtype=float)}
        test = pa.table(columns | {name: list(values) for name, values in (groups or {}).items()})
        interface = interface_of("regression", [number("guess")], [], [], None)
        return Trained(lambda features: features.numbers[:, 0], interface, test, test)

    return build


@pytest.fixture(scope="session")
def german() -> Trained:
    """German credit with a gradient boosting model: 750 rows to learn, 250 to judge, sex kept out of the features."""
    table = pa.csv.read_csv(_GERMAN)
    order = np.random.default_rng(1).permutation(table.num_rows)
    train, test = table.take(pa.array(order[:750])), table.take(pa.array(order[750:]))
    skip = {"applicant_id", "sex", "outcome"}
    names = [name for name in table.column_names if name not in skip]
    numeric = [name for name in names if pa.types.is_integer(table.schema.field(name).type)]
    texts = [name for name in names if name not in numeric]
    d, k = len(numeric), len(texts)
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = ColumnTransformer([("n", "passthrough", list(range(d))), ("s", encode, list(range(d, d + k)))])
    model = make_pipeline(prepare, HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, random_state=0))
    columns = [
        *(train[name].to_numpy() for name in numeric),
        *(train[name].to_numpy(zero_copy_only=False) for name in texts),
    ]
    packed = np.empty((train.num_rows, d + k), dtype=object)
    for place, column in enumerate(columns):
        packed[:, place] = column
    model.fit(packed, train["outcome"].to_numpy(zero_copy_only=False))
    values = {name: sorted(set(table[name].to_pylist())) for name in names}
    interface = interface_of(
        "binary",
        [number(name, "integer", min=values[name][0], max=values[name][-1]) for name in numeric],
        [{"name": name, "type": "category", "nullable": False, "categories": values[name]} for name in texts],
        ["bad", "good"],
        "good",
    )
    return Trained(to_bytes(model, d, k), interface, train, test)


@pytest.fixture(scope="session")
def wine() -> Trained:
    """Three classes, thirteen numbers, and a made-up group."""
    data = load_wine()
    rng = np.random.default_rng(2)
    names = [name.replace("/", "_") for name in data.feature_names]
    columns = {name: data.data[:, place] for place, name in enumerate(names)}
    columns["outcome"] = np.array(["barolo", "grignolino", "barbera"], dtype=object)[data.target]
    columns["cellar"] = rng.choice(["north", "south"], size=len(data.target))
    table = pa.table(columns)
    order = rng.permutation(table.num_rows)
    train, test = table.take(pa.array(order[:90])), table.take(pa.array(order[90:]))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    inputs = np.column_stack([train[name].to_numpy() for name in names]).astype(np.float32)
    model.fit(inputs, train["outcome"].to_numpy(zero_copy_only=False))
    classes = [str(name) for name in model.classes_]
    interface = interface_of("multiclass", [number(name) for name in names], [], classes, None)
    return Trained(to_bytes(model, len(names), 0), interface, train, test)


@pytest.fixture(scope="session")
def diabetes() -> Trained:
    """A number to predict."""
    data = load_diabetes(scaled=False)
    names = list(data.feature_names)
    columns = {name: data.data[:, place] for place, name in enumerate(names)} | {"outcome": data.target}
    table = pa.table(columns)
    order = np.random.default_rng(3).permutation(table.num_rows)
    train, test = table.take(pa.array(order[:300])), table.take(pa.array(order[300:]))
    model = HistGradientBoostingRegressor(max_iter=40, learning_rate=0.08, max_depth=3, random_state=0)
    inputs = np.column_stack([train[name].to_numpy() for name in names]).astype(np.float32)
    model.fit(inputs, train["outcome"].to_numpy())
    interface = interface_of("regression", [number(name) for name in names], [], [], None)
    return Trained(to_bytes(model, len(names), 0, regression=True), interface, train, test)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)
