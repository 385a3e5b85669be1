"""The verbs that need no workspace: check a table, judge any model, explain its answers.

Nothing here is signed or kept. What they say is as true as the rows and the model they were given.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.doors.wiring import spread_of
from sealwright.kernel import Progress, silent

if TYPE_CHECKING:
    from sealwright.assurance import Spread
    from sealwright.data.contracts import Contract, ContractReport
    from sealwright.doors.assessment import Assessment
    from sealwright.doors.explanations import Explanations


__all__ = ["assess", "check_data", "explain", "judged_anywhere"]

_ALSO_EXPLAINED = ("task", "positive", "classes", "layout", "settings", "seed")


def check_data(
    data: Any,
    contract: "Contract | Mapping[str, Any] | str | Path",
    *,
    at_most_share: float | None = None,
    show_values: bool = False,
    progress: Progress = silent,
) -> "ContractReport":
    """Hold any table against a contract. Needs no workspace and no project.

    Parameters
    ----------
    data : path, pyarrow table, polars or pandas data frame
        Every row is looked at; a file is streamed.
    contract : path, mapping or Contract
        A contract file, a project (folder or sealwright.yaml), or the same as plain values.
    at_most_share : float, optional
        Largest share of rows that may break it, instead of what the contract says.
    show_values : bool
        Also report a few broken values, of columns with class public or internal only.

    Returns
    -------
    ContractReport
        `passed`, `breaches`, `to_json()`; `raise_for_breach()` stops a pipeline.

    Raises
    ------
    InvalidInput
        The data is no table, or the contract says something a contract cannot.
    """
    from sealwright.data.contracts import as_contract, check_contract

    wanted = as_contract(contract)
    return check_contract(data, wanted, at_most_share=at_most_share, show_values=show_values, progress=progress)


def assess(
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
    settings: Mapping[str, Any] | None = None,
    policy: str = "limited",
    title: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    workers: int | None = None,
    progress: Progress = silent,
) -> "Assessment":
    """Judge any model on any rows, without a workspace: how good, fair, robust and explainable, and how sure that is.

    Parameters
    ----------
    model : object
        An estimator with predict_proba or predict, a torch module, a function of the rows that returns probabilities or
        values, the path of an ONNX file, or its bytes.
    rows : array of shape (n, features), data frame, pa.Table, or mapping of columns
        Rows the model did not learn from, as it takes them. Also: a list, array or series of n texts
        (documents), or an array of n images, shape (n, h, w), (n, h, w, c) or (n, c, h, w), uint8 or floats from 0 to 1.
    truth : sequence of n outcomes
    groups : optional
        Names of columns of `rows`, or a data frame, mapping or series beside them that the model is not given.
    learned_from : (rows, truth), optional
        What the model was trained on. Without it, checks that compare with it are not performed.
    task, positive, classes : optional
        Where the model and the truth do not say it: binary, multiclass or regression; the outcome that ranks; the outcomes
        in the order of the model's answers.
    layout : str, optional
        Images: nhw, nhwc or nchw, where the shape leaves it open.
    settings : mapping, optional
        As the `assurance:` section of a project file, e.g. {"suites": ["fairness"], "budget": {"rows": 20_000}}.
    policy : str
        The risk class whose limits the findings are held against: minimal, limited or high.
    engine : str
        Where the checks of an ONNX file are carried out: auto, local, processes, ray or ray://HOST:PORT. Every other model
        is code, and is asked in this process only.
    workers : int, optional
        How many; left out: one for each core.

    Returns
    -------
    Assessment
        `find(check)`, `value(check)`, `limits()`, `require(policy)`, `html()`, `save(path)`, `junit()`, `to_json()`.

    Raises
    ------
    InvalidInput
        Rows, truth, groups, settings or model cannot be read, or do not fit together.
    UnusablePredictions
        What the model answers is no prediction.
    """
    return judged_anywhere(
        model,
        rows,
        truth,
        groups=groups,
        learned_from=learned_from,
        task=task,
        positive=positive,
        classes=classes,
        layout=layout,
        settings=settings,
        policy=policy,
        title=title,
        seed=seed,
        progress=progress,
        spread=spread_of(engine, workers),
    )


def judged_anywhere(
    model: Any, rows: Any, truth: Any, *, policy: str, title: str | None, spread: "Spread | None", **asked: Any
) -> "Assessment":
    """As `assess`, for a caller that has chosen where the checks are carried out."""
    from sealwright.assurance import judge
    from sealwright.doors.asked import risk_class_named
    from sealwright.doors.assessment import Assessment

    risk_class_named(policy)  # before minutes of work, not after
    results = judge(model, rows, truth, spread=spread, **asked)
    name = title or (Path(model).name if isinstance(model, (str, Path)) else type(model).__name__)
    return Assessment(
        title=name,
        results=tuple(results),
        policy=policy,
        explainer=partial(
            explain,
            model,
            learned_from=asked.get("learned_from") or (rows, truth),
            fixed=_names(asked.get("groups"), len(truth)),
            **{name: asked[name] for name in _ALSO_EXPLAINED if name in asked},
        ),
    )


def explain(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any] | None = None,
    fixed: Sequence[str] = (),
    wanted: Any = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    layout: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> "Explanations[Any]":
    """Explain single answers of any model: the columns of a row, the words of a document, the regions of an image.

    A row of a table: contributions that add up, the cheapest change, the nearest prototype, a local line. A document: which
    words speak for the answer and which against it. An image: which regions do. Each with a measure of how far it holds.

    Parameters
    ----------
    model : object
        As for `assess`.
    rows : one of them or several
        A mapping of column to value, a series, a text, one image, or whatever `assess` takes as rows; at most 1,000.
    learned_from : (rows, truth), optional
        Best what the model was trained on. Tables need it: rows that stand for an unknown value, show what occurs, and give the
        prototypes. Images need it: their mean covers a region. Documents only where nothing else names the outcomes.
        For images and documents the truth may be None where the model or `classes` names the outcomes.
    fixed : sequence of str
        Tables: columns nobody can change, such as an age. More is said under `constraints` in the settings.
    wanted : optional
        Tables: the outcome a change is to lead to; left out: the favourable one, else the positive class. Documents and
        images: the outcome that words and regions speak for or against; left out: the one decided.
    task, positive, classes, layout : optional
        As for `assess`.

    Returns
    -------
    Explanations
        A sequence; a notebook shows it, `text()` and `to_json()` give the rest. It is personal data, and filed nowhere.

    Raises
    ------
    InvalidInput
        The rows do not have the columns, size or kind learned from, something needed was not given, or no explanation adds
        up to the answers of a table's model.
    """
    from sealwright.assurance import explain_given
    from sealwright.doors.explanations import Explanations

    found: Sequence[Any] = explain_given(
        model,
        rows,
        learned_from=learned_from,
        fixed=fixed,
        wanted=wanted,
        task=task,
        positive=positive,
        classes=classes,
        layout=layout,
        settings=settings,
        seed=seed,
    )
    return Explanations(found)


def _names(groups: Any, rows: int) -> list[str]:
    """Groups that are named columns of the rows; others stand beside them, and the model is not given those."""
    if isinstance(groups, str):
        return [groups]
    named = isinstance(groups, Sequence) and all(isinstance(one, str) for one in groups)
    return list(groups) if named and len(groups) != rows else []
