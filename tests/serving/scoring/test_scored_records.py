"""A scored row is on record as a served decision: found, proved, erased and kept by the same verbs, and offline by anybody."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acting import operator, person
from sealwright import oversight
from sealwright.kernel import FixedClock, NotFound, SealwrightError, VerificationFailed
from sealwright.pipeline import (
    SoughtDecisions,
    end_old_decisions,
    enrol,
    find_decision,
    find_decisions,
    proof_of_decision,
    receipt_of_row,
    seal_decisions,
    verify_bytes,
    verify_path,
)
from sealwright.pipeline.data_consent import name_in
from sealwright.pipeline.decision_check import check_hours
from sealwright.pipeline.decision_erasure import erase_decisions
from sealwright.pipeline.decision_hours import FILE, hours_of
from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.ledger_reading import ledger_named
from sealwright.serving import decision_ledger_folder, decision_origin
from sealwright.trust import InsecurePassphraseForTests, Ledger, LedgerEntry, Secret, verify_ledger

PROJECT, CHANNEL = "german-credit", "live.scored"
BY = operator()
VERIFIER = Path(oversight.__file__).parent / "auditor" / "sealwright_verify.py"


@pytest.fixture
def scored(bank: Any, tables: Any) -> Any:
    """Thirty rows in three batches, one refused, each about somebody."""
    bank.score(tables.csv(bank.folder / "in.csv", tables.rows(30, wrong=[12])), person="id", keys=["id"], batch_rows=10)
    return bank


def found(bank: Any) -> list[int]:
    return [json.loads(record.answer)["row"] for _, _, record in decision_records(bank.workspace, PROJECT)]


def erase(bank: Any, *persons: str) -> int:
    names = {name_in(bank.workspace, PROJECT, one) for one in persons}
    theirs = [
        (where.index, record.decision)
        for _, where, record in decision_records(bank.workspace, PROJECT)
        if record.person in names
    ]
    return erase_decisions(bank.workspace, PROJECT, CHANNEL, theirs, by="dora")


def test_rows_are_listed_shown_and_found_by_person_as_decisions_are(scored: Any) -> None:
    unlock = InsecurePassphraseForTests(Secret("correct horse battery staple"))
    enrol(scored.workspace, "dora", ["compliance_officer"], unlock, by=BY)
    dora = person("dora", "compliance_officer")

    def list_(**sought: Any) -> list[Any]:
        return list(
            find_decisions(scored.workspace, PROJECT, SoughtDecisions(**sought), by=dora, reason="a weekly look")
        )

    assert len(list_()) == 30
    (one,) = list_(person="p5")
    line = scored.lines()[4]
    assert (one.channel, one.record.decision, one.label) == (CHANNEL, line["decision"], line["label"])
    assert one.score == line["probabilities"][line["label"]]
    assert json.loads(one.record.request) == {
        name: cell for name, cell in json.loads(one.to_json()["request"]).items() if name != "id"
    }
    assert json.loads(one.record.request)["opened"] == "2020-02-29"
    shown = find_decision(scored.workspace, PROJECT, line["decision"], by=dora, reason="a complaint").to_json()
    assert json.loads(shown["answer"]) == line
    proved = proof_of_decision(scored.workspace, PROJECT, one)
    assert "the request given is the one that was answered" in proved.report.checked
    (refused,) = list_(person="p12")
    assert (refused.label, json.loads(refused.record.request)["age"]) == (None, 500)


def test_finished_hours_are_sealed_checked_and_ended_with_the_rows_in_them(scored: Any) -> None:
    scored.clock.advance(timedelta(hours=1))
    before = list(decision_records(scored.workspace, PROJECT))
    (hour,) = seal_decisions(scored.workspace, PROJECT, by=BY)
    assert (hour.rows, hour.channel) == (30, CHANNEL)
    assert list(decision_records(scored.workspace, PROJECT)) == before
    assert check_hours(scored.workspace, PROJECT, CHANNEL, by=BY).decisions == 30
    assert receipt_of_row(scored.workspace, PROJECT, scored.folder / "out.jsonl", 3, by=BY)
    keys = scored.workspace.trust_root.keys_of("decision-checkpoints")
    assert any(
        "3 erased attachments, or moved" in one for one in verify_ledger(scored.place / "ledger", keys).not_checked
    )
    scored.clock.advance(timedelta(days=40))
    assert len(end_old_decisions(scored.workspace, PROJECT, 30, by=BY).ended) == 1
    assert found(scored) == []
    assert check_hours(scored.workspace, PROJECT, CHANNEL, by=BY).disposed == 1
    with pytest.raises(NotFound, match="disposed of"):
        receipt_of_row(scored.workspace, PROJECT, scored.folder / "out.jsonl", 3, by=BY)


@pytest.mark.parametrize("sealed", [False, True])
def test_one_person_is_erased_and_everybody_else_is_proved_as_before(scored: Any, sealed: bool) -> None:
    out = scored.folder / "out.jsonl"
    before = {row: receipt_of_row(scored.workspace, PROJECT, out, row, by=BY) for row in (1, 4, 6, 15)}
    if sealed:
        scored.clock.advance(timedelta(hours=1))
        seal_decisions(scored.workspace, PROJECT, by=BY)
    assert erase(scored, "p5", "p30") == 2
    assert erase(scored, "p5") == 0
    assert found(scored) == [row for row in range(1, 31) if row not in (5, 30)]
    for row, receipt in before.items():
        again = receipt_of_row(scored.workspace, PROJECT, out, row, by=BY)
        assert json.loads(again) | {"proof": ""} == json.loads(receipt) | {"proof": ""}
        assert verify_bytes(again, scored.workspace.trust_root, now=scored.clock()).facts["answer"]
    with pytest.raises(NotFound, match="_4 was erased"):
        receipt_of_row(scored.workspace, PROJECT, out, 5, by=BY)
    checked = check_hours(scored.workspace, PROJECT, CHANNEL, by=BY)
    assert (checked.decisions, checked.erased) == (30, 2)
    stored = b"".join(path.read_bytes() for path in scored.place.rglob("*") if path.is_file())
    assert b'"p5"' not in stored


def test_a_file_of_an_hour_with_other_rows_than_the_batch_had_is_found(scored: Any) -> None:
    """Whoever holds the workspace can sign; the root was signed before them."""
    from dataclasses import replace

    from sealwright.pipeline.decision_hour_rows import rows_of
    from sealwright.pipeline.decision_hour_writing import Decided, write_hour

    scored.clock.advance(timedelta(hours=1))
    seal_decisions(scored.workspace, PROJECT, by=BY)
    (hour,) = hours_of(scored.workspace, PROJECT, CHANNEL)
    rows = [
        Decided(one.index, one.at, one.decision, one.package, one.record, one.leaf)
        for one in rows_of(scored.workspace, hour)
    ]
    rows[3] = replace(rows[3], record=None, leaf=b"\0" * 32)  # as if it had been erased, with another hash in its place
    write_hour(scored.workspace, hour.folder.parent, replace(hour, generation=2), rows)
    with pytest.raises(VerificationFailed, match="something else for entry"):
        check_hours(scored.workspace, PROJECT, CHANNEL, by=BY)


# ---- receipts


def auditor(folder: Path, receipt: bytes, trust: bytes) -> subprocess.CompletedProcess[str]:
    (folder / "receipt.json").write_bytes(receipt)
    (folder / "trust.json").write_bytes(trust)
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(folder / "receipt.json"), "--trust", str(folder / "trust.json")],
        cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_receipt_of_a_row_verifies_offline_by_both_verifiers(scored: Any, tmp_path: Path) -> None:
    receipt = receipt_of_row(scored.workspace, PROJECT, scored.folder / "out.jsonl", 17, by=BY)
    root = scored.workspace.trust_root
    request = next(
        record.request for _, _, record in decision_records(scored.workspace, PROJECT) if b'"row":17,' in record.answer
    )
    told = verify_bytes(receipt, root, now=scored.clock(), request=request)
    assert json.loads(told.facts["answer"]) == scored.lines()[16]
    assert "the row is in the batch of that entry, at the place its id names" in told.checked
    assert "the request given is the one that was answered" in told.checked
    said = auditor(tmp_path, receipt, root.to_bytes())
    assert said.returncode == 0, said.stdout
    with pytest.raises(VerificationFailed):
        verify_bytes(receipt, root, now=scored.clock(), request=request + b" ")


def _swap(name: str) -> Callable[[dict[str, str], dict[str, str]], dict[str, str]]:
    return lambda one, other: one | {name: other[name]}


TAMPERED: dict[str, Callable[[dict[str, str], dict[str, str]], dict[str, str]]] = {
    "another answer": lambda one, _: one | {"answer": one["answer"].replace('"row":3', '"row":4')},
    "another salt": _swap("salt"),
    "the row of another batch": _swap("row"),
    "row and path of another batch": lambda one, other: one | {name: other[name] for name in ("row", "path")},
    "everything but the entry of another batch": lambda one, other: (
        other | {name: one[name] for name in ("entry", "proof")}
    ),
    "another place in its batch": lambda one, _: one | {"path": one["path"].replace("index 2", "index 3")},
    "a shorter path": lambda one, _: one | {"path": one["path"].rsplit("\n", 3)[0] + "\n\n"},
    "something behind the path": lambda one, _: one | {"path": one["path"] + "more"},
    "the id of another row": _swap("decision"),
    "a row spelled otherwise": lambda one, _: one | {"row": one["row"].replace('":"', '": "', 1)},
    "no path": lambda one, _: {name: text for name, text in one.items() if name != "path"},
    "as if it had an entry of its own": lambda one, _: {
        name: text for name, text in one.items() if name not in ("path", "row")
    },
}


def test_a_receipt_that_was_changed_is_refused_by_both_verifiers(scored: Any, tmp_path: Path) -> None:
    out, root = scored.folder / "out.jsonl", scored.workspace.trust_root
    one, other = (
        json.loads(receipt_of_row(scored.workspace, PROJECT, out, row, by=BY)) for row in (3, 13)
    )  # the same place in two batches
    verify_bytes(json.dumps(one).encode(), root, now=scored.clock())
    (tmp_path / "trust.json").write_bytes(root.to_bytes())
    accepted = []
    for name, change in TAMPERED.items():
        changed = json.dumps(change(one, other)).encode()
        assert changed != json.dumps(one).encode(), name
        with pytest.raises(SealwrightError):
            accepted.append((name, verify_bytes(changed, root, now=scored.clock())))
        (tmp_path / f"{name}.json").write_bytes(changed)
    driver = (
        "import contextlib, io, runpy, sys\n"
        "module = runpy.run_path(sys.argv[1], run_name='verifier')\n"
        "for what in sys.argv[3:]:\n"
        "    with contextlib.redirect_stdout(io.StringIO()): code = module['main']([what, '--trust', sys.argv[2]])\n"
        "    print(code)\n"
    )
    files = [str(tmp_path / f"{name}.json") for name in TAMPERED]
    said = subprocess.run(
        [sys.executable, "-I", "-c", driver, str(VERIFIER), str(tmp_path / "trust.json"), *files],
        env={}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert said.stdout.split() == ["4"] * len(TAMPERED)
    assert not accepted


def test_a_receipt_is_given_only_for_a_row_that_says_what_was_recorded(bank: Any, tables: Any) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(4))
    for kind in ("jsonl", "csv", "parquet", "arrow"):
        out = bank.folder / f"out.{kind}"
        bank.score(source, out.name, keys=["id"])
        assert receipt_of_row(bank.workspace, PROJECT, out, 2, by=BY)
        for row in (0, 5):
            with pytest.raises(NotFound, match="has no row"):
                receipt_of_row(bank.workspace, PROJECT, out, row, by=BY)
        if kind in ("jsonl", "csv"):
            out.write_bytes(out.read_bytes().replace(b"p2", b"p9"))
            with pytest.raises(VerificationFailed, match="says something else than was recorded"):
                receipt_of_row(bank.workspace, PROJECT, out, 2, by=BY)


def test_a_receipt_is_made_without_reading_what_came_before_its_row_or_what_servers_recorded(
    bank: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(4))
    hours = []
    for name in ("old", "sealed", "new"):
        hours.append(bank.clock().isoformat()[:13])
        bank.score(source, f"{name}.jsonl")
        bank.clock.advance(timedelta(hours=1))
    bank.clock.advance(timedelta(hours=-1))  # the newest hour is not over
    assert len(seal_decisions(bank.workspace, PROJECT, by=BY)) == 2
    (hours_of(bank.workspace, PROJECT, CHANNEL)[0].folder / FILE).unlink()
    served = decision_ledger_folder(bank.workspace.home, PROJECT, "live")
    origin, signer = decision_origin(bank.workspace.id, PROJECT, "live"), bank.workspace.keyring.signer
    with Ledger.open(served, origin=origin, signer=signer("decision-checkpoints"), create=True) as ledger:
        ledger.append("serving.release_taken", "of a server", {})

    real, read = Ledger.entries, []

    def watched(self: Ledger, start: int = 0) -> Iterator[LedgerEntry]:
        for entry in real(self, start):
            read.append(entry)
            yield entry

    def hours_read(name: str) -> list[str]:
        read.clear()
        assert receipt_of_row(bank.workspace, PROJECT, bank.folder / f"{name}.jsonl", 3, by=BY)
        return sorted({entry.at[:13] for entry in read})

    monkeypatch.setattr(Ledger, "entries", watched)
    monkeypatch.setattr("sealwright.pipeline.scoring_receipts._AT_ONCE", 1)
    assert hours_read("new") == hours[2:]
    assert hours_read("sealed") == hours[1:]
    assert "of a server" not in {entry.subject for entry in read}
    with pytest.raises(VerificationFailed, match="missing"):
        hours_read("old")


def test_the_ledger_of_scored_files_is_one_of_the_workspace_and_verifies(scored: Any) -> None:
    root = scored.workspace.trust_root
    place = ledger_named(scored.house.home, root, f"{PROJECT}/{CHANNEL}")
    assert place.folder == scored.place / "ledger"
    assert verify_path(place.folder, root, now=scored.clock()).facts["entries"] == 6


# ---- what a version holds back


@pytest.fixture
def cautious(new_house: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    """A bank whose version clips, abstains, tells two digits, and has a rule between two columns."""
    import msgspec
    from scoring_bank import as_bank  # type: ignore[import-not-found]
    from serving_house import credit_interface, credit_model  # type: ignore[import-not-found]

    from sealwright.kernel import canonical_json, digest_of
    from sealwright.serving.checking.document import AnsweringDocument, Output

    clock = FixedClock(datetime.now(UTC))
    house = new_house(released=False, clock=clock)
    interface = credit_interface()
    then = [{"column": "amount", "sign": "<=", "value": 15_000}]
    interface["rules"] = [{"name": "small", "when": [{"column": "c3", "sign": "==", "value": "a14"}], "then": then}]
    model = credit_model(interface)
    document = AnsweringDocument(
        format=1, model=digest_of(model), mode="clip", output=Output(digits=2), below={"good": 0.55, "bad": 0.55},
        threshold=None, ambiguous=False, above_ood=None, tell_ood=False, coverage=0.9, calibrate=None, usual=None,
        calibration=None, conformal=None,
    )  # fmt: skip
    house.answering = canonical_json(msgspec.to_builtins(document))
    house.release(model, interface)
    made = as_bank(house, clock, tmp_path)
    yield made
    made.workspace.close()


def test_what_a_version_clips_holds_back_and_abstains_from_is_so_for_files(cautious: Any, tables: Any) -> None:
    rows = tables.rows(4)
    rows[0] |= {"age": 500, "amount": 1000.0}
    rows[1] |= {"age": 60, "amount": 1000.0}  # in the middle: the model is not sure
    rows[2] |= {"age": 30, "amount": 16_000.0, "c3": "a14"}
    rows[3] |= {"age": 25, "amount": 1000.0}
    done = cautious.score(tables.csv(cautious.folder / "in.csv", rows))
    cautious.score(cautious.folder / "in.csv", "out.parquet")
    clipped, unsure, broken, plain = cautious.lines()
    assert clipped["marks"][0]["feature"] == "age"
    assert (unsure["abstained"]["codes"], "label" in unsure) == (["confidence_low"], False)
    assert broken["refused"][0]["code"] == "rule_broken"
    assert set(plain["probabilities"].values()) <= {at / 100 for at in range(101)}
    assert (done.answered, done.abstained, done.refused) == (2, 1, 1)
    kept = [json.loads(record.kept) if record.kept else None for _, _, record in
            decision_records(cautious.workspace, PROJECT)][:4]  # fmt: skip
    assert kept[2] is None
    assert kept[3] is not None
    assert round(kept[3]["probabilities"][0][0], 2) == plain["probabilities"]["good"] != kept[3]["probabilities"][0][0]
    assert kept[1] is not None
    assert kept[1]["labels"] != [""]
