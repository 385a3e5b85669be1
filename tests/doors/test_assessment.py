"""A model made elsewhere, through the doors: in a notebook, and as a file on the command line."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sealwright as sw
from sealwright.doors.assessment import Assessment, LimitsMissed
from sealwright.kernel import InvalidInput
from sealwright.oversight import junit_xml
from warm import Warm

GERMAN = Path(__file__).parents[2] / "examples/german-credit/german_credit.csv"
QUICK = {"suites": ["performance", "fairness"], "bootstrap": 200}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(GERMAN).drop(columns="applicant_id")


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> Any:
    rows = frame.drop(columns="outcome")
    words = [name for name in rows if rows[name].dtype == object]
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler())
    return make_pipeline(encode, LogisticRegression(max_iter=500)).fit(rows[:700], frame["outcome"][:700])


@pytest.fixture(scope="module")
def found(frame: pd.DataFrame, model: Any) -> Assessment:
    test = frame[700:]
    return sw.assess(
        model, test.drop(columns="outcome"), test["outcome"], groups=["sex"], positive="good", settings=QUICK
    )


@pytest.fixture(scope="module")
def files(frame: pd.DataFrame, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    rows = frame.drop(columns="outcome")
    example = rows[:1].astype({name: np.float32 for name in rows if rows[name].dtype != object})
    (folder / "model.onnx").write_bytes(to_onnx(model, example).SerializeToString())
    frame[700:].to_csv(folder / "test.csv", index=False)
    return folder


def command(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return Warm.of_this_session.run([*map(str, words)], environment=os.environ, folder=cwd)


def test_findings_are_asked_by_name(found: Assessment) -> None:
    (gap,) = found.find("fairness.selection_gap")
    assert gap.low is not None
    assert gap.low <= gap.value <= (gap.high or 0)
    assert 0.7 < found.value("performance.roc_auc") < 0.9
    with pytest.raises(InvalidInput, match="there is no such thing for a binary model"):
        found.find("performance.mae")
    with pytest.raises(InvalidInput, match="no suite that was run has such a check"):
        found.find("robustness.noise_flip_share")
    with pytest.raises(InvalidInput, match=r"find\('fairness.selection_rate'\)"):
        found.value("fairness.selection_rate")


def test_limits_are_those_of_the_policy_and_every_one_missed_is_named(found: Assessment) -> None:
    high = {one.check: one for one in found.limits("high")}
    assert high["performance.roc_auc"].outcome.value == "pass"
    assert "parity.largest" not in high, "about training, which nobody here saw"
    gap = found.find("fairness.selection_gap")[0].value
    assert high["fairness.selection_gap"].outcome.value == ("pass" if gap <= 0.15 else "fail")
    with pytest.raises(LimitsMissed, match=r"fairness\.selection_gap") as stopped:
        found.require("high")
    assert {one.check for one in stopped.value.missed} == {
        one.check for one in high.values() if one.outcome.value not in {"pass", "not_applicable"}
    }
    sw.assess(
        lambda rows: np.column_stack([1 - rows["x"], rows["x"]]),
        pd.DataFrame({"x": np.linspace(0.01, 0.99, 200)}),
        np.linspace(0.01, 0.99, 200) > 0.5,
        settings={"suites": ["performance"]},
    ).require("minimal")
    with pytest.raises(InvalidInput, match="no risk class 'extreme'"):
        found.limits("extreme")


def test_a_notebook_shows_the_page_in_a_frame_that_runs_nothing(found: Assessment, tmp_path: Path) -> None:
    page = found.html()
    assert "it proves nothing" in page
    assert "ROC AUC" in page
    assert "<script" not in page.lower()
    assert "default-src 'none'" in page
    shown = found._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert " sandbox " in shown
    assert "<h1>" not in shown, "the page is escaped"
    assert found.save(tmp_path / "page.html").read_text() == page
    assert found.save(tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_names_of_columns_and_outcomes_cannot_write_html() -> None:
    evil = "<img src=x onerror=alert(1)>"
    rows = pd.DataFrame({evil: np.linspace(0, 1, 120), "side": [f"{evil}{n % 2}" for n in range(120)]})
    truth = np.where(np.arange(120) % 3, evil, "other")
    page = sw.assess(
        lambda given: np.column_stack([1 - given[evil], given[evil]]),
        rows,
        truth,
        groups=["side"],
        title=evil,
        settings={"bootstrap": 200, "budget": {"repeats": 2}},
    ).html()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_junit_counts_what_was_missed_and_what_could_not_be_measured(found: Assessment) -> None:
    root = ET.fromstring(found.junit())
    limits = found.limits()
    assert int(root.attrib["tests"]) == len(limits) == len(root.findall("testcase"))
    assert int(root.attrib["failures"]) == sum(one.outcome.value == "fail" for one in limits)
    odd = {"check": "a.b", "outcome": "fail", "found": "\x00\x1b[31m", "limit": "<&", "why": "\ud800"}
    (case,) = ET.fromstring(junit_xml("n\x07", [odd])).findall("testcase/failure")
    assert "\N{REPLACEMENT CHARACTER}" in case.attrib["message"]


def test_a_file_of_somebody_else_is_judged_without_a_workspace(files: Path) -> None:
    done = command(
        "assess", "--model", "model.onnx", "--data", "test.csv", "--target", "outcome", "--positive", "good",
        "--groups", "sex", "--to", "page.html", "--junit", "limits.xml", "--fail-on", "high", "--json", cwd=files,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert said["signed"] is False
    assert said["policy"] == "high"
    assert {one["suite"] for one in said["suites"]} >= {"quality", "performance", "fairness", "robustness"}
    assert all(one["model"].startswith("sha256:") for one in said["suites"])
    assert ET.parse(files / "limits.xml").getroot().attrib["failures"] != "0"
    assert "model.onnx" in (files / "page.html").read_text()
    assert not (files / ".sealwright").exists()


@pytest.mark.slow
def test_a_file_that_reads_documents_is_judged_on_a_column_of_them(tmp_path: Path) -> None:
    texts = [f"{'good' if at % 2 else 'poor'} thing number {at % 7}" for at in range(120)]
    labels = ["yes" if at % 2 else "no" for at in range(120)]
    learned = make_pipeline(TfidfVectorizer(lowercase=False), LogisticRegression()).fit(texts, labels)
    types = [("text", StringTensorType([None, 1]))]
    (tmp_path / "opinion.onnx").write_bytes(to_onnx(learned, initial_types=types).SerializeToString())
    pd.DataFrame({"said": texts, "shop": ["a", "b", "c"] * 40, "liked": labels}).to_csv(tmp_path / "s.csv", index=False)
    done = command(
        "assess", "--model", "opinion.onnx", "--data", "s.csv", "--target", "liked", "--text", "said", "--positive", "yes",
        "--groups", "shop", "--to", "page.html", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    suites = {one["suite"]: one for one in json.loads(done.stdout)["suites"]}
    assert suites["robustness"]["settings"]["interface"]["modality"] == "text"
    words = {
        one["group"]["level"] for one in suites["explanation"]["findings"] if one["check"].endswith("word_influence")
    }
    assert {"good", "poor"} <= words
    assert "Words the model hangs on" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--model", "model.onnx"), "--data FILE --target COLUMN"),
        (("--model", "model.onnx", "--fail-on", "extreme"), "no risk class 'extreme'"),
        (("--data", "test.csv", "--to", "p.html"), "--data, --to: for a model made elsewhere"),
        (("--model", "model.onnx", "--data", "test.csv", "--target", "outcome", "--groups", "hue"), "no column hue"),
        (("--text", "said"), "--text: for a model made elsewhere"),
        (
            ("--model", "model.onnx", "--data", "test.csv", "--target", "outcome", "--text", "a", "--features", "b"),
            "--text names the one column",
        ),
        (("--model", "model.onnx", "--data", "test.csv", "--target", "outcome", "--text", "hue"), "no column hue"),
        (("--model", "none.onnx", "--data", "test.csv", "--target", "outcome"), "none.onnx"),
        (("--model", "test.csv", "--data", "test.csv", "--target", "outcome"), "cannot be opened"),
    ],
)
def test_a_slip_is_said_in_words(files: Path, words: tuple[str, ...], says: str) -> None:
    done = command("assess", *words, cwd=files)
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr
