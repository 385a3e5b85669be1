"""`sealwright init … && sealwright run …`, unchanged, on tables nobody here prepared: a registered version comes out.

The tables are real ones that scikit-learn carries, written the way such files reach people: semicolons, umlauts,
spaces and quotes in names, missing cells, booleans, dates, an identifier.
"""

import csv
import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import datasets

from whole_way import Home

pytestmark = pytest.mark.slow


def tumours(folder: Path) -> tuple[Path, str]:
    """Breast cancer Wisconsin: a German export with semicolons, a byte order mark, and names that bite."""
    data = datasets.load_breast_cancer()
    draw = random.Random(7)
    names = [f"{name.title()} (µm²)" for name in data.feature_names]
    names[3:9] = ["  spaced  name", 'Ωmega; "quoted"', "line", "a.b", "null", "=cmd()"]
    path = folder / "Krebs Daten.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        write = csv.writer(stream, delimiter=";").writerow
        write(["Patient Nr", *names, "Raucher?", "geprüft", "Aufnahme am", "Befund"])
        for place, (values, kind) in enumerate(zip(data.data, data.target, strict=True)):
            cells = [f"{value:.5g}" for value in values]
            if place % 17 == 0:
                cells[2] = ""
            day = dt.date(2020, 1, 1) + dt.timedelta(days=draw.randrange(900))
            write(
                [
                    f"P{place:05d}",
                    *cells,
                    draw.choice(["ja", "nein", ""]),
                    draw.choice(["true", "false"]),
                    day.isoformat(),
                    "gutartig" if kind else "bösartig",
                ]
            )
    return path, "Befund"


def wines(folder: Path) -> tuple[Path, str]:
    """Wine recognition: three classes written as numbers, 178 rows."""
    data = datasets.load_wine()
    path = folder / "wine.csv"
    with path.open("w", newline="") as stream:
        write = csv.writer(stream).writerow
        write([*(name.replace("_", " ") for name in data.feature_names), "cultivar"])
        for values, kind in zip(data.data, data.target, strict=True):
            write([*values, int(kind) + 1])
    return path, "cultivar"


def progression(folder: Path) -> tuple[Path, str]:
    """Diabetes progression: a number to predict, from Parquet with dates, nulls and a sensitive column."""
    data = datasets.load_diabetes(scaled=False)
    columns: dict[str, list[object]] = {
        name: [float(value) for value in data.data[:, place]] for place, name in enumerate(data.feature_names)
    }
    columns["sex"] = ["F" if value == 1 else "M" for value in columns["sex"]]
    columns["bmi"] = [None if place % 20 == 0 else value for place, value in enumerate(columns["bmi"])]
    columns["seen on"] = [dt.date(2021, 1, 1) + dt.timedelta(days=day) for day in range(len(data.target))]
    columns["Progression nach 1 Jahr"] = [float(value) for value in data.target]
    path = folder / "diabetes.parquet"
    pq.write_table(pa.table(columns), path)
    return path, "Progression nach 1 Jahr"


def flights(folder: Path) -> tuple[Path, str]:
    """Delays as an airport keeps them: one row a flight, many carriers, a late hour that matters, some cells empty."""
    draw = random.Random(11)
    carriers = {code: draw.uniform(-6, 10) for code in ("LH", "AF", "BA", "U2", "FR", "KL", "LX", "OS")}
    path = folder / "flights.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream, quoting=csv.QUOTE_ALL).writerow
        write(["flight no", "carrier", "day", "sched. hour", "distance/km", "rain", "delay minutes"])
        for number in range(600):
            carrier, hour, rain = draw.choice(list(carriers)), draw.randrange(5, 24), draw.random() < 0.3
            delay = carriers[carrier] + 1.8 * (hour - 5) + (12 if rain else 0) + draw.gauss(0, 6)
            day = dt.date(2023, 3, 1) + dt.timedelta(days=draw.randrange(200))
            distance = "" if draw.random() < 0.05 else str(draw.randrange(200, 2500))
            write([f"{carrier}{number:04d}", carrier, day, hour, distance, "yes" if rain else "no", f"{delay:.1f}"])
    return path, "delay minutes"


@pytest.mark.parametrize(
    ("table", "task"),
    [(tumours, "binary"), (wines, "multiclass"), (progression, "regression"), (flights, "regression")],
)
def test_init_and_run_make_a_version(
    table: Callable[[Path], tuple[Path, str]], task: str, empty_home: Home, tmp_path: Path
) -> None:
    path, target = table(tmp_path)
    begun = empty_home.do("init", "project", "--data", path, "--target", target, "--json").json
    assert begun["task"] == task
    run = empty_home.do("run", "project")
    assert "Sealed and registered as version 1" in run.out
    (version,) = empty_home.inside("versions", "project", "--json").json
    assert version["number"] == 1
    again = empty_home.inside("run", "project", "--json").json
    assert (again["version"], again["ingest"]["again"], again["train"]["again"]) == (1, True, True)
    found = empty_home.inside("verify", empty_home.package, "--json").json
    assert found["facts"]["risk class"] == "minimal"
    empty_home.inside("verify", "ws/ledger")
