"""A witness cosigns a tree only if it adds to the one it cosigned last, and says so as C2SP wants it."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import Conflict, FixedClock, InvalidInput, OperationFailed, Refused, VerificationFailed
from sealwright.trust import (
    Entry,
    Frontier,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerInUse,
    LocalSigner,
    Secret,
    Witness,
    WitnessDisagrees,
    WitnessKey,
    WitnessPolicy,
    ask_witness,
    check_address,
    cosignatures_of,
    create_keyring,
    open_checkpoint,
    with_cosignatures,
)
from sealwright.trust.merkle import leaf_hash
from sealwright.trust.notes import Checkpoint, NoteSigner
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.witness.cosignature import Cosigner
from sealwright.trust.witness.protocol import SIZE_TYPE, AddCheckpoint

ORIGIN = "sealwright/ws_test/ledger"
START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

THIEF: dict[str, LocalSigner] = {}  # the key of heads as somebody has it who asks no signer
OTHER: dict[str, LocalSigner] = {}  # the same of decisions


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    keys = tmp_path_factory.mktemp("ring") / "keys"
    with create_keyring(keys, "ws_test", unlock) as opened:
        stolen = open_vault(keys, unlock).signers
        THIEF[opened.trust_root.fingerprint] = stolen["checkpoints"]
        OTHER[opened.trust_root.fingerprint] = stolen["decision-checkpoints"]
        yield opened


@dataclass
class Log:
    """A ledger, and every checkpoint it signed by its size."""

    ledger: Ledger
    notes: dict[int, bytes]

    def grow(self, count: int) -> bytes:
        self.ledger.append_many([Entry(action="a.b", subject="s", detail={"n": n}) for n in range(count)])
        self.notes[self.ledger.size] = self.ledger.checkpoint()
        return self.ledger.checkpoint()

    def request(self, old: int) -> bytes:
        return AddCheckpoint(old, tuple(self.ledger.consistency(old)), self.ledger.checkpoint()).to_bytes()


@pytest.fixture
def log(tmp_path: Path, ring: Keyring) -> Iterator[Log]:
    signer = THIEF[ring.trust_root.fingerprint]
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=signer, clock=FixedClock(START), create=True) as one:
        yield Log(one, {})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def witness(tmp_path: Path, ring: Keyring, clock: FixedClock) -> Iterator[Witness]:
    with Witness(tmp_path / "witness", name="witness.example/w1", clock=clock) as one:
        one.state.add(ring.trust_root.to_bytes())
        yield one


def sender(witness: Witness) -> Callable[[str, str, bytes], tuple[int, str, bytes]]:
    def send(_address: str, _kind: str, body: bytes) -> tuple[int, str, bytes]:
        reply = witness.add_checkpoint(body)
        return reply.status, reply.type, reply.body

    return send


def ask(log: Log, witness: Witness, **more: object) -> bytes:
    return ask_witness(
        "http://unused.example",
        witness.key,
        log.ledger.checkpoint(),
        log.ledger.consistency,
        send=sender(witness),
        **more,  # type: ignore[arg-type]
    )


def other_tree(ring: Keyring, size: int, word: str) -> bytes:
    """A checkpoint that a thief of the log's key signs over another history."""
    growth = Frontier().extend([leaf_hash(f"{word} {n}".encode()) for n in range(size)])
    head = Checkpoint(ORIGIN, size, growth.frontier().root())
    return NoteSigner(ORIGIN, THIEF[ring.trust_root.fingerprint]).sign(head.text())


# ---- the format


def test_a_cosignature_is_what_the_standard_says(log: Log, witness: Witness) -> None:
    """Rebuilt here from c2sp.org/tlog-cosignature with nothing of ours."""
    log.grow(3)
    note = ask(log, witness).decode()
    text, _, lines = note.partition("\n\n")
    mine = next(line for line in lines.splitlines() if line.startswith("— witness.example/w1 "))
    blob = base64.b64decode(mine.rpartition(" ")[2])
    vkey_name, vkey_id, vkey_key = witness.key.vkey().split("+", 2)
    raw = base64.b64decode(vkey_key)
    assert raw[0] == 4
    assert blob[:4].hex() == vkey_id == hashlib.sha256(vkey_name.encode() + b"\n\x04" + raw[1:]).hexdigest()[:8]
    assert int.from_bytes(blob[4:12], "big") == int(START.timestamp())
    message = f"cosignature/v1\ntime {int(START.timestamp())}\n{text}\n"
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[12:], message.encode())
    assert len(blob) == 76


