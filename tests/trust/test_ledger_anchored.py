"""T-57: whoever has the ledger and its signing key can rewrite it so that it looks whole. An anchor shows each way of it.

Both verifiers are asked: ours, and the one file that auditors get. Neither sees anything but files and public keys.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from sealwright.kernel import FixedClock, VerificationFailed, from_rfc3339
from sealwright.trust import (
    Entry,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LocalSigner,
    Secret,
    WitnessKey,
    create_keyring,
    verify_ledger,
    with_cosignatures,
)
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.witness.cosignature import Cosigner

ORIGIN = "sealwright/ws_test/ledger"
START = datetime(2026, 11, 26, 9, tzinfo=UTC)
SIZE = 12
VERIFIER = Path(__file__).parents[2] / "src/sealwright/oversight/auditor/sealwright_verify.py"
THIEF: dict[str, LocalSigner] = {}
WITNESS = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x03" * 32))

Told = tuple[str, Entry]  # time and entry


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    keys = tmp_path_factory.mktemp("ring") / "keys"
    with create_keyring(keys, "ws_test", unlock) as opened:
        THIEF[opened.trust_root.fingerprint] = open_vault(keys, unlock).signers["checkpoints"]
        yield opened


@pytest.fixture(scope="module")
def auditor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sealwright_verify", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def thief_of(ring: Keyring) -> LocalSigner:
    """The key of the ledger's heads as a thief has it."""
    return THIEF[ring.trust_root.fingerprint]


def written(folder: Path, ring: Keyring, story: Sequence[Told]) -> bytes:
    """A ledger that tells this story, signed with the real key; its newest checkpoint."""
    clock = FixedClock(START)
    signer = thief_of(ring)  # who asks no signer
    with Ledger.open(folder, origin=ORIGIN, signer=signer, clock=clock, create=True) as ledger:
        for at, entry in story:
            clock.advance(from_rfc3339(at) - clock())
            ledger.append_many([entry])
        return ledger.checkpoint()


def honest() -> list[Told]:
    times = [(START + timedelta(minutes=number)).isoformat() for number in range(SIZE)]
    return [(at, Entry(action="model.promote", subject=f"s{n}", detail={"n": n})) for n, at in enumerate(times)]


FALSE = Entry(action="model.promote", subject="another", detail={})
PLACES = {"first": 0, "middle": SIZE // 2, "last": SIZE - 1}


def edited(story: list[Told], place: int) -> None:
    story[place] = (story[place][0], FALSE)


def deleted(story: list[Told], place: int) -> None:
    del story[place]


def inserted(story: list[Told], place: int) -> None:
    story.insert(place, (story[place][0], FALSE))


def reordered(story: list[Told], place: int) -> None:
    other = place - 1 if place else 1
    (one, first), (two, second) = story[place], story[other]
    story[place], story[other] = (one, second), (two, first)


def cut_off(story: list[Told], place: int) -> None:
    del story[place:]


def dated_back(story: list[Told], place: int) -> None:
    at = from_rfc3339(story[place - 1][0] if place else (START - timedelta(hours=1)).isoformat())
    story[place] = ((at + timedelta(seconds=1)).isoformat(), story[place][1])


MUTATIONS: dict[str, Callable[[list[Told], int], None]] = {
    one.__name__: one for one in (edited, deleted, inserted, reordered, cut_off, dated_back)
}


def asked(
    auditor: ModuleType, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path, *more: object
) -> dict[str, object]:
    code = auditor.main([str(folder), "--trust", str(trust), "--json", *map(str, more)])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["holds"] else 4)
    return dict(found)


