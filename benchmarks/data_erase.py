"""Erasing one person of 100,000 from a million rows, and what a key for each person costs.

    python benchmarks/data_erase.py [--rows 1000000] [--persons 100000]

Orders of customers, about ten each; two columns are personal, one is special. The same table is taken in without and with
`data.subject`, so that the cost of sealing each person's cells is seen, and read back. Then one person is looked up, put on
the list and their key destroyed: from there nothing of them is readable (promised: within 5 s). Rewriting what is
retained follows. Last, the whole for another person.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.pipeline import create_workspace, load_project
from sealwright.pipeline import ingest as take_in
from sealwright.pipeline.data_consent import suppressions_of
from sealwright.pipeline.person_erasure import erase_person, take_out
from sealwright.pipeline.person_search import find_person
from sealwright.pipeline.snapshots import SnapshotIndex, opened, subject_keys_of
from sealwright.trust import InsecurePassphraseForTests, Secret, raw_pseudonym

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))

PROJECT = """
format: 1
project: shop
charter: {purpose: Estimate returns to plan staff., owner: Head of shop, risk_class: minimal}
data:
  source: orders.parquet
  target: sent_back
  SUBJECT
  columns:
    customer: {type: text, class: personal, role: identifier}
    name: {type: text, class: personal, role: identifier}
    age: {type: integer, class: personal}
    health: {type: category, categories: [good, fair, poor], class: special, role: sensitive}
    price: {type: number}
    items: {type: integer}
    sent_back: {type: boolean}
  positive: "true"
"""


def table(rows: int, persons: int) -> Any:
    """Orders of customers, each with ten or so."""
    draw = np.random.default_rng(7)
    who = draw.integers(0, persons, rows)
    return pa.table(
        {
            "customer": pa.array([f"c{n:06}" for n in who]),
            "name": pa.array([f"Customer Number {n}" for n in who]),
            "age": pa.array(18 + who % 70, pa.int64()),
            "health": pa.array(np.array(["good", "fair", "poor"])[who % 3]),
            "price": pa.array(draw.gamma(2, 20, rows)),
            "items": pa.array(draw.integers(1, 9, rows), pa.int64()),
            "sent_back": pa.array(draw.random(rows) < 0.2),
        }
    )


def timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return round(time.perf_counter() - start, 2), result


def measure(rows: int, persons: int) -> dict[str, Any]:
    found: dict[str, Any] = {"rows": rows, "persons": persons}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "shop").mkdir()
        pq.write_table(table(rows, persons), home / "shop" / "orders.parquet")
        for name, subject in (("plain", ""), ("sealed", "subject: customer")):
            text = PROJECT.replace("SUBJECT", subject).replace("project: shop", f"project: shop-{name}")
            (home / "shop" / "sealwright.yaml").write_text(text)
            project = load_project(home / "shop")
            with create_workspace(home / name, name="Shop", unlock=UNLOCK) as workspace:
                found[f"ingest {name} s"], taken = timed(lambda w=workspace, p=project: take_in(w, p, by="bench"))
                digest, names = taken.snapshot.digest, project.name
                for what, columns in (("all columns", None), ("unsealed columns", ["price", "items", "sent_back"])):
                    found[f"read {name}, {what} s"], _ = timed(
                        lambda w=workspace, d=digest, n=names, c=columns: opened(w, d, n, by="b", purpose="b").read(c)
                    )
                if subject:
                    found |= _erase(workspace, names)
    return found


def _erase(workspace: Any, project: str) -> dict[str, Any]:
    """The parts of `erase_person`, timed one by one, and then the whole for another person."""
    person = "c000123"
    found: dict[str, Any] = {}
    found["find s"], who = timed(lambda: find_person(workspace, project, person, by="b", purpose="b"))
    found["suppress and destroy the key s"], _ = timed(
        lambda: (
            suppressions_of(workspace).suppress(project, who.subject, "erased", by="b"),
            subject_keys_of(workspace, project).destroy(raw_pseudonym(who.subject)),
        )
    )
    found["unreadable after s"] = round(found["find s"] + found["suppress and destroy the key s"], 2)
    found["rewriting s"], _ = timed(lambda: take_out(workspace, who, person, by="b", why="benchmark"))
    found["the whole for another s"], _ = timed(lambda: erase_person(workspace, project, "c000456", by="b"))
    assert len(SnapshotIndex(workspace.db).of_project(project)) == 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = measure(options.rows, options.persons)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name.removesuffix(' s'):40}{value:>12,}{' s' if name.endswith(' s') else ''}")
    return 0 if found["unreadable after s"] <= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
