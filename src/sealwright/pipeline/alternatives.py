"""Other ways to make a project's model, trained and judged beside its present way, on the same rows.

Answers: what would each way gain and cost, in accuracy, in every finding of the suites, and for every group?
Does not answer: which one to take. Nothing is filed, signed or moved; the chosen one is written into the project file,
trained anew by `sealwright run`, and judged like any model. But a private training costs privacy whoever sees its model, so the
ledger has the cost of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import yaml

from sealwright.assurance import SuiteResult, run_suites
from sealwright.data import feature_interface, split
from sealwright.kernel import InvalidInput, Progress, SealwrightError, silent
from sealwright.pipeline.claimed_privacy import with_claim
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.learned_columns import columns_learned_from
from sealwright.pipeline.permission import allow
from sealwright.pipeline.prepared import refuse_stale_data
from sealwright.pipeline.private_training import Reserved, entered, ready, refuse_unready, reserve, rows_learned_from
from sealwright.pipeline.project import Project
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.variants import Variant
from sealwright.pipeline.version_facts import project_facts
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.training import TrainingSpec
from sealwright.training import train as train_confined
from sealwright.trust import Principal

__all__ = ["PRESENT", "Comparison", "TriedWay", "compare"]

PRESENT = "present"
_ONE_OF = ("mitigation", "hardening", "privacy")  # a training has at most one of them
_FIELDS = ("check", "value", "low", "high", "n", "unit", "definition", "note")


@dataclass(frozen=True, kw_only=True)
class TriedWay:
    """One way, and what came of it. `failed` says why it gave no model; then it has no findings."""

    name: str
    words: str
    training: Mapping[str, Any]  # fields of `training:` that differ
    about: str | None = None  # the attribute it is for
    results: tuple[SuiteResult, ...] = ()
    notes: tuple[str, ...] = ()
    model: str | None = None  # digest
    failed: str = ""
    seconds: float = 0.0

    @cached_property
    def findings(self) -> dict[tuple[str, str | None, str | None], dict[str, Any]]:
        """By check, attribute and level."""
        found: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
        for result in self.results:
            for one in result.findings:
                value = one.to_json()
                group = value["group"] or {"attribute": None, "level": None}
                key = (one.check, group["attribute"], group["level"])
                found[key] = {**{name: value[name] for name in _FIELDS}, **group}
        return found

    @property
    def lines(self) -> str:
        """The lines of `sealwright.yaml` that choose this way."""
        return yaml.safe_dump({"training": dict(self.training)}, sort_keys=False, default_flow_style=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "words": self.words,
            "about": self.about,
            "training": dict(self.training),
            "lines": self.lines,
            "model": self.model,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "findings": list(self.findings.values()),
            "not_performed": [
                one.to_json() for result in self.results for one in result.not_performed if one.applicable
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several ways side by side; the first one is the project's present way."""

    project: str
    snapshot: str
    rows: int  # held out, the same for all
    trained_on: int
    seed: int
    suites: tuple[str, ...]
    ways: tuple[TriedWay, ...]
    spent: Mapping[str, Any] | None = None  # of the privacy budget, with the trainings of these ways

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "snapshot": self.snapshot,
            "rows": self.rows,
            "trained_on": self.trained_on,
            "seed": self.seed,
            "suites": list(self.suites),
            "filed": False,
            "privacy_budget": dict(self.spent) if self.spent is not None else None,
            "ways": [way.to_json() for way in self.ways],
        }


