"""A ledger whose beginning is packed is the same ledger: byte for byte, for whoever reads, proves, verifies or appends."""

import errno
import gzip
import importlib.util
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sealwright.kernel import VerificationFailed
from sealwright.trust import (
    Entry,
    Ledger,
    LedgerUnavailable,
    LocalSigner,
    erase_attachments,
    pack_entries,
    read_entries,
    release_attachments,
    verify_ledger,
    verify_proof,
    wait_for_checkpoint,
)
from sealwright.trust import ledger_packed as packed
from sealwright.trust import ledger_packing as packing

ORIGIN = "example.org/ws_1/packed"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
KEYS = [SIGNER.public()]
COUNT, RELEASED = 400, 300
RECORD = 1500  # bytes; a decision of the demonstration has about as many
VERIFIER = Path(__file__).parents[2] / "src/sealwright/oversight/auditor/sealwright_verify.py"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 entries with records; those of the first 300 were moved into the file of an hour."""
    folder, rng = tmp_path_factory.mktemp("stocked") / "ledger", random.Random(7)
    with Ledger.open(folder, origin=ORIGIN, signer=SIGNER, create=True) as ledger:
        for start in range(0, COUNT, 50):
            ledger.append_many([
                Entry(action="decision", subject=f"s{n}", detail={"n": n}, attachment=rng.randbytes(RECORD))
                for n in range(start, start + 50)
            ])  # fmt: skip
    release_attachments(folder, 0, RELEASED, "2026-11-27T06")
    return folder


@pytest.fixture
def folder(tmp_path: Path, stocked: Path) -> Path:
    shutil.copytree(stocked, tmp_path / "ledger")
    return tmp_path / "ledger"


def on_disk(folder: Path) -> int:
    """Bytes that the entries take on the disk, wherever they are."""
    places = [folder / "entries.log", *(folder / "packed").glob("*.gz")]
    return sum(path.stat().st_blocks * 512 for path in places)


def told(folder: Path) -> Any:
    """All that a reader and both ways of verifying say of a ledger."""
    with Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as ledger:
        proofs = [ledger.proof(n) for n in (0, 17, RELEASED, ledger.size - 1)]
        entries, one = list(ledger.entries()), ledger.entry(17)
        assert entries[17] == one
        assert list(ledger.entries(250)) == entries[250:]
        for proof, n in zip(proofs, (0, 17, RELEASED, ledger.size - 1), strict=True):
            assert verify_proof(entries[n].leaf, proof, KEYS, ORIGIN) == n
    reports = [verify_ledger(folder, KEYS, ORIGIN, workers=workers) for workers in (False, True)]
    assert reports[0] == reports[1]
    return entries, proofs, reports[0]


def test_the_disk_gets_its_room_back_and_the_ledger_says_what_it_said(folder: Path) -> None:
    before, used, whole = told(folder), on_disk(folder), (folder / "entries.log").read_bytes()
    done = pack_entries(folder, RELEASED, least=1)
    assert done.possible
    assert 0.7 * len(whole) < done.packed < len(whole)
    assert on_disk(folder) < 0.4 * used
    assert done.takes < 0.12 * done.packed
    assert (folder / "entries.log").stat().st_size == len(whole)
    assert (folder / "entries.log").read_bytes().startswith(b"\0" * 4096)
    assert read_entries(folder / "entries.log", 1 << 30) == whole
    assert told(folder) == before
    shutil.rmtree(folder / "cache")
    assert told(folder) == before


def test_any_gzip_reads_what_was_packed(folder: Path) -> None:
    whole = (folder / "entries.log").read_bytes()
    pack_entries(folder, 100, least=1)
    pack_entries(folder, RELEASED, least=1)
    files = sorted((folder / "packed").glob("*.gz"))
    assert len(files) == 2
    early = b"".join(gzip.decompress(path.read_bytes()) for path in files)
    assert whole.startswith(early)


def test_a_writer_and_a_reader_that_were_there_before_go_on(folder: Path) -> None:
    with (
        Ledger.open(folder, origin=ORIGIN, signer=SIGNER) as writer,
        Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as reader,
    ):
        reading = reader.entries()
        first = [next(reading) for _ in range(5)]
        pack_entries(folder, RELEASED, least=1)
        writer.append("decision", "after", {})
        assert len(first) + len(list(reading)) == COUNT
        assert writer.entry(3) == first[3]
        assert [one.index for one in writer.entries(299)] == [299, *range(300, COUNT + 1)]
        writer.proof(0)
    with Ledger.open(folder, origin=ORIGIN, signer=SIGNER) as again:  # and whoever opens it after that
        assert again.append("decision", "later", {}).index == COUNT + 1
    assert told(folder)[2].size == COUNT + 2


def test_a_reader_whose_next_bytes_became_a_hole_reads_on_in_the_packed_file(folder: Path) -> None:
    entries = folder / "entries.log"
    whole = entries.read_bytes()
    with packed.open_entries(entries, buffer=4096) as stream:
        early = stream.read(10_000)
        pack_entries(folder, 100, least=1)
        early += stream.read(50_000)
        pack_entries(folder, RELEASED, least=1)
        assert early + stream.read() == whole


def test_what_still_has_something_attached_is_not_packed(folder: Path) -> None:
    done = pack_entries(folder, COUNT, least=1)
    assert done == pack_entries(folder, RELEASED, least=1)
    assert erase_attachments(folder, {RELEASED + 5}) == 1
    assert erase_attachments(folder, {5}) == 0, "it was moved, and is not here"
    with Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as ledger:
        kept = [entry.index for entry in ledger.entries() if entry.attachment is not None]
    assert kept == [n for n in range(RELEASED, COUNT) if n != RELEASED + 5]
    release_attachments(folder, RELEASED, COUNT, "2026-11-27T07")
    whole = pack_entries(folder, COUNT, least=1)
    assert whole.packed == (folder / "entries.log").stat().st_size
    assert wait_for_checkpoint(folder, origin=ORIGIN, keys=KEYS, seconds=0), "its end is found in the packed files"
    assert told(folder)[2].size == COUNT


@pytest.mark.parametrize("at", ["keep", "can_punch", "punch", "fsync_folder"])
def test_a_power_cut_at_any_step_leaves_the_ledger_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    class PowerCut(BaseException):
        pass

    before = told(folder)
    place: Any = {"keep": packed.PackedWriter, "fsync_folder": packed}.get(at, packing)
    for late in (False, True):
        with monkeypatch.context() as patch:
            real = getattr(place, at)

            def cut(*known: Any, late: bool = late, real: Any = real) -> Any:
                if late:
                    real(*known)
                raise PowerCut

            patch.setattr(place, at, cut)
            with pytest.raises(PowerCut):
                pack_entries(folder, RELEASED if late else 100, least=1)
        assert told(folder) == before
    used = on_disk(folder)
    assert pack_entries(folder, RELEASED, least=1).packed
    assert on_disk(folder) <= used
    assert told(folder) == before


def test_killed_at_any_moment_it_is_the_same_ledger(folder: Path) -> None:
    before, rng = told(folder)[0], random.Random(11)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("packing_child.py"), folder, "1"], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 60)):
            child.stdout.readline()
        child.kill()
        child.wait()
        child.stdout.close()
        with Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as ledger:
            assert list(ledger.entries()) == before


@pytest.mark.parametrize("what", ["missing", "cut", "flipped", "one in the middle missing", "a bomb"])
def test_a_packed_file_that_is_damaged_is_found(folder: Path, what: str) -> None:
    pack_entries(folder, 100, least=1)
    pack_entries(folder, 200, least=1)
    pack_entries(folder, RELEASED, least=1)
    first, middle, _ = sorted((folder / "packed").glob("*.gz"))
    data = bytearray(first.read_bytes())
    if what == "missing":
        shutil.rmtree(folder / "packed")
    elif what == "one in the middle missing":
        middle.unlink()
    elif what == "cut":
        first.write_bytes(data[:-1])
    elif what == "a bomb":
        first.write_bytes(packed._compressed(bytes(packed._BLOCK)) * 2)
    else:
        data[len(data) // 2] ^= 1
        first.write_bytes(data)
    with pytest.raises(VerificationFailed):
        verify_ledger(folder, KEYS, ORIGIN)
    with pytest.raises(VerificationFailed), Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as ledger:
        list(ledger.entries())


def test_a_disk_that_cannot_give_room_back_keeps_the_ledger_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (folder / "entries.log").read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    with monkeypatch.context() as patch:
        patch.setattr(packed, "punch", refuse)
        assert not pack_entries(folder, RELEASED, least=1).possible
    assert (folder / "entries.log").read_bytes() == whole
    assert not (folder / "packed").exists()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(packed.PackedWriter, "keep", full)
        with pytest.raises(LedgerUnavailable, match="No space left"):
            pack_entries(folder, RELEASED, least=1)
    assert told(folder)[2].size == COUNT


def test_the_verifier_of_auditors_reads_it_too(folder: Path) -> None:
    pack_entries(folder, RELEASED, least=1)
    auditor = _auditor()
    whole = auditor.whole_entries(folder, (folder / "entries.log").read_bytes())
    assert whole == read_entries(folder / "entries.log", 1 << 30)


def _auditor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sealwright_verify_packed", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sealwright_verify_packed"] = module
    spec.loader.exec_module(module)
    return module
