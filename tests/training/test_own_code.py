"""Your own code trains in the same frame, and when it fails it says where, in its own lines and none of ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sealwright.kernel import InvalidInput
from sealwright.training import RecipeFailed, TrainingSpec, train
from sealwright.training.adapters.own_code import train_own_code
from sealwright.training.job import Job, Made
from sealwright.training.recipe_code import digest_of_code, files_of_recipe

from .conftest import make_rows
from .test_export import compared, job_of

PIPELINE = """
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def train(data):
    columns = ColumnTransformer([
        ("numbers", SimpleImputer(), data.number_places),
        ("strings", OneHotEncoder(handle_unknown="ignore", sparse_output=False), data.string_places),
    ])
    data.progress("fitting", 0.5)
    model = GradientBoostingClassifier(random_state=data.seed, **data.params)
    return make_pipeline(columns, model).fit(data.frame, data.target)
"""


def made_by(tmp_path: Path, code: str, *, task: str = "binary", name: str = "", **changes: Any) -> tuple[Job, Made]:
    """Run a recipe in this process: for what it returns, not for how it is confined."""
    module = name or f"own_{abs(hash((code, str(tmp_path))))}"
    folder = tmp_path / "recipe"
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(code)
    job, _ = job_of("logistic", task, **changes)
    job = Job(**{**{field: getattr(job, field) for field in Job.__dataclass_fields__}, "recipe": f"{module}:train"})
    return job, train_own_code(job, folder, lambda _line, _share: None)


def test_a_documented_recipe_trains_confined_and_its_onnx_agrees(recipe_folder: Callable[..., Path]) -> None:
    table, holdout, interface = make_rows()
    folder = recipe_folder(my_module=PIPELINE)
    told: list[str] = []
    spec = TrainingSpec(recipe="my_module:train", folds=3, params={"n_estimators": 20})
    result = train(table, holdout, interface, spec, project_dir=folder, progress=lambda line, _share: told.append(line))
    assert result.parity is not None
    assert result.parity.largest < 1e-5
    assert result.parity.rows == 120
    assert "my_module:train: fitting" in told
    assert result.cv["scores"]["roc_auc"]["mean"] > 0.7
    assert result.parameters == {"n_estimators": 20}
    assert result.code["recipe"] == digest_of_code({"my_module.py": PIPELINE.encode()})


def test_the_documentation_shows_a_recipe_that_works(tmp_path: Path) -> None:
    from sealwright.training import training_data

    shown = (training_data.__doc__ or "").split("my_module:train\n", 1)[1].split("\nIt returns", 1)[0]
    code = "\n".join(line.removeprefix("    ") for line in shown.splitlines())
    job, made = made_by(tmp_path, code)
    assert compared(job, made)["largest"] < 1e-5


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_plain_estimator_on_numbers_alone_is_enough(tmp_path: Path, task: str) -> None:
    kind = "Regressor" if task == "regression" else "Classifier"
    code = f"from sklearn.tree import DecisionTree{kind} as Tree\ndef train(data):\n    return Tree(max_depth=4).fit(data.frame, data.target)"
    job, made = made_by(tmp_path, code, task=task, strings=0, missing=0.0)
    assert compared(job, made)["largest"] < 1e-5
    assert made.cv["folds"] == 3


def test_a_class_the_estimator_never_saw_gets_probability_zero(tmp_path: Path) -> None:
    code = (
        "from sklearn.linear_model import LogisticRegression\n"
        "def train(data):\n"
        "    kept = data.target != 1\n"
        "    return LogisticRegression().fit(data.frame[kept], data.target[kept])\n"
    )
    job, made = made_by(tmp_path, code, task="multiclass", strings=0, missing=0.0)
    assert made.predictions is not None
    assert (made.predictions[:, 1] == 0).all()
    assert compared(job, made)["largest"] < 1e-5


def test_a_scaler_in_front_of_trees_is_caught_by_parity(tmp_path: Path) -> None:
    """Known for years (onnxruntime#4130, sklearn-onnx#479): float32 scaling moves rows across splits."""
    code = (
        "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "def train(data):\n"
        "    return make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0)).fit(data.frame, data.target)\n"
    )
    job, made = made_by(tmp_path, code, strings=0, missing=0.0, rows=2000, holdout=500, decimals=2)
    assert compared(job, made)["largest"] > 1e-5


def test_a_recipe_may_return_onnx_and_the_result_says_there_is_nothing_to_compare(tmp_path: Path) -> None:
    job, made = made_by(tmp_path, f"def train(data):\n    return {linear_onnx()!r}", strings=0)
    assert made.predictions is None
    assert made.cv == {}
    assert any("returned ONNX itself" in note for note in made.notes)
    assert compared(job, made) == {"rows": 120}


def linear_onnx(*, noise: bool = True) -> bytes:
    """probabilities = softmax(numbers · w), with names and notes that must not survive."""
    weights = np.array([[0.0, 1.0]] * 3, dtype=np.float32)
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["gaps"], name="a", doc_string="made by bob"),
        helper.make_node("Where", ["gaps", "zero", "numbers"], ["filled"], name="b"),
        helper.make_node("MatMul", ["filled", "w"], ["z"], name="c"),
        helper.make_node("Softmax", ["z"], ["probabilities"], name="d", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "bobs-graph",
        [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.float32(0), "zero")],
        doc_string="on bob's machine",
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="bob")
    if noise:
        helper.set_model_props(model, {"path": "/home/bob/secret-project"})
        model.graph.node[0].metadata_props.add(key="host", value="bobs-laptop")
        model.graph.initializer[0].doc_string = "bob's weights"
    return bytes(model.SerializeToString())


