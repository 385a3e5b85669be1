"""Where checks are carried out changes nothing they say; budgets end them in the open; what is finished is not done again."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from sealwright.assurance import SUITES, AssuranceSpec, Portable, Spread, judge, read_interface
from sealwright.assurance.carrying_out import Errand, _goes_elsewhere
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected
from sealwright.assurance.done import Done
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.one_check import run_check
from sealwright.assurance.service import predictor_of
from sealwright.engines import Processes, RayCluster
from sealwright.kernel import InvalidInput, canonical_json, digest_of
from sealwright.pipeline import CHECKS
from sealwright.pipeline.teaching import teach_from

_ALL = tuple(SUITES)
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_TWO = Spread(compute=Processes(2), work=CHECKS)


def _canonical(judged) -> bytes:
    return canonical_json({name: result.to_json() for name, result in judged.results.items()})


@pytest.mark.parametrize("name", ["german", "wine", "diabetes"])
def test_processes_say_the_same_to_the_last_byte(request, name: str) -> None:
    trained = request.getfixturevalue(name)
    asked = {"groups": ["cellar"] if name == "wine" else ["sex"], "quarantined": 3}
    suites = _ALL if name == "german" else ("performance", "stress", "explanation")
    here = trained.judge(*suites, **asked)
    there = trained.judge(*suites, **asked, spread=_TWO)
    assert _canonical(here) == _canonical(there)


def test_whatever_was_declared_reaches_the_workers(german) -> None:
    spec = {
        "groups": ["sex", {"age": [25, 40]}],
        "favourable": "good",
        "costs": {"bad": {"good": 5}, "good": {"bad": 1}},
        "slices": [{"name": "young", "where": {"age": {"under": 30}}}],
        "expectations": [],
        "budget": {"rows": 200, "repeats": 3},
        "depth": "full",
    }
    asked = {"spec": spec, "previous": german.model, "teach": _teach(german)}
    suites = ("quality", "performance", "slices", "stress")
    here, there = german.judge(*suites, **asked), german.judge(*suites, **asked, spread=_TWO)
    assert here["performance"].rows["test_judged"] == 200
    assert _canonical(here) == _canonical(there)


def _teach(trained) -> Any:
    return teach_from({"recipe": "logistic_regression", "parameters": {"C": 1.0}, "interface": trained.interface})


@pytest.mark.slow
def test_ray_says_the_same_to_the_last_byte(german) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed")
    asked = {"groups": ["sex"]}
    here = german.judge("fairness", "performance", **asked)
    there = german.judge("fairness", "performance", **asked, spread=Spread(compute=RayCluster(2), work=CHECKS))
    assert _canonical(here) == _canonical(there)


def test_an_onnx_file_made_elsewhere_is_judged_by_workers_too(german) -> None:
    rows = german.test.select([one["name"] for one in (*german.interface["numbers"], *german.interface["strings"])])
    asked = {"settings": {"suites": ["performance", "robustness"]}, "positive": "good", "clock": lambda: _AT}
    here = judge(german.model, rows, german.test["outcome"], **asked)
    there = judge(german.model, rows, german.test["outcome"], **asked, spread=_TWO)
    assert [one.to_json() for one in here] == [one.to_json() for one in there]
    assert here[0].model == digest_of(german.model)


def test_a_function_stays_in_this_process(scored, rng) -> None:
    rows = scored(rng.random(200) < 0.5, rng.random(200))

    class Nobody:
        name, workers = "nobody", 2

        def map(self, *_: object) -> Any:
            raise AssertionError("code was sent away")

    judged = rows.judge("performance", spread=Spread(compute=Nobody(), work=CHECKS))
    assert judged["performance"].find("performance.accuracy")


def test_a_file_that_is_no_model_is_refused_before_anything_is_sent(german) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        german.with_(model=b"no model").judge("performance", spread=_TWO)


def _case(trained, spec: AssuranceSpec | None = None) -> Case:
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


def test_a_budget_of_seconds_leaves_no_silent_gap(german, monkeypatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: float(next(ticks)))
    suites = ("quality", "performance", "explanation")
    judged = german.judge(*suites, spec={"budget": {"repeats": 3, "seconds": 30}})
    whole = german.judge(*suites)
    late = {one.check for result in judged.results.values() for one in result.not_performed if "seconds" in one.why}
    for suite, result in judged.results.items():
        said = {item.check for item in (*result.findings, *result.not_performed)}
        assert said == {item.check for item in (*whole[suite].findings, *whole[suite].not_performed)}
    assert judged["quality"].findings == whole["quality"].findings
    assert "explanation.importance" in late
    why = judged.why("explanation.importance")
    assert why.startswith("the 30 seconds of assurance.budget.seconds were used up before it began")


def test_workers_keep_to_the_seconds_too(german, monkeypatch) -> None:
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: 1_000_000.0)  # long ago, for the workers
    judged = german.judge("performance", spec={"budget": {"repeats": 3, "seconds": 5}}, spread=_TWO)
    assert not judged["performance"].findings
    assert {one.check for one in judged["performance"].not_performed} == {
        name for check in SUITES["performance"] for name in check.files
    }


def test_a_budget_of_queries_is_never_exceeded(scored, rng) -> None:
    truth = rng.random(300) < 0.5
    rows = scored(truth, np.clip(0.4 * truth + 0.6 * rng.random(300), 0, 1))
    asked: list[int] = []

    def counting(features: Any) -> Any:
        asked.append(len(features))
        return rows.model(features)

    whole = rows.with_(model=counting).judge("performance", "robustness", "explanation")
    spent = {name: whole[name].rows["queries"] for name in ("performance", "robustness", "explanation")}
    assert sum(asked) == sum(spent.values()) + 600  # the unchanged rows, asked for once
    asked.clear()
    enough = 600 + spent["performance"] + spent["robustness"]
    judged = rows.with_(model=counting).judge(
        "performance", "robustness", "explanation", spec={"budget": {"repeats": 3, "queries": enough}}
    )
    assert sum(asked) <= enough
    assert judged["robustness"].findings == whole["robustness"].findings
    assert f"of the {enough:,} of assurance.budget.queries" in judged.why("explanation.importance")


def test_a_budget_below_the_unchanged_rows_is_refused(german) -> None:
    with pytest.raises(InvalidInput, match=r"queries is 500, but the 1,000 unchanged rows are asked for first"):
        german.judge("performance", spec={"budget": {"queries": 500}})


def test_a_check_that_takes_every_error_for_the_models_own_is_not_believed(german) -> None:
    def greedy(case: Any, _rng: Any) -> Outcome:
        try:
            case.predict(case.test.features)
            value = 0.0
        except Exception:  # noqa: BLE001
            value = 1.0
        return collected([Finding(check="robustness.made_up", value=value, n=1, unit="share", definition="X.")])

    check = Check(name="robustness.made_up", files={"robustness.made_up": CLASSES}, run=greedy)
    case = _case(german)
    assert run_check(check, case, left=len(case.test)).outcome.findings
    stopped = run_check(check, case, left=len(case.test) - 1)
    assert not stopped.outcome.findings
    assert stopped.outcome.not_performed[0].check == "robustness.made_up"


def test_queries_of_a_suite_do_not_depend_on_its_company(german) -> None:
    together = german.judge("quality", "performance", "stress", "robustness")
    assert together["robustness"].rows["queries"] == german.judge("robustness")["robustness"].rows["queries"] > 0
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


def test_finished_checks_are_not_carried_out_again(german) -> None:
    memory, told = Memory(), []
    first = german.judge("performance", kept=memory)
    assert len(memory.put_now) == len(SUITES["performance"])
    memory.put_now.clear()
    again = german.judge("performance", kept=memory, progress=lambda line, _share: told.append(line))
    assert memory.put_now == []
    assert _canonical(first) == _canonical(again)
    dropped = dict(list(memory.held.items())[3:])
    memory.held = dropped
    assert _canonical(german.judge("performance", kept=memory, spread=_TWO)) == _canonical(first)
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
def test_an_outcome_is_used_only_for_the_very_same_question(german, change: Mapping[str, Any]) -> None:
    memory = Memory()
    german.judge("quality", kept=memory)
    memory.put_now.clear()
    asked = {**change}
    if "previous" in asked:
        asked["previous"] = german.model
    if "teach" in asked:
        asked["teach"] = _teach(german)
    german.judge("quality", kept=memory, **asked)
    assert len(memory.put_now) == len(SUITES["quality"])


def test_other_rows_of_the_same_snapshot_are_another_question(german) -> None:
    memory, digest = Memory(), "sha256:" + "1" * 64
    german.judge("quality", kept=memory, data_digest=digest)
    memory.put_now.clear()
    german.with_(test=german.test.slice(1)).judge("quality", kept=memory, data_digest=digest)
    assert len(memory.put_now) == len(SUITES["quality"])


def test_what_a_budget_cut_short_is_not_kept(german, monkeypatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("sealwright.assurance.service.time.time", lambda: float(next(ticks)))
    memory = Memory()
    german.judge("performance", spec={"budget": {"seconds": 3}}, kept=memory)
    assert 0 < len(memory.put_now) < len(SUITES["performance"])


def test_a_function_has_no_name_to_know_it_again_by(scored, rng) -> None:
    memory = Memory()
    scored(rng.random(100) < 0.5, rng.random(100)).judge("quality", kept=memory)
    assert memory.put_now == []


# when workers are worth it


def _errand(german, depth: str = "standard", **budget: int) -> Errand:
    spec = AssuranceSpec.model_validate({"depth": depth, "budget": budget})
    case = _case(german, spec)
    auto = Spread(compute=Processes(2), work=CHECKS, when="worth it")
    return Errand(
        case=case,
        groups=(),
        progress=lambda *_: None,
        now=lambda: 0.0,
        model=Portable(kind="package", model=german.model),
        spread=auto,
    )


def test_small_work_stays_and_long_work_goes(german) -> None:
    checks = [check for suite in SUITES.values() for check in suite]
    plain = [check for check in checks if not check.thorough]
    thorough = [Check(name="x.y", files={"x.y": CLASSES}, run=lambda *_: Outcome(), thorough=True)]
    assert not _goes_elsewhere(_errand(german), plain, 0.5, 10)
    assert not _goes_elsewhere(_errand(german), plain[:10], 4.0, 50)  # the rest takes less than a start
    assert _goes_elsewhere(_errand(german), plain[:40], 4.0, 5)
    assert _goes_elsewhere(_errand(german, "full"), [*plain, *thorough], 0.0, 0)
    assert not _goes_elsewhere(_errand(german, queries=10**6), plain[:40], 400.0, 5)