def test_a_cosigned_checkpoint_is_still_one_for_those_who_know_no_witness(
    log: Log, witness: Witness, ring: Keyring
) -> None:
    log.grow(3)
    note = ask(log, witness)
    assert open_checkpoint(note, ring.trust_root.keys_of("checkpoints"), ORIGIN).size == 3
    assert cosignatures_of(note, [witness.key])["witness.example/w1"].at == START


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_body_makes_a_witness_fail(body: bytes) -> None:
    for whole in (body, b"old 0\n\n" + body, b"old 3\n" + body):
        try:
            parsed = AddCheckpoint.parse(whole)
        except VerificationFailed:
            continue
        assert parsed.to_bytes() == whole


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "w+0+x",
        "two words+00000000+BA==",
        "w+00000000+" + "A" * 44,
        "w+00000000+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ],
)
def test_a_key_that_is_none_is_refused(vkey: str) -> None:
    with pytest.raises(InvalidInput, match="not the key of a witness"):
        WitnessKey.parse(vkey)


def test_a_key_survives_its_text(witness: Witness) -> None:
    assert WitnessKey.parse(witness.key.vkey()) == witness.key


# ---- what it cosigns, what not


def test_it_cosigns_while_the_tree_only_adds(log: Log, witness: Witness, clock: FixedClock) -> None:
    known = 0
    for count in (1, 1, 5, 300):
        log.grow(count)
        clock.advance(timedelta(seconds=7))
        reply = witness.add_checkpoint(log.request(known))
        assert reply.status == 200, reply
        known = log.ledger.size
    assert Checkpoint.parse_note(witness.state.newest(ORIGIN)).size == 307


def test_asked_again_about_the_same_tree_it_says_so_with_a_newer_time(
    log: Log, witness: Witness, clock: FixedClock
) -> None:
    """An idle ledger stays fresh: the same checkpoint, a new date."""
    log.grow(3)
    first = ask(log, witness)
    clock.advance(timedelta(hours=1))
    second = ask(log, witness, old=3)
    times = [cosignatures_of(note, [witness.key])[witness.key.name].at for note in (first, second)]
    assert times == [START, START + timedelta(hours=1)]
    assert second.count(b"witness.example/w1") == 1


def test_who_knows_too_little_is_told_the_size(log: Log, witness: Witness) -> None:
    log.grow(3)
    ask(log, witness)
    log.grow(4)
    reply = witness.add_checkpoint(log.request(0))
    assert (reply.status, reply.type, reply.body) == (409, SIZE_TYPE, b"3\n")
    assert b"witness.example" in ask(log, witness)  # and the client goes on from there


def test_a_fork_of_the_same_size_is_never_cosigned_and_kept_as_proof_t57(
    log: Log, witness: Witness, ring: Keyring
) -> None:
    log.grow(3)
    honest = ask(log, witness)
    fork = other_tree(ring, 3, "fork")
    for _ in range(3):
        assert witness.add_checkpoint(AddCheckpoint(3, (), fork).to_bytes()).status == 409
    assert [path.read_bytes() for path in (witness.state.folder / "conflicts").iterdir()] == [fork]
    with pytest.raises(WitnessDisagrees, match="forked"):
        ask_witness("http://unused.example", witness.key, fork, lambda _old: [], old=3, send=sender(witness))
    assert witness.state.newest(ORIGIN) == honest


def test_a_longer_fork_is_never_cosigned_t57(log: Log, witness: Witness, ring: Keyring) -> None:
    log.grow(3)
    ask(log, witness)
    log.grow(4)
    fork = other_tree(ring, 7, "fork")
    request = AddCheckpoint(3, tuple(log.ledger.consistency(3)), fork)
    for asked in (request, replace(request, proof=()), replace(request, proof=request.proof[::-1])):
        assert witness.add_checkpoint(asked.to_bytes()).status == 422
    with pytest.raises(WitnessDisagrees, match="does not extend"):
        ask_witness("http://unused.example", witness.key, fork, log.ledger.consistency, send=sender(witness))
    assert witness.add_checkpoint(log.request(3)).status == 200  # the honest one still goes on