def test_nothing_of_where_foreign_onnx_came_from_survives(tmp_path: Path) -> None:
    assert b"bob" in linear_onnx()
    _, made = made_by(tmp_path, f"def train(data):\n    return {linear_onnx()!r}", strings=0)
    assert b"bob" not in made.model
    model = onnx.load_model_from_string(made.model)
    assert (model.graph.name, model.producer_name) == ("sealwright", "sealwright")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def train(data):\n    return b'PK\\x03\\x04 not a model'", "not a sound ONNX model"),
        ("def train(data):\n    return b''", "not a sound ONNX model|must take numbers"),
        ("def train(data):\n    return 'text'", "returned a builtins.str; expected a fitted"),
        ("def train(data):\n    return None", "NoneType; expected"),
        ("def other(data):\n    pass", "has no function 'train'"),
        ("train = 3", "has no function 'train'"),
        ("def train(:\n    pass", "SyntaxError"),
        ("import no_such_package_anywhere", "No module named 'no_such_package_anywhere'"),
        ("raise SystemExit(0)", "cannot be imported: SystemExit"),
        ("import sys\ndef train(data):\n    sys.exit()", "raised an error: SystemExit"),
        ("def train(data):\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
        (
            "from sklearn.svm import LinearSVC\ndef train(data):\n    return LinearSVC().fit(data.numbers, data.target)",
            "gives no probabilities",
        ),
        (
            "from sklearn.linear_model import LogisticRegression\ndef train(data):\n    return LogisticRegression().fit(data.numbers[:, :1], data.target)",
            "cannot predict data.frame",
        ),
        (
            "from sklearn.linear_model import LogisticRegression\ndef train(data):\n    return LogisticRegression()",
            "cannot predict data.frame",
        ),
        (
            (
                "from sklearn.base import BaseEstimator\nclass Mine(BaseEstimator):\n"
                "    classes_ = [0, 1]\n    def predict_proba(self, X):\n        import numpy as np\n        return np.full((len(X), 2), np.nan)\n"
                "def train(data):\n    return Mine()"
            ),
            "not finite",
        ),
        (
            (
                "from sklearn.base import BaseEstimator\nclass Mine(BaseEstimator):\n"
                "    classes_ = [0, 1]\n    def predict_proba(self, X):\n        import numpy as np\n        return np.full((len(X), 2), 0.5)\n"
                "def train(data):\n    return Mine()"
            ),
            "cannot be written as ONNX",
        ),
    ],
)
def test_a_faulty_recipe_is_refused_with_the_reason(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(RecipeFailed, match=words):
        made_by(tmp_path, code, strings=0, missing=0.0)


def test_foreign_onnx_with_other_inputs_outputs_or_operators_is_refused(tmp_path: Path) -> None:
    def returned(change: Callable[[Any], None]) -> bytes:
        model = onnx.load_model_from_string(linear_onnx())
        change(model)
        return bytes(model.SerializeToString())

    def rename_output(model: Any) -> None:
        model.graph.node[-1].output[0] = model.graph.output[0].name = "scores"

    def rename_input(model: Any) -> None:
        model.graph.input[0].name = "x"
        model.graph.node[0].input[0] = model.graph.node[1].input[2] = "x"

    def other_domain(model: Any) -> None:
        model.opset_import.add(domain="com.microsoft", version=1)

    for change, words in (
        (rename_output, "give probabilities"),
        (rename_input, "takes x"),
        (other_domain, "outside the standard"),
    ):
        with pytest.raises(RecipeFailed, match=words):
            made_by(tmp_path, f"def train(data):\n    return {returned(change)!r}", strings=0)


def test_the_traceback_shows_the_users_lines_and_none_of_ours(tmp_path: Path) -> None:
    code = (
        "def helper(data):\n"
        "    import numpy as np\n"
        "    return np.linalg.inv(data.numbers[:2, :3])\n"
        "\n"
        "def train(data):\n"
        "    return helper(data)\n"
    )
    with pytest.raises(RecipeFailed) as caught:
        made_by(tmp_path, code, strings=0, name="my_recipe")
    assert caught.value.trace.splitlines() == [
        "  my_recipe.py, line 6, in train",
        "    return helper(data)",
        "  my_recipe.py, line 3, in helper",
        "    return np.linalg.inv(data.numbers[:2, :3])",
    ]
    assert "my_recipe:train raised an error: numpy.linalg.LinAlgError" in str(caught.value)
    assert "site-packages" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_faulty_recipe_fails_the_same_way_confined_and_cannot_steer_the_terminal(
    recipe_folder: Callable[..., Path],
) -> None:
    table, holdout, interface = make_rows()
    folder = recipe_folder(bad="def train(data):\n    raise ValueError('\\x1b[2J\\x07 wrong: ' + 'x' * 100000)\n")
    with pytest.raises(RecipeFailed) as caught:
        train(table, holdout, interface, TrainingSpec(recipe="bad:train"), project_dir=folder)
    text = str(caught.value)
    assert "bad:train raised an error: ValueError: �[2J� wrong: xxx" in text
    assert text.endswith("  bad.py, line 2, in train\n    raise ValueError('\\x1b[2J\\x07 wrong: ' + 'x' * 100000)")
    assert "\x1b" not in text
    assert len(text) < 10_000
    assert (caught.value.code, caught.value.exit_code) == ("training.recipe_failed", 2)


def test_an_estimator_that_cannot_be_copied_is_trained_and_the_missing_check_is_said(tmp_path: Path) -> None:
    code = (
        "from sklearn.linear_model import LogisticRegression\n"
        "class Odd(LogisticRegression):\n"
        "    def __sklearn_clone__(self):\n"
        "        raise TypeError('not twice')\n"
        "def train(data):\n"
        "    model = Odd().fit(data.frame, data.target)\n"
        "    model.__class__ = LogisticRegression if data.params else Odd\n"
        "    return model\n"
    )
    with pytest.raises(RecipeFailed, match="cannot be written as ONNX"):
        made_by(tmp_path, code, strings=0, missing=0.0)
    code = code.replace(
        "    model.__class__", "    model.__sklearn_clone__ = lambda: 1 / 0\n    model.__class__"
    ).replace("data.params", "True")
    _, made = made_by(tmp_path, code, strings=0, missing=0.0)
    assert made.cv == {}
    assert any("cross-validation was not performed" in note for note in made.notes)


# --- which files are the recipe


def test_only_the_code_of_the_project_goes_in(tmp_path: Path) -> None:
    for name in (
        "my.py",
        "pkg/__init__.py",
        "pkg/part.py",
        "words/stop.txt",
        "data/rows.csv",
        ".hidden/x.py",
        "venv/lib/y.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# text")
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "workspace.json").touch()
    (tmp_path / "home" / "stolen.py").touch()
    (tmp_path / "linked.py").symlink_to("/etc/passwd")
    spec = TrainingSpec(recipe="my:train", files=("words/stop.txt",))
    assert sorted(files_of_recipe(spec, tmp_path)) == ["my.py", "pkg/__init__.py", "pkg/part.py", "words/stop.txt"]