def compare(
    workspace: Workspace,
    project: Project,
    variants: Sequence[Variant],
    *,
    suites: Sequence[str],
    by: Principal,
    progress: Progress = silent,
) -> Comparison:
    """Train each variant as the project would be trained, in confinement, and judge each on the same held-out rows.

    Parameters
    ----------
    variants : sequence of Variant
        Other ways; the project's present way is put in front of them.
    suites : sequence of str
        What to judge besides performance. Settings are those of the project's `assurance:` section.
    by : str
        Who asks, for the record of whose keys were unwrapped.

    Returns
    -------
    Comparison
        Paired differences against the present way are the findings `performance.gain_over_previous` and
        `performance.decisions_over_previous` of each other way: both are asked for the same rows. A variant that
        cannot be trained says why and stops no other.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        Two variants have the same name, or fields of a variant are no training settings.
    StoppedByPolicy
        The data was not collected for what the model is for.
    PrivacyBudgetMissing, PrivacyBudgetSpent, PrivacyBudgetChanged
        The privacy budget of the dataset does not allow all private ways together. None was trained.
    """
    allow(workspace, by, "model.compare", project_facts(project))
    ways = [Variant(name=PRESENT, words="the project as it is", training={}), *variants]
    if len({way.name for way in ways}) != len(ways):
        raise InvalidInput(f"Each variant needs a name of its own, and none is called {PRESENT!r}.")
    ways = [_instead(project, way) for way in ways]
    specs = {way.name: _spec(project, way) for way in ways}
    bench = _bench(workspace, project, suites, ready(project, specs), by.counts_as, progress)
    tried: list[TriedWay] = []
    present: bytes | None = None
    for place, way in enumerate(ways):
        part = _part(progress, way.name, place / len(ways), (place + 1) / len(ways))
        one, model = _try(bench, way, specs[way.name], present, part)
        if place == 0:
            present = model
        tried.append(one)
    progress("compared", 1.0)
    return Comparison(
        project=project.name,
        snapshot=bench.snapshot,
        rows=bench.test.num_rows,
        trained_on=bench.train.num_rows,
        seed=project.spec.training.seed,
        suites=bench.suites,
        ways=tuple(tried),
        spent=next((one.standing for one in bench.reserved.values()), None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What all ways share."""

    workspace: Workspace
    project: Project
    groups: tuple[str, ...]
    suites: tuple[str, ...]
    train: Any
    test: Any
    interface: Mapping[str, Any]
    snapshot: str
    quarantined: int | None
    reserved: Mapping[str, Reserved]  # what private ways cost, by name


def _bench(
    workspace: Workspace,
    project: Project,
    suites: Sequence[str],
    payable: Mapping[str, TrainingSpec],
    by: str,
    progress: Progress,
) -> _Bench:
    desk, spec = Desk(workspace, project), project.spec
    taken = desk.last().product("ingest")
    out = withholding(desk, require_basis(desk, by=by))
    progress("opening the snapshot", 0.0)
    snapshot = snapshot_of(desk, taken["snapshot"], by=by, purpose="training", leave_out=out.since())
    refuse_stale_data(desk, snapshot)
    reserved = reserve(desk, snapshot, payable, purpose="comparison, ", by=by)
    train, test = split(snapshot.read(), spec.data, spec.training.seed, synthetic=snapshot.synthetic)
    return _Bench(
        workspace=workspace,
        project=project,
        groups=desk.groups,
        suites=tuple(dict.fromkeys(["performance", *suites])),
        train=train,
        test=test,
        interface=feature_interface(spec.data, train, project=project.name),
        snapshot=snapshot.digest,
        quarantined=snapshot.quarantined,
        reserved=reserved,
    )


def _instead(project: Project, way: Variant) -> Variant:
    """The way with the project's own mitigation, hardening or privacy switched off where it brings another of them."""
    training = project.spec.training
    if not any(way.training.get(name) for name in _ONE_OF):
        return way
    off = {name: None for name in _ONE_OF if getattr(training, name) is not None and name not in way.training}
    return replace(way, training={**off, **way.training})


def _spec(project: Project, variant: Variant) -> TrainingSpec:
    from pydantic import ValidationError

    changed = {**project.spec.training.model_dump(mode="json"), **variant.training}
    try:
        return TrainingSpec.model_validate(changed)
    except ValidationError as error:
        said = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise InvalidInput(f"The variant {variant.name} is no training: {said}") from None


def _try(
    bench: _Bench, way: Variant, spec: TrainingSpec, present: bytes | None, progress: Progress
) -> tuple[TriedWay, bytes | None]:
    data = bench.project.spec.data
    features = list(bench.interface["order"])
    try:
        refuse_unready(bench.project, spec)
        reserved = bench.reserved[way.name] if spec.privacy is not None else None
        learned = rows_learned_from(bench.workspace, bench.project, spec, bench.train)
        made = train_confined(
            learned.select(columns_learned_from(data, spec)),
            bench.test.select(features),
            bench.interface,
            spec,
            project_dir=bench.project.folder,
            progress=lambda line, share: progress(line, 0.7 * share),
            hidden=(bench.workspace.home.resolve(),),
        )
    except SealwrightError as error:
        if way.name == PRESENT:
            raise
        return TriedWay(name=way.name, words=way.words, training=way.training, about=way.about, failed=str(error)), None
    made = entered(made, reserved)
    results = run_suites(
        bench.suites,
        made.model,
        bench.test,
        learned,
        bench.interface,
        with_claim(bench.project.spec.assurance, made.privacy),
        groups=bench.groups,
        seed=bench.project.spec.training.seed,
        progress=lambda line, share: progress(line, 0.7 + 0.3 * share),
        clock=bench.workspace.clock,
        data_digest=bench.snapshot,
        quarantined=bench.quarantined,
        previous=present,
    )
    tried = TriedWay(
        name=way.name,
        words=way.words,
        training=way.training,
        about=way.about,
        results=tuple(results),
        notes=tuple(made.notes),
        model=made.model_digest,
        seconds=made.seconds,
    )
    return tried, made.model


def _part(progress: Progress, name: str, start: float, end: float) -> Progress:
    return lambda line, share: progress(f"{name}: {line}", start + (end - start) * share)
