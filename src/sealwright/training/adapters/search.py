"""Looking for parameters with Optuna (TPE), the same trials for the same seed.

Answers: which setting scored best in cross-validation, and what was tried?
Does not answer: how good the winner is; it was chosen for its score, so that score flatters it. `built_in` measures
it again on other folds.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna

from sealwright.training.adapters.scores import higher_is_better
from sealwright.training.recipes import Parameter, Value

__all__ = ["Trial", "search"]

Trial = dict[str, Any]
_UNJUDGED = 5  # trials that always run on every fold
Judge = Callable[[dict[str, Value], int], float]
"""Score of a setting on one fold, by number."""


def search(
    parameters: Sequence[Parameter],
    fixed: dict[str, Value],
    judge: Judge,
    *,
    folds: int,
    metric: str,
    trials: int,
    seconds: float,
    seed: int,
    progress: Callable[[str, float], None],
) -> tuple[dict[str, Value], list[Trial], list[str]]:
    """Try settings; the first is the recipe's default, so a search never ends below it.

    A trial that does worse on its first folds than half of those before it is broken off ("pruned").

    Returns
    -------
    tuple
        The best parameters, every trial in order, and notes (a search cut short by its time says so).
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    up = higher_is_better(metric)
    study = optuna.create_study(
        direction="maximize" if up else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(3, trials // 3))),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNJUDGED, n_warmup_steps=1),
    )
    looked = [parameter for parameter in parameters if parameter.name not in fixed and parameter.search is not None]
    constant = {parameter.name: parameter.default for parameter in parameters if parameter not in looked} | fixed
    if looked:
        study.enqueue_trial({parameter.name: parameter.default for parameter in looked})
    began, done, notes = time.monotonic(), [], []
    best: tuple[float, dict[str, Value]] | None = None
    for number in range(trials if looked else 1):
        trial = study.ask()
        setting = constant | {parameter.name: _suggest(trial, parameter) for parameter in looked}
        scores: list[float] = []
        state = "complete"
        for fold in range(folds):
            scores.append(judge(setting, fold))
            trial.report(float(np.mean(scores)), fold)
            late = number > 0 and time.monotonic() - began > seconds
            if late or (fold + 1 < folds and trial.should_prune()):
                state = "out of time" if late and fold + 1 < folds else "pruned" if fold + 1 < folds else state
                break
        score = float(np.mean(scores))
        done.append(_record(number, setting, scores, state))
        if state == "complete":
            study.tell(trial, score)
            if best is None or (score > best[0] if up else score < best[0]):
                best = (score, setting)
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        shown = f"{best[0]:.4f}" if best else "none yet"
        progress(f"search: trial {number + 1} of {trials}, best {metric} {shown}", (number + 1) / trials)
        if time.monotonic() - began > seconds and number + 1 < trials:
            notes.append(
                f"the search stopped after {number + 1} of {trials} trials because its {seconds:g} seconds were over;"
                " a faster or a slower machine may find other parameters"
            )
            break
    if not looked:
        notes.append("every parameter is fixed, so there was nothing to search")
    return (best[1] if best else constant), done, notes


def _record(number: int, setting: dict[str, Value], scores: Sequence[float], state: str) -> Trial:
    return {
        "number": number,
        "parameters": setting,
        "score": float(np.mean(scores)),
        "sd": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        "folds": len(scores),
        "state": state,
    }


def _suggest(trial: Any, parameter: Parameter) -> Value:
    low, high = parameter.search or (0.0, 0.0)
    if parameter.whole:
        return int(trial.suggest_int(parameter.name, round(low), round(high), log=parameter.log))
    return float(trial.suggest_float(parameter.name, low, high, log=parameter.log))