def test_the_digest_changes_with_every_byte_and_every_name(tmp_path: Path) -> None:
    files = {"a.py": b"1", "b.py": b"2"}
    digests = {
        digest_of_code(files),
        digest_of_code({"a.py": b"1", "b.py": b"3"}),
        digest_of_code({"a.py": b"1", "c.py": b"2"}),
    }
    assert len(digests) == 3
    assert digest_of_code(dict(reversed(files.items()))) == digest_of_code(files)


def test_a_recipe_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "near.py").touch()
    with pytest.raises(InvalidInput, match=r"needs my\.py in .*found there: near\.py"):
        files_of_recipe(TrainingSpec(recipe="my:train"), tmp_path)
    with pytest.raises(InvalidInput, match="in which project folder"):
        files_of_recipe(TrainingSpec(recipe="my:train"), None)
    (tmp_path / "my.py").write_bytes(bytes(17 << 20))
    with pytest.raises(InvalidInput, match=r"at most 16,777,216"):
        files_of_recipe(TrainingSpec(recipe="my:train"), tmp_path)
    (tmp_path / "my.py").write_bytes(b"")
    with pytest.raises(InvalidInput, match="Cannot open"):
        files_of_recipe(TrainingSpec(recipe="my:train", files=("not/there.txt",)), tmp_path)
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(InvalidInput, match="outside the project folder"):
        files_of_recipe(TrainingSpec(recipe="my:train", files=("out/hostname",)), tmp_path)
    assert files_of_recipe(TrainingSpec(), tmp_path) == {}
