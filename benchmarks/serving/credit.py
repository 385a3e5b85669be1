"""The rows and the two models of this benchmark: the same bits wherever they are made.

Answers: what is served? Every server's environment trains these pipelines itself, from these rows and this seed, so
no model file of one program is read by another.
Does not answer: how good the model is; the rows are invented.

    python credit.py FOLDER boosting|logistic     (keeps the pipeline in FOLDER/pipeline.joblib)
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "CATEGORIES", "CLASSES", "KINDS", "NAMES", "NUMBERS", "STRINGS", "TRAINING_ROWS", "WHOLE", "columns_of",
    "kept", "pipeline", "rows",
]  # fmt: skip

KINDS = ("boosting", "logistic")
CLASSES = ("good", "bad")
ROWS, TRAINING_ROWS, SEED = 10_000, 8_000, 20261127
CATEGORIES = {
    "checking": ("below 0", "0 to 200", "above 200", "none"),
    "history": ("clean", "paid", "delayed", "critical", "other bank"),
    "purpose": ("car", "furniture", "radio", "education", "business", "repairs", "vacation", "other"),
    "savings": ("below 100", "100 to 500", "500 to 1000", "above 1000", "unknown"),
    "housing": ("own", "rent", "free"),
    "job": ("unskilled", "skilled", "manager", "none"),
    "property": ("land", "insurance", "car", "none"),
    "channel": ("branch", "web", "phone", "partner", "mail", "app"),
}
# Name: smallest, largest, step. Steps are powers of two, so that float32 holds every value exactly.
NUMBERS = {
    "age": (18, 90, 1), "amount": (250, 20_000, 0.25), "months": (4, 72, 1), "rate": (1, 4, 0.125),
    "income": (500, 12_000, 0.25), "residence": (0, 40, 1), "credits": (1, 6, 1), "dependants": (0, 5, 1),
    "balance": (-2_000, 9_000, 0.25), "utilisation": (0, 1, 2**-10), "inquiries": (0, 12, 1), "tenure": (0, 35, 0.5),
}  # fmt: skip
WHOLE = frozenset(name for name, (_low, _high, step) in NUMBERS.items() if step == 1)
STRINGS = tuple(CATEGORIES)
NAMES = (*NUMBERS, *STRINGS)


def rows() -> tuple[dict[str, Any], Any]:
    """All columns by name, and the target: 1 for "bad". The first TRAINING_ROWS are trained on."""
    chance = np.random.default_rng(SEED)
    columns: dict[str, Any] = {}
    for name, (low, high, step) in NUMBERS.items():
        steps = chance.integers(0, int((high - low) / step) + 1, ROWS)
        columns[name] = (low + steps * step).astype(float)
    for name, words in CATEGORIES.items():
        columns[name] = np.array(words, dtype=object)[chance.integers(0, len(words), ROWS)]
    score = (
        columns["amount"] / 8_000
        - columns["income"] / 6_000
        + columns["utilisation"] * 1.5
        + columns["inquiries"] / 8
        - columns["age"] / 60
        + (columns["checking"] == "below 0") * 0.9
        + (columns["history"] == "critical") * 0.8
        - (columns["housing"] == "own") * 0.5
    )
    target = (score + chance.logistic(0, 0.8, ROWS) > np.median(score)).astype(int)
    return columns, target


def columns_of(columns: dict[str, Any], first: int, count: int) -> list[dict[str, Any]]:
    """Some rows as JSON has them: whole numbers, numbers and texts by name."""
    part = {name: columns[name][first : first + count] for name in NAMES}
    part = {name: (part[name].astype(int) if name in WHOLE else part[name]).tolist() for name in NAMES}
    return [dict(zip(part, values, strict=True)) for values in zip(*part.values(), strict=True)]


def pipeline(kind: str) -> Any:
    """The fitted scikit-learn pipeline over a pandas frame. Numbers come first in its matrix.

    Trees get their numbers unscaled: rounding in a scaler would move rows across splits in float32.
    """
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns, target = rows()
    words = [list(CATEGORIES[name]) for name in STRINGS]
    encoder = OneHotEncoder(categories=words, handle_unknown="ignore", sparse_output=False)
    numbers = "passthrough" if kind == "boosting" else StandardScaler()
    first = ColumnTransformer([("numbers", numbers, list(NUMBERS)), ("strings", encoder, list(STRINGS))])
    estimator = (
        HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=SEED)
        if kind == "boosting"
        else LogisticRegression(max_iter=2_000)
    )
    frame = pd.DataFrame(columns, columns=list(NAMES))
    return make_pipeline(first, estimator).fit(frame[:TRAINING_ROWS], target[:TRAINING_ROWS])


def kept(folder: Path) -> Any:
    """The pipeline that this environment trained and keeps in `folder`."""
    import joblib  # noqa: TID251 (how peers keep a model; the product never reads one)

    return joblib.load(folder / "pipeline.joblib")


def main() -> None:
    import joblib  # noqa: TID251 (as above)

    folder, kind = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline(kind), folder / "pipeline.joblib")


if __name__ == "__main__":
    main()