@pytest.mark.parametrize("more", [0, 5], ids=["as it is", "and went on"])
@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_a_rewritten_ledger_with_good_signatures_is_found_out_by_its_anchor_t57(
    tmp_path: Path,
    ring: Keyring,
    auditor: ModuleType,
    capsys: pytest.CaptureFixture[str],
    mutation: str,
    place: str,
    more: int,
) -> None:
    note = written(tmp_path / "honest", ring, honest())
    kept = with_cosignatures(note, WITNESS.sign(note, int(START.timestamp())), [WITNESS.key])
    story = honest()
    MUTATIONS[mutation](story, PLACES[place])
    later = [(START + timedelta(days=1, minutes=number)).isoformat() for number in range(more)]
    written(tmp_path / "forged", ring, [*story, *((at, FALSE) for at in later)])
    trust, against = tmp_path / "trust.json", tmp_path / "kept-checkpoint"
    trust.write_bytes(ring.trust_root.to_bytes())
    against.write_bytes(kept)
    keys = ring.trust_root.keys_of("checkpoints")
    # Nothing in the folder itself gives it away, which is the point of an anchor …
    verify_ledger(tmp_path / "forged", keys, ORIGIN)
    assert asked(auditor, capsys, tmp_path / "forged", trust)["holds"]
    # … and both verifiers see it with one. The honest ledger holds.
    with pytest.raises(VerificationFailed):
        verify_ledger(tmp_path / "forged", keys, ORIGIN, witnessed=[kept])
    given = ("--against", against, "--witness", WITNESS.key.vkey())
    assert not asked(auditor, capsys, tmp_path / "forged", trust, *given)["holds"]
    found = asked(auditor, capsys, tmp_path / "honest", trust, *given)
    assert found["holds"]
    assert any("witness.example/w1 cosigned 12 entries at 2026-11-26T09:00" in line for line in found["checked"])  # type: ignore[attr-defined]


def test_a_cosignature_that_is_none_is_refused_by_both(
    tmp_path: Path, ring: Keyring, auditor: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    note = written(tmp_path / "ledger", ring, honest())
    trust, against = tmp_path / "trust.json", tmp_path / "kept"
    trust.write_bytes(ring.trust_root.to_bytes())
    stranger = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x04" * 32))
    line = WITNESS.sign(note, 1)
    for lines in (b"", stranger.sign(note, 1), line[:-4] + b"AA=\n"):
        against.write_bytes(note + lines)
        found = asked(
            auditor, capsys, tmp_path / "ledger", trust, "--against", against, "--witness", WITNESS.key.vkey()
        )
        assert not found["holds"], lines
    bare = WitnessKey("witness.example/w1", ring.signer("statements").public()).vkey()
    against.write_bytes(note + line)
    assert not asked(auditor, capsys, tmp_path / "ledger", trust, "--against", against, "--witness", bare)["holds"]


def test_exported_entries_hold_and_any_change_to_them_does_not(
    tmp_path: Path, ring: Keyring, auditor: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "ledger", ring, honest())
    trust, path = tmp_path / "trust.json", tmp_path / "entries.jsonl"
    trust.write_bytes(ring.trust_root.to_bytes())
    with Ledger.open(
        tmp_path / "ledger", origin=ORIGIN, signer=None, keys=ring.trust_root.keys_of("checkpoints")
    ) as ledger:
        lines = [
            json.dumps(
                {"entry": ledger.entry(n).leaf.decode(), "proof": ledger.proof(n).decode()},
                separators=(",", ":"),
                ensure_ascii=False,
            ).encode()
            for n in (2, 3, 9)
        ]

    def holds(*these: bytes) -> bool:
        path.write_bytes(b"".join(line + b"\n" for line in these))
        return bool(asked(auditor, capsys, path, trust)["holds"])

    assert holds(*lines)
    assert not holds()
    assert not holds(lines[1], lines[0])
    assert not holds(lines[0], lines[0])
    assert not holds(lines[0].replace(b"s2", b"s3"))
    for place in range(0, len(lines[0]), 17):
        assert not holds(lines[0][:place] + bytes([lines[0][place] ^ 1]) + lines[0][place + 1 :], lines[1])
