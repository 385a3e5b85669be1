"""Begin a project: look at a data file and write a commented `sealwright.yaml` to start from.

Answers: what would a careful colleague have written, and why each guess?
Does not answer: whether the guesses are right. They are comments beside the lines they explain, to be read once.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.charter import RiskClass
from sealwright.data import Inferred, infer_contract
from sealwright.kernel import (
    YAML_WIDTH,
    Conflict,
    InvalidInput,
    Progress,
    check_name,
    silent,
    write_atomically,
    yaml_comment,
    yaml_value,
)
from sealwright.pipeline.project import PROJECT_FILE, load_project

__all__ = ["Begun", "begin_project"]

_DEFAULTS = (("nullable", False), ("role", "feature"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What was written, and what a person should look at first."""

    path: Path
    name: str
    task: str
    rows: int
    columns: int
    set_aside: tuple[str, ...]  # columns not given to the model
    sensitive: tuple[str, ...]
    warnings: tuple[str, ...]


def begin_project(
    folder: Path,
    *,
    data: Path,
    target: str,
    risk: RiskClass = RiskClass.MINIMAL,
    name: str | None = None,
    positive: str | None = None,
    progress: Progress = silent,
) -> Begun:
    """Infer a contract from `data` and write `folder/sealwright.yaml`.

    Raises
    ------
    Conflict
        There is a project file already; it is never overwritten.
    InvalidInput
        The data cannot be read, or the target cannot be predicted.
    """
    path = folder / PROJECT_FILE
    if path.exists():
        raise Conflict(f"{path} exists already and stays as it is. Choose another folder, or edit that file.")
    if not data.exists():
        raise InvalidInput(f"There is no file {data}. Name a CSV, JSON lines, Parquet or Arrow file with --data.")
    project = check_name(name, what="project") if name else _name_from(folder)
    source = os.path.relpath(data.resolve(), folder.resolve())
    inferred = infer_contract(data, target, progress=progress)
    plain = {**inferred.spec.plain(), "source": _placed(inferred.spec.plain()["source"], source)}
    if positive is not None:
        plain = _with_positive(plain, positive)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_atomically(path, _text(project, plain, inferred, risk).encode(), mode=0o644)
        spec = load_project(path).spec
    except BaseException:
        path.unlink(missing_ok=True)
        if is_new:
            folder.rmdir()
        raise
    return Begun(
        path=path,
        name=project,
        task=spec.data.task,
        rows=inferred.rows,
        columns=len(spec.data.columns),
        set_aside=tuple(n for n, c in spec.data.columns.items() if c.role in {"identifier", "ignore"}),
        sensitive=spec.data.sensitive,
        warnings=tuple(inferred.warnings),
    )


def _name_from(folder: Path) -> str:
    """A usable project name from the folder's name."""
    words = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._")[:64].strip("-._")
    return check_name(words or "project", what="project")


def _placed(source: Any, path: str) -> Any:
    """The source of the contract, with its file as seen from the project folder."""
    return {**source, "file": path} if isinstance(source, Mapping) else path


def _with_positive(plain: Mapping[str, Any], positive: str) -> dict[str, Any]:
    """The section with the good outcome a person named, right after the target."""
    order = ["source", "target", "positive", *(key for key in plain if key not in {"source", "target", "positive"})]
    return {key: positive if key == "positive" else plain[key] for key in order}


def _text(project: str, plain: Mapping[str, Any], inferred: Inferred, risk: RiskClass) -> str:
    return "\n".join(
        [
            "# A Sealwright project: one use case on one page. Read it once; every guess says why.",
            "# Your editor completes it with the schema from: sealwright schema > sealwright.schema.json",
            "format: 1",
            f"project: {yaml_value(project)}",
            "",
            *_charter(plain["target"], risk),
            "",
            *_data(plain, inferred),
            "",
            *_rest(inferred, risk),
            "",
        ]
    )


def _charter(target: str, risk: RiskClass) -> Iterator[str]:
    yield "charter:"
    yield f"  purpose: {yaml_value(f'Predict {target}. Say here what for, and who uses the answer.')}"
    yield "  # What the data must have been collected for: one of the purposes in data.basis."
    yield "  # purpose_id: my-purpose"
    yield "  owner: Name the person or function that answers for this model"
    yield "  # minimal: a wrong answer costs little and nobody is judged by it."
    yield "  # limited: people meet its answers and can easily object."
    yield "  # high: it weighs on somebody's credit, work, health, education, safety or rights."
    yield f"  risk_class: {risk.value}"
    yield "  # Numbers it must reach to be worth having; signed before results exist. Example:"
    yield "  # objectives:"
    yield "  #   - {metric: performance.roc_auc, at_least: 0.75, why: Below that the old scorecard is as good.}"


