"""Judge a model that was made elsewhere, on rows somebody holds, without a workspace.

Answers: the same suites, with the same definitions, as for a model made here.
Does not answer: is it what was trained, or may it be served. Nothing is signed; a digest names only what has bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.assurance.carrying_out import Spread
from sealwright.assurance.elsewhere.held import judged_things
from sealwright.assurance.model import SuiteResult
from sealwright.assurance.service import judged_by
from sealwright.assurance.spec import AssuranceSpec
from sealwright.kernel import Clock, Progress, silent, system_clock

__all__ = ["judge"]


def judge(
    model: Any,
    rows: Any,
    truth: Any,
    *,
    groups: Any = None,
    learned_from: tuple[Any, Any] | None = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    layout: str | None = None,
    settings: AssuranceSpec | Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = silent,
    clock: Clock = system_clock,
    spread: Spread | None = None,
) -> list[SuiteResult]:
    """Run the suites on any model and any rows.

    Parameters
    ----------
    model : object
        An estimator with predict_proba or predict, a torch module, a function of the rows that returns probabilities or
        values, the path of an ONNX file, or its bytes.
    rows : array of shape (n, features), data frame, pa.Table, or mapping of columns
        Rows the model did not learn from, as it takes them. Also: a list, array or series of n texts (documents), or an array
        of n images, shape (n, h, w), (n, h, w, c) or (n, c, h, w), uint8 or floats from 0 to 1.
    truth : sequence of n outcomes
    groups : optional
        Whose rows these are: names of columns of `rows`, or a data frame or mapping of columns beside them.
    learned_from : (rows, truth), optional
        What the model was trained on. Without it, checks that compare with it are not performed.
    task : str, optional
        binary, multiclass or regression; left out: what the model says it is, else what the truth looks like.
    positive : optional
        Binary: the outcome whose probability ranks the rows; left out: the second in order.
    classes : sequence, optional
        Outcomes in the order of the model's answers, for a function or a file that does not name them.
    layout : str, optional
        Images: nhw, nhwc or nchw, where the shape leaves it open.
    settings : AssuranceSpec or mapping, optional
        As the `assurance:` section of a project file.
    spread : Spread, optional
        Workers for the checks of an ONNX file; everything else is code, which stays in this process.

    Returns
    -------
    list of SuiteResult

    Raises
    ------
    InvalidInput
        The rows, the truth, the groups or the model cannot be read, or do not fit together.
    UnusablePredictions
        What the model answers is no prediction.
    """
    asked = judged_things(
        model,
        rows,
        truth,
        groups=groups,
        learned_from=learned_from,
        task=task,
        positive=positive,
        classes=classes,
        settings=settings,
        layout=layout,
    )
    return judged_by(asked["spec"].suites, **asked, seed=seed, progress=progress, clock=clock, spread=spread)
