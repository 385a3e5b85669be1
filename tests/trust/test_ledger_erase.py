"""A record can be taken out of the ledger for good, and everything that was signed still holds."""

import base64
from pathlib import Path

import pytest

from sealwright.kernel import InvalidInput, NotFound, VerificationFailed
from sealwright.trust import (
    ED25519,
    Entry,
    Ledger,
    LocalSigner,
    erase_attachments,
    release_attachments,
    verify_ledger,
    verify_proof,
)
from sealwright.trust.signers import new_secret

ORIGIN = "example.com/ws/erase"
SECRET = b"the record of one person " * 20


@pytest.fixture
def signer() -> LocalSigner:
    return LocalSigner(ED25519, new_secret(ED25519))


@pytest.fixture
def folder(tmp_path: Path, signer: LocalSigner) -> Path:
    place = tmp_path / "ledger"
    with Ledger.open(place, origin=ORIGIN, signer=signer, create=True) as ledger:
        for n in range(6):
            ledger.append("decision", f"d{n}", {"n": n}, attachment=SECRET + bytes([n]) if n % 2 else None)
    return place


def test_t56_the_record_is_gone_and_the_ledger_still_verifies(folder: Path, signer: LocalSigner) -> None:
    size = (folder / "entries.log").stat().st_size
    with Ledger.open(folder, origin=ORIGIN, signer=None, keys=[signer.public()]) as ledger:
        proof = ledger.proof(3)
        leaf = ledger.entry(3).leaf
    assert erase_attachments(folder, {3}) == 1
    assert erase_attachments(folder, {3}) == 0, "already gone"
    text = (folder / "entries.log").read_bytes()
    assert base64.b64encode(SECRET + b"\x03") not in text
    assert base64.b64encode(SECRET + b"\x05") in text, "only that one"
    assert len(text) == size
    report = verify_ledger(folder, [signer.public()], ORIGIN)
    assert any("1 erased" in line for line in (*report.checked, *report.not_checked))
    assert verify_proof(leaf, proof, [signer.public()], ORIGIN) == 3
    with Ledger.open(folder, origin=ORIGIN, signer=None, keys=[signer.public()]) as ledger:
        assert [entry.attachment is None for entry in ledger.entries()] == [True, False, True, True, True, False]


def test_a_writer_goes_on_while_a_record_is_erased(folder: Path, signer: LocalSigner) -> None:
    with Ledger.open(folder, origin=ORIGIN, signer=signer) as ledger:
        ledger.append("decision", "before", {}, attachment=SECRET)
        erase_attachments(folder, {1, 6})
        ledger.append("decision", "after", {}, attachment=SECRET)
    assert verify_ledger(folder, [signer.public()], ORIGIN).size == 8


@pytest.mark.parametrize(("index", "reason"), [(0, "nothing attached"), (17, "no entry 17")])
def test_what_is_not_there_is_said_and_nothing_else_is_touched(folder: Path, index: int, reason: str) -> None:
    before = (folder / "entries.log").read_bytes()
    with pytest.raises(NotFound, match=reason):
        erase_attachments(folder, {1, index})
    assert (folder / "entries.log").read_bytes() == before


def test_records_that_were_moved_say_where_and_everything_signed_still_holds(folder: Path, signer: LocalSigner) -> None:
    erase_attachments(folder, {1})
    assert release_attachments(folder, 0, 4, "2026-03-02T06") == 1, "what was erased stays erased, what is later stays"
    assert release_attachments(folder, 0, 4, "2026-03-02T06") == 0
    assert erase_attachments(folder, {3}) == 0, "there is nothing left here to erase"
    text = (folder / "entries.log").read_bytes()
    assert base64.b64encode(SECRET + b"\x03") not in text
    assert base64.b64encode(SECRET + b"\x05") in text
    report = verify_ledger(folder, [signer.public()], ORIGIN)
    assert any("2 erased attachments, or moved" in line for line in report.not_checked)
    with Ledger.open(folder, origin=ORIGIN, signer=signer) as ledger:
        assert [entry.moved_to for entry in ledger.entries()] == ["", "", "", "2026-03-02T06", "", ""]
        assert ledger.append("decision", "after", {}, attachment=SECRET).index == 6


@pytest.mark.parametrize("where", ["", "a b", "a.b", "../up", "x" * 65, "é"])
def test_a_place_that_no_verifier_reads_is_refused(folder: Path, where: str) -> None:
    before = (folder / "entries.log").read_bytes()
    with pytest.raises(InvalidInput, match="name of a place"):
        release_attachments(folder, 0, 4, where)
    assert (folder / "entries.log").read_bytes() == before


@pytest.mark.parametrize("tail", [b"moved:", b"moved:a b..", b"moved:a.b.", b"moved:abc..\0", b"erased..x"])
def test_t56_what_only_looks_like_a_moved_record_is_a_change(folder: Path, signer: LocalSigner, tail: bytes) -> None:
    path = folder / "entries.log"
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3].partition(b"\t")[0] + b"\t" + tail
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(VerificationFailed, match="Entry 3"):
        verify_ledger(folder, [signer.public()], ORIGIN)


@pytest.mark.parametrize("size", [900, 950, 1000, 1050, 1100, 1150, 1200, 1250])
def test_records_that_are_moved_while_somebody_reads_are_no_change(
    tmp_path: Path, signer: LocalSigner, size: int
) -> None:
    """Whatever line is half read when that happens."""
    place = tmp_path / "long"
    with Ledger.open(place, origin=ORIGIN, signer=signer, create=True) as ledger:
        ledger.append_many([Entry(action="decision", subject="", detail={}, attachment=bytes(size))] * 1500)
    with Ledger.open(place, origin=ORIGIN, signer=None, keys=[signer.public()]) as reader:
        entries = reader.entries()
        next(entries)
        release_attachments(place, 0, 1500, "2026-11-27T06")
        *_, last = entries
        assert (last.index, last.moved_to) == (1499, "2026-11-27T06")