def test_a_history_that_was_cut_off_is_noticed_t57(log: Log, witness: Witness, ring: Keyring) -> None:
    older = log.grow(3)
    log.grow(4)
    ask(log, witness)
    with pytest.raises(WitnessDisagrees, match="cut off"):
        ask_witness("http://unused.example", witness.key, older, log.ledger.consistency, send=sender(witness))


def test_strangers_get_the_status_the_protocol_names(log: Log, witness: Witness, ring: Keyring) -> None:
    note = log.grow(3)
    stranger = LocalSigner("ed25519", b"\x07" * 32)
    text = Checkpoint.parse_note(note).text()
    cases = {
        400: [
            b"",
            b"old\n\n" + note,
            b"old 03\n\n" + note,
            b"old 4\n\n" + note,
            b"old 0\nAAAA\n\n" + note,
            b"old 0\n\n",
        ],
        403: [b"old 0\n\n" + NoteSigner(ORIGIN, stranger).sign(text)],
        404: [
            b"old 0\n\n" + NoteSigner(name, stranger).sign(text.replace(ORIGIN, name))
            for name in ("sealwright/ws_other/ledger", "example.com/log", "sealwright/ws_test/other")
        ],
        422: [b"old 0\n" + base64.b64encode(bytes(32)) + b"\n\n" + note],
    }
    for status, bodies in cases.items():
        for body in bodies:
            assert witness.add_checkpoint(body).status == status, body
    assert witness.state.all_seen() == []


def test_the_key_of_the_other_ledger_does_not_sign_for_this_one(log: Log, witness: Witness, ring: Keyring) -> None:
    text = Checkpoint.parse_note(log.grow(3)).text()
    wrong = NoteSigner(ORIGIN, OTHER[ring.trust_root.fingerprint]).sign(text)
    assert witness.add_checkpoint(AddCheckpoint(0, (), wrong).to_bytes()).status == 403
    decisions = "sealwright/ws_test/decisions/credit/live"
    right = NoteSigner(decisions, OTHER[ring.trust_root.fingerprint]).sign(text.replace(ORIGIN, decisions))
    assert witness.add_checkpoint(AddCheckpoint(0, (), right).to_bytes()).status == 200


def test_many_at_once_never_roll_back(log: Log, witness: Witness) -> None:
    """The race the standard warns of: a slower request for a smaller tree must not overwrite a larger one."""
    notes = [log.grow(1) for _ in range(40)]
    done: list[int] = []

    def work(start: int) -> None:
        for note in notes[start::4]:
            head = Checkpoint.parse_note(note)
            for _ in range(100):
                old = Checkpoint.parse_note(found).size if (found := witness.state.seen(ORIGIN)) else 0
                if old > head.size:
                    break
                path = log.ledger._reader.consistency(old, head)
                if witness.add_checkpoint(AddCheckpoint(old, tuple(path), note).to_bytes()).status == 200:
                    done.append(head.size)
                    break

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(done) == 40
    assert Checkpoint.parse_note(witness.state.newest(ORIGIN)).size == 40


# ---- what it keeps


def test_after_a_restart_it_knows_what_it_cosigned(log: Log, ring: Keyring, clock: FixedClock, tmp_path: Path) -> None:
    log.grow(3)
    folder = tmp_path / "again"
    with Witness(folder, name="w2", clock=clock) as witness:
        witness.state.add(ring.trust_root.to_bytes())
        ask(log, witness)
        with pytest.raises(LedgerInUse, match="Another witness"):
            Witness(folder)
    with Witness(folder, clock=clock) as again:
        assert again.key == witness.key
        fork = other_tree(ring, 3, "fork")
        assert again.add_checkpoint(AddCheckpoint(0, (), fork).to_bytes()).status == 409
        assert again.add_checkpoint(AddCheckpoint(3, (), fork).to_bytes()).status == 409
    with pytest.raises(Conflict, match="keeps its name"):
        Witness(folder, name="another")


def test_what_was_changed_behind_its_back_stops_it(log: Log, witness: Witness, ring: Keyring) -> None:
    log.grow(3)
    ask(log, witness)
    (path,) = (witness.state.folder / "seen").iterdir()
    fork = other_tree(ring, 3, "fork")
    thief = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x09" * 32))
    path.write_bytes(with_cosignatures(fork, thief.sign(fork, 1), [thief.key]))
    assert witness.add_checkpoint(log.request(3)).status == 500


