"""A confined training gives a model, its evidence, and the same bytes next time."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from sealwright.kernel import InvalidInput, Refused, canonical_json, digest_of
from sealwright.training import (
    BUILD_TYPE,
    TrainingResult,
    TrainingSpec,
    UntrainableData,
    our_code,
    provenance_predicate,
    train,
)

from .conftest import german, make_rows

SPEC = TrainingSpec(search={"trials": 3}, folds=3)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def credit() -> tuple[TrainingResult, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    return train(*german(), SPEC, progress=lambda line, share: told.append((line, share))), told


def test_a_model_of_the_credit_data_agrees_with_its_onnx_form_on_every_hold_out_row(
    credit: tuple[TrainingResult, list[tuple[str, float]]],
) -> None:
    result, _ = credit
    assert result.parity is not None
    assert (result.parity.rows, result.parity.flips, result.parity.holds) == (250, 0, True)
    assert result.parity.largest < 1e-6
    assert 0.7 < result.cv["scores"]["roc_auc"]["mean"] < 0.9
    assert result.framework_predictions is not None
    assert result.framework_predictions.shape == (250, 2)
    assert result.model_digest == digest_of(result.model)
    assert (result.rows, result.holdout_rows, len(result.search)) == (750, 250, 3)
    assert result.log == []
    assert result.environment["packages"]["scikit-learn"]


def test_the_same_seed_gives_the_same_bytes_in_another_process(
    credit: tuple[TrainingResult, list[tuple[str, float]]],
) -> None:
    again = train(*german(), SPEC)
    assert again.model == credit[0].model
    assert again.search == credit[0].search
    assert again.cv == credit[0].cv
    assert again.environment_digest == credit[0].environment_digest


def test_progress_only_moves_forward_and_ends_at_one(credit: tuple[TrainingResult, list[tuple[str, float]]]) -> None:
    shares = [share for _, share in credit[1]]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    lines = [line for line, _ in credit[1]]
    assert "training boosting on 750 rows" in lines
    assert any(line.startswith("search: trial 3 of 3") for line in lines)


def test_what_was_enforced_is_part_of_the_result(credit: tuple[TrainingResult, list[tuple[str, float]]]) -> None:
    report = credit[0].confinement
    names = {measure["name"] for measure in report["measures"]}
    assert {"network", "files", "memory", "new_processes"} <= names
    assert report["limits"]["memory_bytes"] == 4096 << 20
    assert set(report["not_enforced"]) <= names


def test_provenance_names_everything_the_model_came_from(
    credit: tuple[TrainingResult, list[tuple[str, float]]],
) -> None:
    result, start = credit[0], datetime(2026, 1, 1, tzinfo=UTC)
    digests = {"snapshot": digest_of(b"snapshot"), "lock": digest_of(b"lock")}
    predicate = provenance_predicate(
        result,
        SPEC,
        project="german-credit",
        builder="urn:sealwright:builder:local:ws_1",
        version="0.1.0",
        run="run_1",
        started=start,
        finished=start + timedelta(seconds=9),
        **digests,
    )
    build, details = predicate["buildDefinition"], predicate["runDetails"]
    assert build["buildType"] == BUILD_TYPE
    found = {item["name"]: "sha256:" + item["digest"]["sha256"] for item in build["resolvedDependencies"]}
    assert found == {**digests, "environment": result.environment_digest, "code:sealwright.training": our_code()}
    assert build["externalParameters"]["training"]["seed"] == SPEC.seed
    assert build["internalParameters"]["parameters"] == dict(result.parameters)
    assert build["internalParameters"]["confinement"]["not_enforced"] == result.confinement["not_enforced"]
    assert details["metadata"] == {
        "invocationId": "run_1",
        "startedOn": "2026-01-01T00:00:00.000Z",
        "finishedOn": "2026-01-01T00:00:09.000Z",
    }
    assert details["byproducts"][0]["content"]["holds"] is True
    canonical_json(predicate)  # it can be signed
    with pytest.raises(InvalidInput, match="before it started"):
        provenance_predicate(
            result,
            SPEC,
            project="p",
            builder="b",
            version="1",
            run="r",
            started=start,
            finished=start - timedelta(seconds=1),
            **digests,
        )


def test_rows_that_teach_nothing_are_refused_at_once() -> None:
    table, holdout, interface = make_rows(rows=40)
    same = table.set_column(table.column_names.index("target"), "target", [["good"] * 40])
    with pytest.raises(UntrainableData, match="All 40 training rows have the class 'good'") as caught:
        train(same, holdout, interface, SPEC)
    assert caught.value.code == "training.data"


def test_what_can_be_said_before_starting_is_said_before_starting() -> None:
    table, holdout, interface = make_rows(rows=40)
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="Did you mean 'learning_rate'"):
        train(table, holdout, interface, TrainingSpec(params={"learning_rte": 1}))
    with pytest.raises(InvalidInput, match="no hold-out row"):
        train(table, holdout.slice(0, 0), interface, SPEC)
    with pytest.raises(InvalidInput, match="lack n0"):
        train(table.drop_columns(["n0"]), holdout, interface, SPEC)
    assert time.monotonic() - began < 1.0


def test_where_full_confinement_is_required_a_lesser_one_does_not_train() -> None:
    table, holdout, interface = make_rows(rows=40)
    spec = TrainingSpec(confinement="required")
    with pytest.raises(Refused, match="files: landlock: switched off"):
        train(table, holdout, interface, spec, without=["landlock"])


def test_where_it_is_only_reported_the_result_says_what_was_missing() -> None:
    table, holdout, interface = make_rows(rows=60, task="regression")
    spec = TrainingSpec(recipe="logistic", search={"trials": 0})  # type: ignore[arg-type]
    result = train(table, holdout, interface, spec, without=["landlock", "seccomp"])
    assert {"files", "local_sockets"} <= set(result.confinement["not_enforced"])
    assert result.parity is not None
    assert result.parity.holds


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["logistic", "forest", "boosting"])
def test_a_full_search_on_the_credit_data_finishes(recipe: str) -> None:
    result = train(*german(), TrainingSpec(recipe=recipe))
    assert len(result.search) == 20
    assert not any("search stopped" in note for note in result.notes)
    assert result.parity is not None
    assert result.parity.holds
