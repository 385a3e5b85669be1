"""The examination of a table: its profile, and every check one after the other.

Answers: is this data good enough to learn from, and if not, what is wrong with it where?
Does not answer: may it be used. The policy decides on evidence; this informs people.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.checks import (
    balance,
    categories,
    constants,
    contract,
    duplicates,
    label_errors,
    leaking,
    missing,
    near_duplicates,
    odd_rows,
    outliers,
    overlap,
    placeholders,
    texts,
)
from sealwright.data.quality.frame import Frame, frame_of
from sealwright.data.quality.matrix import alone
from sealwright.data.quality.model import CheckRun, Fault, QualityReport, in_order
from sealwright.data.quality.profile import profile_of
from sealwright.data.quality_spec import QualitySpec
from sealwright.data.spec import DataSpec
from sealwright.kernel import InvalidInput, Progress, silent

__all__ = ["examine"]

_CHECKS: tuple[Check, ...] = (
    contract.CHECK,
    missing.CHECK,
    duplicates.CHECK,
    near_duplicates.CHECK,
    outliers.CHECK,
    odd_rows.CHECK,
    categories.CHECK,
    texts.NUMBERS,
    placeholders.CHECK,
    texts.DATES,
    constants.CHECK,
    leaking.CHECK,
    label_errors.CHECK,
    balance.CHECK,
    overlap.CHECK,
)
_PROFILE_SHARE = 0.2


def examine(
    tables: Any,
    spec: DataSpec | Mapping[str, ColumnSpec],
    *,
    settings: QualitySpec | None = None,
    seed: int = 0,
    test_rows: NDArray[np.bool_] | None = None,
    numbers: NDArray[np.int64] | None = None,
    outside: Sequence[Fault] = (),
    progress: Progress = silent,
) -> QualityReport:
    """Profile a table and look for everything that is wrong with it.

    Parameters
    ----------
    tables : pa.Table, pa.RecordBatch, or an iterable of them
        Typed as the contract says, as `Snapshot.parts()` gives them. Held in memory.
    spec : DataSpec, or mapping of column name to ColumnSpec
        The contract. Without a target, checks that need one are not performed and say so.
    settings : QualitySpec, optional
        Thresholds; left out: those of the contract (`data.quality`), else the defaults.
    seed : int
        Which rows are drawn where a check fits a model. The same table, settings and seed give the same report.
    test_rows : bool array, shape (rows,), optional
        True for rows kept apart to test; without it, overlap is not performed.
    numbers : int array, shape (rows,), optional
        1-based number of each row in its source; left out: 1, 2, 3, …
    outside : sequence of Fault, optional
        What the contract set aside before (`read_for_examination` gives it).

    Returns
    -------
    QualityReport
        Holds no cell of a column that is personal, special, an identifier or text.

    Raises
    ------
    InvalidInput
        A column of the contract is missing, there is no row, or a mask has another length.
    """
    frame = frame_of(tables, spec, numbers=numbers)
    if not frame.rows:
        raise InvalidInput("There is no row to examine.")
    if test_rows is not None and len(test_rows) != frame.rows:
        raise InvalidInput(f"The mask of test rows has {len(test_rows):,} entries for {frame.rows:,} rows.")
    chosen = settings or _settings_of(spec)
    import sklearn.ensemble  # noqa: F401 - its OpenMP must be loaded, or the limit does not reach it

    with (
        np.errstate(all="ignore"),
        threadpool_limits(1),
    ):  # threads that wait for each other cost more than they bring where others work, too
        return _examined(frame, chosen, seed, test_rows, outside, progress)


def _examined(
    frame: Frame,
    chosen: QualitySpec,
    seed: int,
    test_rows: NDArray[np.bool_] | None,
    outside: Sequence[Fault],
    progress: Progress,
) -> QualityReport:
    profile = profile_of(frame, progress=lambda line, share: progress(line, share * _PROFILE_SHARE))
    found: dict[str, Checked] = {}
    with ThreadPoolExecutor(2, initializer=alone) as threads:
        begun = {
            threads.submit(_performed, check, frame, chosen, seed, test_rows, outside): check
            for check in sorted(_CHECKS, key=lambda one: one.name != "label_errors")  # the longest first
        }
        for done in as_completed(begun):
            found[begun[done].name] = done.result()
            share = _PROFILE_SHARE + (1 - _PROFILE_SHARE) * len(found) / len(_CHECKS)
            progress(f"checked {begun[done].name.replace('_', ' ')}", share)
    return QualityReport(
        rows=frame.rows,
        profile=profile,
        faults=in_order([fault for check in _CHECKS for fault in found[check.name].faults]),
        checks=tuple(_said(check, found[check.name], frame.rows) for check in _CHECKS),
    )


def _performed(
    check: Check,
    frame: Frame,
    settings: QualitySpec,
    seed: int,
    test_rows: NDArray[np.bool_] | None,
    outside: Sequence[Fault],
) -> Checked:
    if check.name in settings.skip:
        return Checked(why_not="left out by data.quality.skip", rows=0)
    rng = np.random.default_rng([seed, *check.name.encode()])  # a check draws the same whichever others run
    with np.errstate(all="ignore"):
        return check.run(Asked(frame=frame, settings=settings, rng=rng, test_rows=test_rows, outside=outside))


def _said(check: Check, found: Checked, rows: int) -> CheckRun:
    looked_at = rows if found.rows is None else min(found.rows, rows)
    return CheckRun(
        check=f"quality.{check.name}",
        rows=looked_at,
        sampled=looked_at < rows and not found.why_not,
        not_performed=found.why_not,
        note=found.note,
    )


def _settings_of(spec: Any) -> QualitySpec:
    return (spec.quality if isinstance(spec, DataSpec) else None) or QualitySpec()