def test_when_it_cannot_write_it_does_not_cosign(log: Log, witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    log.grow(3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sealwright.trust.witness.state.write_atomically", full)
        reply = witness.add_checkpoint(log.request(0))
    assert reply.status == 503
    assert "witness.example" not in reply.body.decode()
    assert witness.state.all_seen() == []


def test_a_clock_set_back_does_not_date_anything(log: Log, witness: Witness, clock: FixedClock) -> None:
    log.grow(3)
    ask(log, witness)
    clock.advance(timedelta(seconds=-5))
    assert witness.add_checkpoint(log.request(3)).status == 503


def test_an_older_trust_root_does_not_take_the_place_of_a_newer(
    witness: Witness, ring: Keyring, tmp_path: Path
) -> None:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    with create_keyring(tmp_path / "other", "ws_test", unlock) as other, pytest.raises(Conflict, match="lacks a key"):
        witness.state.add(other.trust_root.to_bytes())


# ---- those who trust it


def cosigned(note: bytes, name: str, seed: int, at: datetime = START) -> tuple[bytes, WitnessKey]:
    cosigner = Cosigner(name, LocalSigner("ed25519", bytes([seed]) * 32))
    return with_cosignatures(note, cosigner.sign(note, int(at.timestamp())), [cosigner.key]), cosigner.key


def test_enough_of_the_right_witnesses(log: Log) -> None:
    note, one = cosigned(log.grow(3), "one", 1)
    note, two = cosigned(note, "two", 2)
    _, three = cosigned(note, "three", 3)
    assert [item.witness for item in WitnessPolicy((one, two, three), 2).check(note)] == ["one", "two"]
    with pytest.raises(VerificationFailed, match=r"2 of the witnesses .* 3 must have.*three"):
        WitnessPolicy((one, two, three), 3).check(note)
    with pytest.raises(VerificationFailed, match="yet to come"):
        WitnessPolicy((one,)).check(note, now=START - timedelta(minutes=6))


def test_one_witness_under_two_names_is_one(log: Log) -> None:
    _, one = cosigned(log.grow(3), "one", 1)
    with pytest.raises(Refused, match="cannot be asked for"):
        WitnessPolicy((one, WitnessKey("two", one.public)), 2)


@pytest.mark.parametrize("need", [0, 2, -1])
def test_a_policy_that_asks_for_nothing_or_too_much_is_none(log: Log, need: int) -> None:
    _, one = cosigned(log.grow(3), "one", 1)
    with pytest.raises(Refused):
        WitnessPolicy((one,), need)


def test_any_flipped_byte_of_text_or_cosignature_fails(log: Log) -> None:
    note, one = cosigned(log.grow(3), "one", 1)
    for place in (*range(note.index(b"\n\n")), *range(note.index("— one".encode()), len(note))):
        flipped = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
        with pytest.raises(VerificationFailed):
            WitnessPolicy((one,)).check(flipped)


def test_an_answer_by_somebody_else_is_no_cosignature(log: Log, witness: Witness) -> None:
    log.grow(3)
    stranger = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x05" * 32))
    line = stranger.sign(log.ledger.checkpoint(), 1)
    for answer in (line, b"", b"junk\n", line.replace(b"w1", b"w2")):
        with pytest.raises(VerificationFailed):
            ask_witness(
                "http://unused.example", witness.key, log.ledger.checkpoint(), log.ledger.consistency,
                send=lambda _a, _k, _b, answer=answer: (200, "text/plain", answer),
            )  # fmt: skip


def test_an_answer_of_another_kind_is_a_failure_to_try_again(log: Log, witness: Witness) -> None:
    log.grow(3)
    for answer in (
        (301, "", b""),
        (500, "", b"\x1b[31m"),
        (409, "text/plain", b"7\n"),
        (409, SIZE_TYPE, b"07\n"),
        (404, "", b"no"),
    ):
        with pytest.raises(OperationFailed, match="answered"):
            ask_witness(
                "http://unused.example", witness.key, log.ledger.checkpoint(), log.ledger.consistency,
                send=lambda _a, _k, _b, answer=answer: answer,
            )  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "",
        "witness.example",
        "ftp://w",
        "http://",
        "http://u:p@w",
        "http://w/?a=b",
        "http://w/#x",
        "http://w:0x",
        "http://wörth",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="not an address"):
        check_address(address)
