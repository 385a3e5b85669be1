"""A training with one of our recipes, from rows to ONNX bytes: search, cross-validation, final fit, export."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sealwright.training.adapters.cross_validation import cross_validated, metric_of
from sealwright.training.adapters.estimators import FOREST_ROWS, Model, fit
from sealwright.training.adapters.hardening import Hardened, fit_hardened
from sealwright.training.adapters.mitigated import fit_job
from sealwright.training.adapters.onnx_export import export
from sealwright.training.adapters.onnx_hardening import export_hardened
from sealwright.training.adapters.scores import folds_of, metrics_of, sample_of
from sealwright.training.adapters.search import search
from sealwright.training.job import Job, Made
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value, fixed_parameters, parameters_of
from sealwright.training.teachable import check_target

__all__ = ["train_built_in"]

_SEARCH_ROWS = 10_000
_SEARCH_TREES = 30  # enough to rank the settings of a forest; the final one grows all of its trees


def train_built_in(job: Job, progress: Callable[[str, float], None]) -> Made:
    """Train one of our recipes.

    Raises
    ------
    UntrainableData, InvalidInput
        The rows or the settings do not allow it.
    """
    metric = metric_of(job)
    fixed = fixed_parameters(job.recipe, job.task, job.params)
    notes = check_target(job.task, job.target, job.classes)
    parameters, trials = _searched(job, fixed, metric, notes, progress)

    def fit_rows(rows: Packed, target: NDArray[Any]) -> Any:
        return _made(job, rows, target, parameters).predict

    if job.mitigation is not None and job.mitigation.method == "exponentiated_gradient":
        notes.append("cross-validation was not performed: each fold would train dozens of models anew")
        cv: dict[str, Any] = {}
    else:
        cv = cross_validated(job, fit_rows, notes, progress)
    if job.recipe == "forest" and job.rows.rows > FOREST_ROWS:
        notes.append(f"each tree of the forest was grown on {FOREST_ROWS:,} of {job.rows.rows:,} training rows")
    progress("training on every row", 0.9)
    fitted = _made(job, job.rows, job.target, parameters, notes)
    predictions = fitted.predict(job.holdout)
    progress("writing the model as ONNX", 0.96)
    write = export_hardened if isinstance(fitted, Hardened) else export
    model = write(fitted, len(job.number_names), len(job.string_names))  # type: ignore[arg-type]
    return Made(model=model, predictions=predictions, parameters=parameters, cv=cv, search=trials, notes=notes)


def _made(
    job: Job, rows: Packed, target: NDArray[Any], parameters: dict[str, Value], notes: list[str] | None = None
) -> Model | Hardened:
    """The recipe trained on rows, hardened or mitigated where that is asked for."""
    classes = len(job.classes)
    if job.hardening is None:
        return fit_job(job, rows, target, parameters, notes)
    return fit_hardened(
        job.recipe,
        job.task,
        rows,
        target,
        classes=classes,
        positive=job.positive,
        parameters=parameters,
        seed=job.seed,
        spec=job.hardening,
        number_names=job.number_names,
    )


def _searched(
    job: Job, fixed: dict[str, Value], metric: str, notes: list[str], progress: Callable[[str, float], None]
) -> tuple[dict[str, Value], list[dict[str, Any]]]:
    known = parameters_of(job.recipe, job.task, job.rows.rows)
    if job.trials == 0:
        return {parameter.name: parameter.default for parameter in known} | fixed, []
    if job.mitigation is not None:
        notes.append("parameters were searched without the mitigation, so that it alone makes the difference")
    kept = sample_of(job.task, job.target, _SEARCH_ROWS, job.seed)
    if kept.size < job.rows.rows:
        notes.append(f"parameters were searched on {kept.size:,} of {job.rows.rows:,} training rows")
    rows, target = job.rows.take(kept), job.target[kept]
    folds, thin = folds_of(job.task, target, job.folds, job.seed)
    notes += thin
    score = metrics_of(job.task, len(job.classes), job.positive)[metric]
    few = {"trees": min(_SEARCH_TREES, int(fixed.get("trees", _SEARCH_TREES)))} if job.recipe == "forest" else {}

    def judge(setting: dict[str, Value], fold: int) -> float:
        learn, check = folds[fold]
        fitted = fit(
            job.recipe,
            job.task,
            rows.take(learn),
            target[learn],
            classes=len(job.classes),
            parameters=setting | few,
            seed=job.seed,
        )
        return score(target[check], fitted.predict(rows.take(check)))

    with threadpool_limits(limits=1, user_api="openmp"):  # so few rows are not worth starting threads for
        best, trials, said = search(
            known,
            fixed,
            judge,
            folds=len(folds),
            metric=metric,
            trials=job.trials,
            seconds=job.seconds,
            seed=job.seed,
            progress=lambda line, share: progress(line, 0.05 + 0.75 * share),
        )
    notes += said
    return best, trials
