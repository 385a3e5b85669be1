"""The trial run: a model that passes the structural gate must also answer soundly, in a confined child."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from sealwright.registry.adapters import dry_run as adapter
from sealwright.registry.admission import AdmissionLimits, ModelRefused, admit_onnx

SMALL = AdmissionLimits(trial_rows=200, trial_cpu_seconds=10)


def refused(model: Any, interface: Any, limits: AdmissionLimits = SMALL) -> tuple[str, str]:
    with pytest.raises(ModelRefused) as caught:
        admit_onnx(model if isinstance(model, bytes) else model.SerializeToString(), interface, limits=limits)
    (reason,) = caught.value.reasons
    return reason.code, str(reason)


def test_a_sound_model_is_admitted_with_its_measurements(model: bytes, interface: Any) -> None:
    report = admit_onnx(model, interface)
    assert report.trial is not None
    assert report.trial["rows"] == 1000
    assert report.trial["alone_or_in_batch"] <= 1e-6
    assert report.trial["confinement"]["measures"]
    assert report.not_checked == ("the model was not tried on rows other than generated ones",)


def _ending(build: Any, *nodes: Any, constants: Any = ()) -> Any:
    """The good model with its softmax replaced by `nodes`, which turn "scores" into "probabilities"."""
    return build.graph_of([*build.scoring_nodes()[:-1], *nodes], [*build.scoring_constants(), *constants])


def test_scores_that_are_no_probabilities_are_refused_t40(build: Any, interface: Any) -> None:
    node = helper.make_node("Exp", ["scores"], ["probabilities"])
    assert refused(_ending(build, node), interface)[0] == "trial.probabilities"


def test_nan_answers_to_missing_values_are_refused_and_the_row_is_named_t40(build: Any, interface: Any) -> None:
    nodes = [helper.make_node("Mul", ["numbers", "scale"], ["scaled"]), *build.scoring_nodes()[2:]]
    code, words = refused(build.graph_of(nodes, build.scoring_constants()), interface)
    assert code == "trial.not_finite"
    assert "all values missing" in words


def test_an_output_of_another_shape_is_refused_t40(build: Any, interface: Any) -> None:
    nodes = [
        helper.make_node("Softmax", ["scores"], ["soft"], axis=1),
        helper.make_node("Concat", ["soft", "soft"], ["probabilities"], axis=1),
    ]
    model = _ending(build, *nodes)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert refused(model, interface)[0] == "trial.shape"


def test_an_answer_that_depends_on_the_other_rows_is_refused(build: Any, interface: Any) -> None:
    node = helper.make_node("Softmax", ["scores"], ["over_rows"], axis=0)
    divide = [
        helper.make_node("ReduceSum", ["over_rows", "one"], ["total"], keepdims=1),
        helper.make_node("Div", ["over_rows", "total"], ["probabilities"]),
    ]
    model = _ending(build, node, *divide, constants=[build.tensor([1], "one", np.int64)])
    assert refused(model, interface)[0] == "trial.batch"


def test_a_model_the_runtime_cannot_load_is_refused_with_its_words_t40(build: Any, interface: Any) -> None:
    node = helper.make_node("Softmax", ["scores"], ["probabilities"], axis=7)
    code, words = refused(_ending(build, node), interface)
    assert code == "trial.failed"
    assert "ONNX Runtime refused it" in words


def test_wide_layers_run_into_the_memory_limit_t40(build: Any, interface: Any) -> None:
    """Each is as wide as is admitted; for a batch of rows that is more than a trial may take."""
    nodes = [
        helper.make_node("Softmax", ["scores"], ["soft"], axis=1),
        helper.make_node("ReduceSum", ["scores", "across"], ["column"], keepdims=1),
        helper.make_node("Tile", ["column", "many"], ["wide"]),
        helper.make_node("ReduceSum", ["wide"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["zero"]),
        helper.make_node("Add", ["soft", "zero"], ["probabilities"]),
    ]
    constants = [
        build.tensor([1], "across", np.int64),
        build.tensor([1, 2**20], "many", np.int64),
        build.tensor(0.0, "nothing"),
    ]
    assert refused(_ending(build, *nodes, constants=constants), interface)[0] == "trial.memory"


def test_a_model_that_takes_too_long_is_ended_t40(build: Any, interface: Any) -> None:
    size = 300
    square = build.tensor(np.full((size, size), 1.0 / size), "square")
    chain = [helper.make_node("MatMul", [f"m{i}", "square"], [f"m{i + 1}"]) for i in range(18_000)]
    nodes = [
        helper.make_node("Softmax", ["scores"], ["soft"], axis=1),
        helper.make_node("Identity", ["start"], ["m0"]),
        *chain,
        helper.make_node("ReduceMin", ["m18000"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        helper.make_node("Add", ["soft", "zero"], ["probabilities"]),
    ]
    # the start depends on the request, so that nothing can be worked out when the model is loaded
    nodes[1] = helper.make_node("ReduceMax", ["all"], ["most"], keepdims=0)
    nodes.insert(2, helper.make_node("Mul", ["square", "most"], ["m0"]))
    constants = [square, build.tensor(0.0, "nothing")]
    limits = AdmissionLimits(trial_rows=10, trial_cpu_seconds=2)
    code, words = refused(_ending(build, *nodes, constants=constants), interface, limits)
    assert code == "trial.ended"
    assert "CPU seconds" in words


@pytest.mark.parametrize(
    "script",
    [
        "import sys; sys.stdout.write('not json')",
        "import sys; sys.stdout.write('{}')",
        """import sys; sys.stdout.write('{"problems": [], "measured": {}}')""",
        """import sys; sys.stdout.write('{"problems": [{"code": "fine", "where": "", "message": ""}], "measured": {"a": 1}}')""",
        "raise SystemExit(3)",
        """import sys; sys.stdout.write('{"problems": [], "measured": {"load_ms": 1}}'); raise SystemExit(3)""",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
def test_a_child_that_does_not_answer_as_agreed_admits_nothing(
    script: str, model: bytes, interface: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = adapter.run_confined

    def other_child(argv: Any, **more: Any) -> Any:
        return real([argv[0], "-c", script], **more)

    monkeypatch.setattr(adapter, "run_confined", other_child)
    assert refused(model, interface)[0] == "trial.ended"


def test_regression_models_answer_with_one_finite_value(build: Any) -> None:
    interface = build.interface_of([build.number("x", min=0.0, max=10.0)])
    interface |= {"task": "regression", "classes": [], "positive": None, "outputs": {"value": ["N", 1]}}
    node = helper.make_node("Imputer", ["numbers"], ["value"], domain="ai.onnx.ml", imputed_value_floats=[1.0])
    node.attribute.append(helper.make_attribute("replaced_value_float", float("nan")))
    inputs = [build.value("numbers", TensorProto.FLOAT, [None, 1])]
    outputs = [build.value("value", TensorProto.FLOAT, [None, 1])]
    model = build.graph_of([node], inputs=inputs, outputs=outputs)
    assert admit_onnx(model.SerializeToString(), interface, limits=SMALL).trial


@pytest.mark.filterwarnings("ignore:::onnx", "ignore:::skl2onnx")  # the converter's own
@pytest.mark.parametrize("kind", ["boosting", "forest", "logistic"])
def test_models_converted_from_scikit_learn_are_admitted(kind: str, build: Any) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(1)
    table = random.normal(size=(300, 3)).astype(np.float32)
    table[random.random(table.shape) < 0.1] = np.nan
    target = (np.nan_to_num(table[:, 0]) > 0).astype(int)
    models = {
        "boosting": HistGradientBoostingClassifier(max_iter=10),
        "forest": make_pipeline(SimpleImputer(), RandomForestClassifier(5)),
        "logistic": make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    }
    options = {"zipmap": False}
    fitted = models[kind].fit(table, target)
    graph = to_onnx(
        fitted,
        initial_types=[("numbers", FloatTensorType([None, 3]))],
        options=options,
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    del graph.graph.output[0]  # the label
    interface = build.interface_of([build.number(name) for name in "abc"])
    assert admit_onnx(graph.SerializeToString(), interface).trial
