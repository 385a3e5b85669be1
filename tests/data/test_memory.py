"""Memory does not grow with the data."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.csv
from sealwright.data import DataSpec, ingest, open_source
from sealwright.trust import InsecurePassphraseForTests, Secret, create_keyring

home, rows = Path(sys.argv[1]), int(sys.argv[2])
numbers = {f"n{place}": {"type": "number"} for place in range(12)}
codes = {f"k{place}": {"type": "category", "categories": ["alpha", "beta"], "class": "special"} for place in range(4)}
others = {"i": {"type": "integer"}, "d": {"type": "date"}, "t": {"type": "text", "role": "identifier"}, "y": {"type": "boolean"}}
spec = DataSpec.model_validate({"source": "data.csv", "target": "y", "positive": "true", "columns": {**numbers, **codes, **others}})
random = np.random.default_rng(7)
with (home / "data.csv").open("wb") as sink:
    writer = None
    for start in range(0, rows, 50_000):
        ids = np.arange(start, start + 50_000)
        part = {name: np.round(random.normal(size=50_000), 6) for name in numbers}
        part |= {name: np.array(["alpha", "beta"])[random.integers(0, 2, 50_000)] for name in codes}
        part |= {"i": ids, "d": np.datetime64("2015-01-02") + ids % 3000, "t": pa.array(ids).cast("string"), "y": ids % 2 == 0}
        table = pa.table(part)
        writer = writer or pyarrow.csv.CSVWriter(sink, table.schema)
        writer.write_table(table)
    writer.close()
del part, table, writer
keyring = create_keyring(home / "keys", "ws_memory", InsecurePassphraseForTests(Secret("correct horse battery staple")))
pa.default_memory_pool().release_unused()

def memory(what):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(what)) // 1024

Path("/proc/self/clear_refs").write_text("5")  # forget the highest mark so far
before = memory("VmRSS")
snapshot = ingest(open_source("data.csv", home), spec, snapshots=home / "snapshots", keyring=keyring)
assert snapshot.rows == rows
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
def test_a_million_rows_of_twenty_columns_take_600_megabytes_at_most_and_a_quarter_of_them_about_the_same(
    tmp_path: Path, run_child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    grown = {}
    for rows in (250_000, 1_000_000):
        (home := tmp_path / str(rows)).mkdir()
        ended = run_child(PROGRAM, home, str(rows))
        assert ended.returncode == 0, ended.stderr
        grown[rows] = int(ended.stdout)
    assert 20 < grown[1_000_000] <= 600, grown
    assert grown[1_000_000] <= grown[250_000] + 200, grown
