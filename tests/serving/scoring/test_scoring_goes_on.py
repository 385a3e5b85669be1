"""A scoring that was cut off goes on where it was: every row once in the output, once on record, and never two things mixed."""

import json
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from acting import operator
from sealwright.data import SourceUnreadable, SqlSource
from sealwright.kernel import Conflict, OperationFailed, SealwrightError
from sealwright.pipeline import SourceChanged, VersionChanged, receipt_of_row, score, scoring
from sealwright.pipeline import scoring_run as running
from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.scoring_job import JobFile
from sealwright.pipeline.scoring_output import Lines
from sealwright.serving import ScoringPlace
from sealwright.trust import LedgerUnavailable, verify_ledger

PROJECT = "german-credit"


class PowerCut(BaseException):
    """The process is gone."""


def on_record(bank: Any) -> list[dict[str, Any]]:
    return [json.loads(record.answer) for _, _, record in decision_records(bank.workspace, PROJECT)]


def holds(bank: Any, count: int) -> None:
    """Every row once in the output and once on record, as the same; and the ledger is whole."""
    lines = bank.lines()
    assert [one["row"] for one in lines] == list(range(1, count + 1))
    assert on_record(bank) == lines
    verify_ledger(bank.place / "ledger", bank.workspace.trust_root.keys_of("decision-checkpoints"))
    assert sorted(path.name for path in bank.folder.glob("out.jsonl*")) == ["out.jsonl"]


STEPS = (
    (ScoringPlace, "record"),
    (Lines, "append"),
    (JobFile, "write"),
    (scoring, "finish_output"),
    (JobFile, "remove"),
)


def test_a_cut_at_any_step_loses_nothing_and_answers_nothing_twice(
    bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes before a step, or right after it: of the second batch, or at the end."""
    source, recorded = tables.csv(bank.folder / "in.csv", tables.rows(30, wrong=[11])), 0
    for owner, name in STEPS:
        for late in (False, True):
            out, real, calls = f"{name}-{late}.jsonl", getattr(owner, name), []

            def cut(
                *known: Any, real: Any = real, calls: Any = calls, late: bool = late, name: str = name, **more: Any
            ) -> Any:
                calls.append(name)
                if len(calls) == (1 if name in ("finish_output", "remove") else 2):
                    if late:
                        real(*known, **more)
                    raise PowerCut
                return real(*known, **more)

            with monkeypatch.context() as patch:
                patch.setattr(owner, name, cut)
                with pytest.raises(PowerCut):
                    bank.score(source, out, batch_rows=10)
            if (name, late) != ("remove", True):  # nothing was left to do
                done = bank.score(source, out, batch_rows=10)
                assert (done.rows, done.refused, done.batches) == (30, 1, 3)
            lines = bank.lines(out)
            assert [one["row"] for one in lines] == list(range(1, 31)), out
            assert on_record(bank)[recorded:] == lines, out
            recorded += 30
            assert [path.name for path in bank.folder.glob(f"{out}*")] == [out]


_CHILD = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from acting import operator
from sealwright.pipeline import open_workspace, score
from sealwright.trust import KeyFile
import pyarrow.csv, sealwright.data.sources.csv_file, sealwright.serving.scoring.place, sealwright.pipeline.scoring  # noqa

home, source, out, rng = Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), random.Random(5)

def attempt():
    with open_workspace(home, KeyFile(home / "key")) as workspace:
        os.write(ready_in, b"r")
        score(workspace, source, project="german-credit", out=out, by=operator(), batch_rows=25, keys=["id"])

killed = 0
for _ in range(7):
    ready_out, ready_in = os.pipe()
    pid = os.fork()
    if not pid:
        attempt()
        os._exit(0)
    os.read(ready_out, 1)
    time.sleep(rng.uniform(0.01, 0.12))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(ready_out), os.close(ready_in)
    if os.WIFSIGNALED(status):
        killed += 1
    else:
        break
if not out.exists():
    ready_out, ready_in = os.pipe()
    attempt()
print(killed)
"""


def test_kill_9_at_random_moments_loses_no_row_and_repeats_none(bank: Any, tables: Any) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(1500, wrong=range(100, 200)))
    home = bank.house.home
    bank.workspace.close()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(Path(__file__).parents[2]), str(home), str(source), str(bank.folder / "out.jsonl")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3, "too few attempts were killed to say anything"
    from sealwright.pipeline import open_workspace
    from sealwright.trust import KeyFile

    with open_workspace(home, KeyFile(home / "key")) as workspace:
        again = bank._replace(workspace=workspace)
        holds(again, 1500)
        assert receipt_of_row(workspace, PROJECT, bank.folder / "out.jsonl", 1222, by=operator())
        entries = [json.loads(line.partition(b"\t")[0]) for line in
                   (bank.place / "ledger" / "entries.log").read_bytes().split(b"\n")[:-1]]  # fmt: skip
    spans = [(one["detail"]["first"], one["detail"]["last"]) for one in entries if one["action"] == "decisions.scored"]
    assert [row for first, last in spans for row in range(first, last + 1)] == list(range(1, 1501))
    assert len({one["detail"]["job"] for one in entries if one["action"].startswith(("scoring.", "decisions."))}) == 1


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that takes no file beyond so many bytes."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_ends_it_with_a_word_and_it_goes_on_afterwards(bank: Any, tables: Any) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(600))
    with largest_file(40_000), pytest.raises((LedgerUnavailable, OperationFailed)) as refused:
        bank.score(source, batch_rows=50)
    assert "again" in str(refused.value) or "goes on" in str(refused.value)
    bank.workspace.close()
    from sealwright.pipeline import open_workspace
    from sealwright.trust import KeyFile

    home = bank.house.home
    with open_workspace(home, KeyFile(home / "key"), clock=bank.clock) as workspace:
        again = bank._replace(workspace=workspace)
        done = again.score(source, batch_rows=50)
        assert done.rows == 600
        holds(again, 600)