def _data(plain: Mapping[str, Any], inferred: Inferred) -> Iterator[str]:
    yield "data:"
    for key, value in plain.items():
        if key != "columns":
            yield f"  {key}: {yaml_value(value)}"
    if "quarantine" not in plain:
        yield "  # Rows that break the contract are set aside, encrypted, never dropped; more than this share stops the ingest."
        yield "  quarantine: {at_most_share: 0.01}"
    for warning in inferred.warnings:
        yield from yaml_comment(f"Look here: {warning}", "  ")
    yield from _about_persons(plain["columns"])
    yield "  # type: integer | number | category | boolean | date | text"
    yield "  # class (who may read it): public | internal | confidential | personal | special"
    yield "  # role: feature | target | identifier | sensitive (kept to compare groups, not given to the model) | ignore"
    yield "  columns:"
    for name, column in plain["columns"].items():
        reasons = "; ".join(inferred.reasons.get(name, ()))
        if reasons:
            yield from yaml_comment(reasons, "    ")
        yield from _column(name, column)


def _about_persons(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What only a person can say: whose rows these are, and why they may be held."""
    named = next((name for name, column in columns.items() if column.get("role") == "identifier"), None)
    if named is not None:
        yield "  # If this column names a person: their cells are then sealed under a key of their own, and they can be found,"
        yield "  # given a copy and erased (sealwright data subject)."
        yield f"  # subject: {yaml_value(named)}"
    yield "  # Why this data may be held, and what for. Needed for a high-risk project, and for data about persons in earnest."
    yield "  # basis:"
    yield "  #   dataset: my-dataset"
    yield "  #   controller: {name: Your organisation, contact: data@example.org}"
    yield "  #   lawful_basis: contract   # or consent, legal_obligation, vital_interests, public_task, legitimate_interests"
    yield "  #   purposes: {my-purpose: What it was collected for}"
    yield "  #   source: {from: Where it came from}"
    yield "  #   subjects: [whom it is about]"
    yield "  #   recipients: []"
    yield "  #   transfers: []"
    yield "  #   retention: {keep: 3 years, counts_from: ingested}"


def _column(name: str, column: Mapping[str, Any]) -> Iterator[str]:
    """One line where it fits, else one line a key; what is the default anyway is left out."""
    said = {key: value for key, value in column.items() if (key, value) not in _DEFAULTS}
    line = f"    {yaml_value(name)}: {yaml_value(said)}"
    if len(line) <= YAML_WIDTH:
        yield line
        return
    yield f"    {yaml_value(name)}:"
    for key, value in said.items():
        if isinstance(value, list):
            yield from _wrapped_list(f"      {key}: [", value)
        else:
            yield f"      {key}: {yaml_value(value)}"


def _wrapped_list(start: str, items: Sequence[Any]) -> Iterator[str]:
    """A list in brackets over as many lines as it takes."""
    line = start
    for place, item in enumerate(items):
        part = yaml_value(item) + ("]" if place == len(items) - 1 else ",")
        if len(line) + len(part) + 1 > YAML_WIDTH:
            yield line
            line = "         "
        line += part if line.endswith("[") else f" {part}"
    yield line


def _rest(inferred: Inferred, risk: RiskClass) -> Iterator[str]:
    yield "training:"
    yield "  # logistic (easy to read), forest, boosting; or your own code as my_module:train"
    yield "  recipe: boosting"
    yield "  seed: 20260101   # the same seed and data give the same model, byte for byte"
    yield "  folds: 5"
    yield "  search: {trials: 20, seconds: 60}"
    yield ""
    yield "assurance:"
    if inferred.spec.sensitive:
        yield "  # Groups compared for fairness: the sensitive columns above. Numbers are cut like {age: [25, 40, 60]}."
    else:
        yield "  # No sensitive column was found. Name columns whose groups shall be compared, e.g. groups: [region]"
    yield "  confidence: 0.95"
    yield ""
    yield "policy:"
    yield f"  # The {risk.value} policy follows from the risk class. Read it with: sealwright policy {risk.value}"
    yield "  # Tighten it here; loosening needs a reason and an approval. Example:"
    yield "  # overrides:"
    yield "  #   - {check: performance.roc_auc, at_least: 0.8, why: Agreed with the business.}"
    yield "  {}"
    yield ""
    yield "serving:"
    yield "  channel: live"
    yield "  pointer_days: 7   # a release must be confirmed again after so many days"
