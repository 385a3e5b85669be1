"""Print what differential privacy costs: the area under the ROC curve by epsilon, as docs/explanation/privacy-leakage.md shows it.

Two sets: German credit (750 rows to learn, 250 to judge) and made-up rows (20,000 and 10,000). Takes minutes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sklearn.metrics import roc_auc_score

from sealwright.training.adapters.estimators import fit
from sealwright.training.adapters.private.training import fit_private
from sealwright.training.packing import pack, read_shape, target_of
from sealwright.training.privacy_spec import PRIVATE_RECIPES, PrivacySpec
from sealwright.training.recipes import parameters_of

_GERMAN = Path(__file__).parents[1] / "examples" / "german-credit" / "german_credit.csv"
_EPSILONS = (0.5, 1.0, 3.0, 8.0)
_MANY = 10_000  # rows; a network takes too long on more
_REPEATS = {"network": 3}


def main() -> None:
    """Print both tables."""
    for title, (table, interface, learn) in {"German credit": _german(), "made-up": _made_up()}.items():
        print(title)
        shape = read_shape(interface)
        order = np.random.default_rng(7).permutation(table.num_rows)
        parts = [table.take(pa.array(rows)) for rows in (order[:learn], order[learn:])]
        rows, target = pack(parts[0], shape), target_of(parts[0], shape)
        fresh, truth = pack(parts[1], shape), target_of(parts[1], shape)

        def area(predict: Callable[[Any], Any], fresh: Any = fresh, truth: Any = truth) -> float:
            return float(roc_auc_score(truth, predict(fresh)[:, 1]))

        for recipe in ("logistic", "forest", "boosting"):
            defaults = {one.name: one.default for one in parameters_of(recipe, "binary", rows.rows)}
            model = fit(recipe, "binary", rows, target, classes=2, parameters=defaults, seed=1)
            print(f"  {recipe} without privacy: {area(model.predict):.3f}")
        for recipe in PRIVATE_RECIPES:
            if recipe == "network" and rows.rows > _MANY:
                continue
            said = []
            for epsilon in _EPSILONS:
                found = [
                    area(
                        fit_private(
                            recipe,
                            "binary",
                            rows,
                            target,
                            classes=2,
                            declared=interface,
                            privacy=PrivacySpec(epsilon=epsilon),
                            parameters={},
                            noise=np.random.default_rng(seed),
                            seed=seed,
                        ).predict
                    )
                    for seed in range(_REPEATS.get(recipe, 20))
                ]
                said.append(f"{np.mean(found):.3f} ± {np.std(found):.3f}")
            print(f"  {recipe}: " + " | ".join(said), flush=True)


def _german() -> tuple[pa.Table, dict[str, Any], int]:
    table = pyarrow.csv.read_csv(_GERMAN).drop_columns(["applicant_id", "sex"])
    names = [name for name in table.column_names if name != "outcome"]
    whole = [name for name in names if pa.types.is_integer(table.schema.field(name).type)]
    numbers = []
    for name in whole:
        values = table.column(name).to_numpy()
        numbers.append(_number(name, float(values.min()), float(values.max())))
    strings = [
        {"name": name, "nullable": False, "categories": sorted(set(table.column(name).to_pylist()))}
        for name in names
        if name not in whole
    ]
    return table, _interface(numbers, strings, ["bad", "good"]), 750


def _made_up() -> tuple[pa.Table, dict[str, Any], int]:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (30_000, 8))
    words = rng.choice(["a", "b", "c", "d"], 30_000)
    score = 2 * x[:, 0] - 1.5 * x[:, 1] + 2 * x[:, 2] * x[:, 3] + np.where(words == "a", 1.0, 0.0)
    truth = np.where(rng.random(30_000) < 1 / (1 + np.exp(-score)), "yes", "no")
    columns = {f"x{place}": x[:, place] for place in range(8)} | {"word": words, "outcome": truth}
    numbers = [_number(f"x{place}", -1.0, 1.0) for place in range(8)]
    strings = [{"name": "word", "nullable": False, "categories": ["a", "b", "c", "d"]}]
    return pa.table(columns), _interface(numbers, strings, ["no", "yes"]), 20_000


def _number(name: str, least: float, most: float) -> dict[str, Any]:
    return {"name": name, "type": "number", "nullable": False, "min": least, "max": most}


def _interface(numbers: list[Any], strings: list[Any], classes: list[str]) -> dict[str, Any]:
    return {
        "format": 1,
        "task": "binary",
        "target": "outcome",
        "classes": classes,
        "positive": classes[1],
        "numbers": numbers,
        "strings": strings,
    }


if __name__ == "__main__":
    main()