def test_a_full_disk_of_the_output_alone_is_told_and_what_is_on_record_is_used(
    bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(60))
    real = Lines.append

    def full(self: Any, lines: Any) -> int:
        if self.size:
            with largest_file(self.size + 100):
                return real(self, lines)
        return real(self, lines)

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "append", full)
        with pytest.raises(OperationFailed, match="the same command goes on"):
            bank.score(source, batch_rows=20)
    assert len(on_record(bank)) == 40
    assert bank.score(source, batch_rows=20).rows == 60
    holds(bank, 60)


def cut_short(bank: Any, source: Any, monkeypatch: pytest.MonkeyPatch, *, batches: int, **more: Any) -> None:
    """A scoring that ends after some batches."""
    real, calls = running.Run._record, []

    def cut(*known: Any) -> Any:
        calls.append(1)
        if len(calls) > batches:
            raise PowerCut
        return real(*known)

    with monkeypatch.context() as patch:
        patch.setattr(running.Run, "_record", cut)
        with pytest.raises(PowerCut):
            bank.score(source, **more)


def test_another_source_is_refused_and_nothing_is_mixed(
    bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tables.rows(30)
    source = tables.csv(bank.folder / "in.csv", rows)
    cut_short(bank, source, monkeypatch, batches=2, batch_rows=10)
    before = source.read_bytes()
    rows[25]["age"] = 99
    tables.csv(source, rows)
    with pytest.raises(SourceChanged, match="rows 1 to 20 were answered from another in"):
        bank.score(source, batch_rows=10)
    source.write_bytes(before.replace(b"amount", b"amounts", 1))
    with pytest.raises(SealwrightError):
        bank.score(source, batch_rows=10)
    source.write_bytes(before)
    with pytest.raises(Conflict, match="another keys"):
        bank.score(source, batch_rows=10, keys=["id"])
    assert bank.score(source, batch_rows=7).before == 20
    holds(bank, 30)


def test_another_version_is_refused_also_in_the_middle(bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(30))
    real, calls = running.Run._record, []

    def promoting(*known: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            bank.house.ledger = bank.workspace.ledger
            bank.workspace.registry.promote(PROJECT, 2, "live", "ada", "for the tests", 7)
        return real(*known)

    with monkeypatch.context() as patch:
        patch.setattr(running.Run, "_record", promoting)
        with pytest.raises(VersionChanged, match="Version 2 was put into service while version 1 answered"):
            bank.score(source, batch_rows=10)
    with pytest.raises(VersionChanged, match="rows 1 to 20 were answered by version 1; version 2 is in service now"):
        bank.score(source, batch_rows=10)
    done = bank.score(source, batch_rows=10, anew=True)
    assert (done.number, done.rows, done.before) == (2, 30, 0)
    assert [one["row"] for one in bank.lines()] == list(range(1, 31))
    assert len(on_record(bank)) == 50  # what version 1 answered stays on record


def test_the_same_version_promoted_again_goes_on(bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(20))
    cut_short(bank, source, monkeypatch, batches=1, batch_rows=10)
    bank.clock.advance(timedelta(days=8))
    with pytest.raises(SealwrightError, match="expired"):
        bank.score(source, batch_rows=10)
    bank.clock.advance(timedelta(days=-8))
    bank.workspace.registry.promote(PROJECT, 1, "live", "ada", "for the tests", 7)
    bank.score(source, batch_rows=10)
    holds(bank, 20)


class Asked(NamedTuple):
    """A query over a table of thirty rows, scored in batches of ten."""

    bank: Any
    more: dict[str, Any]
    rows: list[dict[str, Any]]

    def score(self, **more: Any) -> Any:
        bank = self.bank
        source = SqlSource(sql="SELECT * FROM applications ORDER BY place", url_env="BANK_DB")
        known: dict[str, Any] = {"project": PROJECT, "out": bank.folder / "out.jsonl", "by": operator()}
        return score(bank.workspace, source, **known, **self.more, **more)

    def fill(self) -> None:
        """The table as it was in the beginning."""
        with sqlite3.connect(self.bank.folder / "bank.db") as db:
            db.execute("DROP TABLE IF EXISTS applications")
            db.execute(f"CREATE TABLE applications (place, {', '.join(self.rows[0])})")
            db.executemany(
                f"INSERT INTO applications VALUES (?, {', '.join('?' * len(self.rows[0]))})",
                [[at, *row.values()] for at, row in enumerate(self.rows, 1)],
            )

    def change(self, statement: str) -> None:
        with sqlite3.connect(self.bank.folder / "bank.db") as db:
            assert db.execute(statement).rowcount

    def cut_at(self, monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
        """The power goes right before a step of the run."""
        real, calls = getattr(running.Run, name), []

        def cut(*known: Any) -> Any:
            calls.append(name)
            if len(calls) == call:
                raise PowerCut
            return real(*known)

        with monkeypatch.context() as patch:
            patch.setattr(running.Run, name, cut)
            with pytest.raises(PowerCut):
                self.score()

    def refused_up_to(self, row: int) -> None:
        before = on_record(self.bank)
        with pytest.raises(SourceChanged, match=f"gives other rows than before, up to row {row}, "):
            self.score()
        assert on_record(self.bank) == before


@pytest.fixture
def asked(bank: Any, tables: Any) -> Asked:
    more = {"batch_rows": 10, "environment": {"BANK_DB": f"sqlite:///{bank.folder / 'bank.db'}"}}
    made = Asked(bank, more, tables.rows(30))
    made.fill()
    return made


OTHER_AGE = "UPDATE applications SET age = CASE age WHEN 99 THEN 98 ELSE 99 END WHERE place = {}"


def test_a_query_goes_on_only_over_the_same_rows(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.cut_at(monkeypatch, "_record", 3)
    asked.change(OTHER_AGE.format(5))
    asked.refused_up_to(20)
    asked.fill()
    asked.more["batch_rows"] = 4
    assert asked.score().rows == 30
    holds(asked.bank, 30)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("change", ["deleted", "inserted", "changed"])
def test_what_is_on_record_and_not_noted_is_compared_with_what_a_query_gives_now(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, batch: int, change: str
) -> None:
    """The power goes between the record of a batch and the note of it."""
    asked.cut_at(monkeypatch, "_deliver", batch)
    assert asked.bank.recorded() == batch
    row, columns = 10 * batch - 4, ", ".join(asked.rows[0])
    changes = {
        "deleted": f"DELETE FROM applications WHERE place = {row}",
        "inserted": f"INSERT INTO applications SELECT {row} - 0.5, {columns} FROM applications WHERE place = 30",
        "changed": OTHER_AGE.format(row),
    }
    asked.change(changes[change])
    asked.refused_up_to(10 * batch)
    asked.fill()
    assert asked.score().before == 10 * batch
    holds(asked.bank, 30)


def test_after_many_cuts_every_row_that_a_query_gave_is_still_compared(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run takes one batch from the record, has one more on record, and is cut before the note of that."""
    asked.cut_at(monkeypatch, "_deliver", 1)
    asked.cut_at(monkeypatch, "_deliver", 2)
    asked.cut_at(monkeypatch, "_go_through", 1)
    for row in (3, 17):
        asked.change(OTHER_AGE.format(row))
        asked.more["batch_rows"] = 4  # pieces that do not end where batches did
        asked.refused_up_to(4 if row == 3 else 20)
        asked.fill()
    assert asked.score().rows == 30
    holds(asked.bank, 30)


def test_a_query_that_ends_before_the_rows_that_were_answered_is_refused(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.cut_at(monkeypatch, "_record", 3)
    asked.change("DELETE FROM applications WHERE place > 15")
    asked.refused_up_to(20)


def test_a_row_of_a_query_whose_record_was_erased_is_not_compared(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.pipeline.decision_erasure import erase_decisions

    asked.cut_at(monkeypatch, "_deliver", 2)
    asked.change(OTHER_AGE.format(15))
    (gone,) = (
        (where.index, record.decision)
        for _, where, record in decision_records(asked.bank.workspace, PROJECT)
        if json.loads(record.answer)["row"] == 15
    )
    erase_decisions(asked.bank.workspace, PROJECT, "live.scored", [gone], by="dora")
    asked.change(OTHER_AGE.format(16))
    asked.refused_up_to(20)
    asked.fill()
    asked.change(OTHER_AGE.format(15))
    assert asked.score().rows == 30
    lines = asked.bank.lines()
    assert [one["row"] for one in lines if one.get("refused")] == [15]
    assert [one["row"] for one in lines] == list(range(1, 31))


def test_a_cut_file_is_told_and_what_was_whole_of_it_stays(bank: Any, tables: Any) -> None:
    rows = tables.rows(12)
    for row in rows:
        row["note"] = "a, b"
    source = tables.csv(bank.folder / "in.csv", rows)
    source.write_bytes(source.read_bytes()[: -len('b"\r\n') - 1])
    with pytest.raises(SourceUnreadable, match="quote"):
        bank.score(source, batch_rows=5)
    assert not (bank.folder / "out.jsonl").exists()
    table = pq.read_table(_parquet(bank, tables))
    pq.write_table(table, bank.folder / "in.parquet")
    data = (bank.folder / "in.parquet").read_bytes()
    (bank.folder / "in.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceUnreadable, match="not a whole"):
        bank.score(bank.folder / "in.parquet", "other.jsonl")


def _parquet(bank: Any, tables: Any) -> Path:
    import pyarrow as pa

    path: Path = bank.folder / "in.parquet"
    pq.write_table(pa.Table.from_pylist(tables.rows(12)), path)
    return path


def test_two_at_once_on_one_channel_are_refused(bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(20))
    real = running.Run._record

    def second(*known: Any) -> Any:
        with pytest.raises(SealwrightError, match="Another process is writing"):
            bank.score(source, "second.jsonl")
        return real(*known)

    monkeypatch.setattr(running.Run, "_record", second)
    bank.score(source, batch_rows=10)
    holds(bank, 20)


def test_a_record_erased_before_its_answer_was_noted_is_told_as_erased(
    bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.pipeline.decision_erasure import erase_decisions

    rows = tables.rows(10)
    rows[-1]["id"] = "x" * 300  # what is told instead is shorter
    source, real = tables.csv(bank.folder / "in.csv", rows), Lines.append

    def written_and_gone(*known: Any) -> int:
        real(*known)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "append", written_and_gone)
        with pytest.raises(PowerCut):
            bank.score(source, keys=["id"])
    *_, (where, record) = ((where, one) for _, where, one in decision_records(bank.workspace, PROJECT))
    erase_decisions(bank.workspace, PROJECT, "live.scored", [(where.index, record.decision)], by="dora")
    bank.score(source, keys=["id"])
    lines = bank.lines()
    assert lines[-1]["refused"][0]["code"] == "record.erased"
    assert [one["row"] for one in lines] == list(range(1, 11))


def test_memory_does_not_grow_with_the_file(bank: Any, tables: Any) -> None:
    """What one batch needs is let go of before the next: the second thousand rows need no more than the first."""
    import tracemalloc

    small = tables.csv(bank.folder / "small.csv", tables.rows(400))
    large = tables.csv(bank.folder / "large.csv", tables.rows(2400))
    bank.score(small, "warm.csv", batch_rows=100)
    peaks = []
    for at, source in enumerate((small, large)):
        tracemalloc.start()
        bank.score(source, f"out-{at}.csv", batch_rows=100)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2 * large.stat().st_size / 6
