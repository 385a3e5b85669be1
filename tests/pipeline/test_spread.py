"""Where checks are carried out changes nothing they say; budgets end them in the open; what is finished is not done again."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from onnx import TensorProto, helper, numpy_helper

from sealwright.assurance import (
    SUITES,
    AssuranceSpec,
    Features,
    Portable,
    Spread,
    SuiteResult,
    Teach,
    judge,
    read_interface,
    run_suites,
)
from sealwright.assurance.carrying_out import Errand, _goes_elsewhere
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected
from sealwright.assurance.done import Done
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.one_check import run_check
from sealwright.assurance.portable import case_from, material_of
from sealwright.assurance.service import predictor_of
from sealwright.engines import Processes, RayCluster
from sealwright.kernel import InvalidInput, OperationFailed, canonical_json, digest_of
from sealwright.pipeline import CHECKS
from sealwright.pipeline.teaching import teach_from

_ALL = tuple(SUITES)
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_TWO = Spread(compute=Processes(2), work=CHECKS)


@dataclass(frozen=True)
class Small:
    """A model small enough to look through: two numbers and a word, as ONNX written by hand."""

    model: bytes
    interface: dict[str, Any]
    train: pa.Table
    test: pa.Table

    def judge(self, *suites: str, spec: Mapping[str, Any] | None = None, **more: Any) -> dict[str, SuiteResult]:
        asked = AssuranceSpec.model_validate({"bootstrap": 200, "budget": {"repeats": 2}} | dict(spec or {}))
        arguments = {"clock": lambda: _AT, "seed": 7, **more}
        found = run_suites(suites, self.model, self.test, self.train, self.interface, asked, **arguments)
        return {result.suite: result for result in found}

    def with_(self, **changes: Any) -> "Small":
        return replace(self, **changes)


@pytest.fixture(scope="module")
def small() -> Small:
    r = np.random.default_rng(5)
    x, z = r.normal(size=240), r.random(240)
    word = r.choice(["red", "green", "blue"], 240)
    good = x + 2 * z + (word == "red") + r.normal(size=240) > 1.2
    table = pa.table(
        {"x": x, "z": z, "word": word, "sex": r.choice(["f", "m"], 240), "y": np.where(good, "good", "bad")}
    )
    interface = {
        "format": 1,
        "task": "binary",
        "target": "y",
        "classes": ["bad", "good"],
        "positive": "good",
        "numbers": [{"name": "x", "type": "number"}, {"name": "z", "type": "number"}],
        "strings": [{"name": "word", "categories": ["blue", "green", "red"]}],
    }
    return Small(_by_hand(), interface, table.slice(120), table.slice(0, 120))


def _by_hand() -> bytes:
    node, weights = helper.make_node, np.array([[-1, 1], [-2, 2], [-1, 1]], dtype=np.float32)
    nodes = [
        node("LabelEncoder", ["strings"], ["red"], domain="ai.onnx.ml", keys_strings=["red"], values_floats=[1.0],
             default_float=0.0),
        node("Concat", ["numbers", "red"], ["all"], axis=1),
        node("Gemm", ["all", "w", "b"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 2]),
            helper.make_tensor_value_info("strings", TensorProto.STRING, [None, 1]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.array([1, -1], np.float32), "b")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def _canonical(judged: Mapping[str, SuiteResult]) -> bytes:
    return canonical_json({name: result.to_json() for name, result in judged.items()})


def test_processes_say_the_same_to_the_last_byte_whatever_was_declared(small) -> None:
    spec = {
        "groups": ["sex", {"z": [0.3, 0.6]}],
        "favourable": "good",
        "costs": {"bad": {"good": 5}, "good": {"bad": 1}},
        "slices": [{"name": "low", "where": {"z": {"under": 0.4}}}],
        "budget": {"rows": 100, "repeats": 2},
        "depth": "full",
    }
    asked = {"spec": spec, "previous": small.model, "teach": _teach(small), "quarantined": 3}
    here, there = small.judge(*_ALL, **asked), small.judge(*_ALL, **asked, spread=_TWO)
    assert here["performance"].rows["test_judged"] == 100
    assert len(here["fairness"].findings) > 10
    assert _canonical(here) == _canonical(there)


def _teach(trained: Small) -> Teach:
    return teach_from({"recipe": "logistic", "parameters": {"c": 1.0}, "interface": trained.interface})


@pytest.mark.slow
def test_ray_says_the_same_to_the_last_byte(small) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed")
    asked = {"groups": ["sex"]}
    here = small.judge("fairness", "performance", **asked)
    there = small.judge("fairness", "performance", **asked, spread=Spread(compute=RayCluster(2), work=CHECKS))
    assert _canonical(here) == _canonical(there)


def test_an_onnx_file_made_elsewhere_is_judged_by_workers_too(small) -> None:
    rows = small.test.select(["x", "z", "word"])
    asked = {"settings": {"suites": ["robustness"], "bootstrap": 200}, "positive": "good", "clock": lambda: _AT}
    here = judge(small.model, rows, small.test["y"], **asked)
    there = judge(small.model, rows, small.test["y"], **asked, spread=_TWO)
    assert [one.to_json() for one in here] == [one.to_json() for one in there]
    assert here[0].model == digest_of(small.model)


def _answer(features: Features) -> Any:
    chance = 1 / (1 + np.exp(-np.nan_to_num(features.numbers[:, 0])))
    return np.column_stack([1 - chance, chance])


def test_a_function_stays_in_this_process(small) -> None:
    class Nobody:
        name, workers = "nobody", 2

        def map(self, *_: object) -> Any:
            raise AssertionError("code was sent away")

    judged = small.with_(model=_answer).judge("performance", spread=Spread(compute=Nobody(), work=CHECKS))
    assert judged["performance"].find("performance.accuracy")


def test_a_file_that_is_no_model_is_refused_before_anything_is_sent(small) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        small.with_(model=b"no model").judge("performance", spread=_TWO)


def test_a_worker_with_other_releases_is_refused(small) -> None:
    material = material_of(_case(small), Portable(kind="package", model=small.model), ())
    facts = json.loads(material["facts"])
    facts["packages"]["numpy"] = "1.0"
    with pytest.raises(OperationFailed, match=r"instead of 1.0, and might find other numbers"):
        case_from({**material, "facts": json.dumps(facts).encode()}, teach_from)


def _case(trained: Small, spec: AssuranceSpec | None = None) -> Case:
    interface = read_interface(trained.interface)
    return make_case(
        predictor_of(trained.model, interface),
        trained.test,
        trained.train,
        interface,
        spec or AssuranceSpec(),
        (),
        1,
        None,
    )


# what an outcome is made of


def test_an_outcome_reads_back_as_it_was_written() -> None:
    group = Group(attribute="sex", level="f")
    outcome = Outcome(
        findings=(Finding(check="a.b", value=1, low=0.25, high=3.0, n=7, unit="share", definition="X.", group=group),),
        figures=(
            Figure(
                name="a.c",
                kind="bars",
                title="T",
                x="x",
                y="y",
                series=(Series(name="s", x=("p", "q"), y=(1.0, 0.1), n=(3, 4)),),
            ),
        ),
        not_performed=(NotPerformed(check="a.d", why="few rows", applicable=False),),
    )
    done = Done(outcome=outcome, queries=12)
    assert Done.from_bytes(done.to_bytes()) == done


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"\xff", b'{"format":1,"findings":[{}],"figures":[],"not_performed":[],"queries":0}']
)
def test_other_bytes_are_no_outcome(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Done.from_bytes(data)


# budgets


def _why(judged: Mapping[str, SuiteResult], check: str) -> str:
    return next(one.why for one in judged[check.partition(".")[0]].not_performed if one.check == check)


def test_a_budget_of_seconds_leaves_no_silent_gap(small, monkeypatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: float(next(ticks)))
    suites = ("quality", "performance", "explanation")
    judged = small.judge(*suites, spec={"budget": {"repeats": 2, "seconds": 30}})
    whole = small.judge(*suites)
    late = {one.check for result in judged.values() for one in result.not_performed if "seconds" in one.why}
    for suite, result in judged.items():
        said = {item.check for item in (*result.findings, *result.not_performed)}
        assert said == {item.check for item in (*whole[suite].findings, *whole[suite].not_performed)}
    assert judged["quality"].findings == whole["quality"].findings
    assert "explanation.importance" in late
    why = _why(judged, "explanation.importance")
    assert why.startswith("the 30 seconds of assurance.budget.seconds were used up before it began")


def test_workers_keep_to_the_seconds_too(small, monkeypatch) -> None:
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: 1_000_000.0)  # long ago, for the workers
    judged = small.judge("performance", spec={"budget": {"repeats": 2, "seconds": 5}}, spread=_TWO)
    assert not judged["performance"].findings
    assert {one.check for one in judged["performance"].not_performed} == {
        name for check in SUITES["performance"] for name in check.files
    }


def test_a_budget_of_queries_is_never_exceeded(small) -> None:
    asked: list[int] = []

    def counting(features: Features) -> Any:
        asked.append(len(features))
        return _answer(features)

    suites, counted = ("performance", "robustness", "explanation"), small.with_(model=counting)
    whole = counted.judge(*suites)
    spent = {name: whole[name].rows["queries"] for name in suites}
    assert sum(asked) == sum(spent.values()) + 240  # the unchanged rows, asked for once
    asked.clear()
    enough = 240 + spent["performance"] + spent["robustness"]
    judged = counted.judge(*suites, spec={"budget": {"repeats": 2, "queries": enough}})
    assert sum(asked) <= enough
    assert judged["robustness"].findings == whole["robustness"].findings
    assert f"of the {enough:,} of assurance.budget.queries" in _why(judged, "explanation.importance")


def test_a_budget_below_the_unchanged_rows_is_refused(small) -> None:
    with pytest.raises(InvalidInput, match=r"queries is 200, but the 240 unchanged rows are asked for first"):
        small.judge("performance", spec={"budget": {"queries": 200}})


def test_a_check_that_takes_every_error_for_the_models_own_is_not_believed(small) -> None:
    def greedy(case: Any, _rng: Any) -> Outcome:
        try:
            case.predict(case.test.features)
            value = 0.0
        except Exception:  # noqa: BLE001
            value = 1.0
        return collected([Finding(check="robustness.made_up", value=value, n=1, unit="share", definition="X.")])

    check = Check(name="robustness.made_up", files={"robustness.made_up": CLASSES}, run=greedy)
    case = _case(small, AssuranceSpec.model_validate({"budget": {"queries": 10_000}}))
    assert run_check(check, case, left=len(case.test)).outcome.findings
    stopped = run_check(check, case, left=len(case.test) - 1)
    assert not stopped.outcome.findings
    assert stopped.outcome.not_performed[0].check == "robustness.made_up"


def test_queries_of_a_suite_do_not_depend_on_its_company(small) -> None:
    together = small.judge("quality", "performance", "stress", "robustness")
    assert together["robustness"].rows["queries"] == small.judge("robustness")["robustness"].rows["queries"] > 0
    assert together["quality"].rows["queries"] == 0


# going on


@dataclass
class Memory:
    """Outcomes kept in a dictionary, and what was asked of it."""

    held: dict[str, bytes] = field(default_factory=dict)
    put_now: list[str] = field(default_factory=list)

    def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.put_now.append(key)
        self.held[key] = data


def test_finished_checks_are_not_carried_out_again(small) -> None:
    memory, told = Memory(), list[str]()
    first = small.judge("performance", kept=memory)
    assert len(memory.put_now) == len(SUITES["performance"])
    memory.put_now.clear()
    again = small.judge("performance", kept=memory, progress=lambda line, _share: told.append(line))
    assert told == ["reading the rows to judge", "suites done"]
    assert memory.put_now == []
    assert _canonical(first) == _canonical(again)
    memory.held = dict(list(memory.held.items())[3:])
    assert _canonical(small.judge("performance", kept=memory)) == _canonical(first)
    assert len(memory.put_now) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"spec": {"threshold": 0.6}},
        {"groups": ["sex"]},
        {"quarantined": 4},
        {"data_digest": "sha256:" + "0" * 64},
        {"previous": "model"},
        {"teach": "teach"},
    ],
)
def test_an_outcome_is_used_only_for_the_very_same_question(small, change: Mapping[str, Any]) -> None:
    memory = Memory()
    small.judge("quality", kept=memory)
    memory.put_now.clear()
    asked = {**change}
    if "previous" in asked:
        asked["previous"] = small.model
    if "teach" in asked:
        asked["teach"] = _teach(small)
    small.judge("quality", kept=memory, **asked)
    assert len(memory.put_now) == len(SUITES["quality"])


def test_other_rows_of_the_same_snapshot_are_another_question(small) -> None:
    memory, digest = Memory(), "sha256:" + "1" * 64
    small.judge("quality", kept=memory, data_digest=digest)
    memory.put_now.clear()
    small.with_(test=small.test.slice(1)).judge("quality", kept=memory, data_digest=digest)
    assert len(memory.put_now) == len(SUITES["quality"])


def test_what_a_budget_cut_short_is_not_kept(small, monkeypatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: float(next(ticks)))
    memory = Memory()
    small.judge("performance", spec={"budget": {"seconds": 3}}, kept=memory)
    assert 0 < len(memory.put_now) < len(SUITES["performance"])


def test_a_function_has_no_name_to_know_it_again_by(small) -> None:
    memory = Memory()
    small.with_(model=_answer).judge("quality", kept=memory)
    assert memory.put_now == []


# when workers are worth it


def _errand(small, depth: str = "standard", **budget: int) -> Errand:
    spec = AssuranceSpec.model_validate({"depth": depth, "budget": budget})
    case = _case(small, spec)
    auto = Spread(compute=Processes(2), work=CHECKS, when="worth it")
    return Errand(
        case=case,
        groups=(),
        progress=lambda *_: None,
        now=lambda: 0.0,
        model=Portable(kind="package", model=small.model),
        spread=auto,
    )


def test_small_work_stays_and_long_work_goes(small) -> None:
    checks = [check for suite in SUITES.values() for check in suite]
    plain = [check for check in checks if not check.thorough]
    thorough = [Check(name="x.y", files={"x.y": CLASSES}, run=lambda *_: Outcome(), thorough=True)]
    assert not _goes_elsewhere(_errand(small), plain, 0.5, 10)
    assert not _goes_elsewhere(_errand(small), plain[:10], 4.0, 50)  # the rest takes less than a start
    assert _goes_elsewhere(_errand(small), plain[:40], 4.0, 5)
    assert _goes_elsewhere(_errand(small, "full"), [*plain, *thorough], 0.0, 0)
    assert not _goes_elsewhere(_errand(small, queries=10**6), plain[:40], 400.0, 5)
