"""Every branch that signs gets a new key while programs run: nothing fails, nothing old stops verifying, nobody else can do it."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of, rfc3339, strict_json
from sealwright.trust import (
    SIGNING_BRANCHES,
    Event,
    KeyFile,
    KeyListFile,
    Keyring,
    Ledger,
    PublicKey,
    RevokedKey,
    SignerRefused,
    TrustRoot,
    follow_chain,
    key_folder,
    make_key_revocations,
    make_statement,
    open_keyring,
    read_chain,
    revoke,
    rotate_signing,
    sign_statement,
    verify_key_revocations,
    verify_statement,
)
from sealwright.trust import key_journal as journal
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.key_revocation import KEY_REVOCATION_TYPE, no_revocations
from sealwright.trust.merkle import consistency_path
from sealwright.trust.notes import Descent, NoteSigner
from sealwright.trust.root_recovery import recover_root, split_root
from sealwright.trust.signing.client import Line, narrow
from sealwright.trust.signing.holding import OVERLAP, Holding
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.messages import Done, No, Renew, Renewed, Sign, Signature, SignHead, StepAfter, Take
from sealwright.trust.signing.remote import RemoteSigner
from sealwright.trust.signing.renewal import prepare, take
from sealwright.trust.signing.service import CONTROL, SigningService
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.strict_base64 import decode_base64
from sealwright.trust.trust_chain import make_link
from sealwright.trust.trust_root import SECOND_SIGNED

from .conftest import DECISIONS, LEDGER, Place, Raw, Samples, Tree, statement_of
from .test_parting import SIGNER, parted, stand
from .test_parting import place as place_to_pass  # noqa: F401 - a fixture

NOW = datetime.now(UTC)


class Kept:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


def rotated(place: Place, branch: str, audit: Any = None) -> TrustRoot:
    with place.open() as ring:
        return rotate_signing(ring, place.keys, place.unlock, branch, audit=audit or Kept(), by="ada")


def refused(reply: object) -> str:
    assert isinstance(reply, No), reply
    return reply.reason


# ---- while programs run


def test_a_standing_signer_rotates_every_branch_and_programs_of_before_go_on(
    standing: Callable[..., Any], place: Place, samples: Samples
) -> None:
    process = standing()
    with place.open() as before:
        first, held = before.trust_root, {branch: before.signer(branch) for branch in SIGNING_BRANCHES}
        old = statement_of(before)
        audit = Kept()
        for branch in SIGNING_BRANCHES:
            rotated(place, branch, audit)
            made = make_statement([("x", samples.PACKAGE)], "https://slsa.dev/provenance/v1", {"after": branch})
            late = sign_statement(made, held["statements"])  # by the keys of the beginning
            verify_statement(late, first.keys_of("statements"))
            verify_statement(statement_of(before), before.trust_root.keys_of("statements"))
        last = before.trust_root
        assert process.poll() is None
        assert {branch: len(keys) for branch, keys in last.keys.items()} == dict.fromkeys(SIGNING_BRANCHES, 2)
        for data in (old, late, statement_of(before)):
            verify_statement(data, last.keys_of("statements"))
        with pytest.raises(VerificationFailed, match="unknown key"):
            verify_statement(statement_of(before), first.keys_of("statements"))
        assert follow_chain(first, read_chain(place.keys / "trust-chain.json")) == (last, len(SIGNING_BRANCHES))
    for branch in SIGNING_BRANCHES:
        assert [path.name for path in place.keys.glob(f"{branch}.v*")] == [f"{branch}.v2.json"]
    assert [(one.action, one.outcome, one.resource) for one in audit.events] == [
        ("key.rotate", "done", f"key:{branch}") for branch in SIGNING_BRANCHES
    ]
    assert [one.detail["key"] for one in audit.events] == [last.keys[branch][1].key_id for branch in SIGNING_BRANCHES]


def test_a_signer_that_was_lent_takes_up_what_another_process_rotated(place: Place) -> None:
    with place.open() as ring:
        ring.check_signer()
        pid = ring._link._held.started
        assert rotated(place, "statements").keys["statements"][1].key_id == ring.signer("statements").key_id
        verify_statement(statement_of(ring), ring.trust_root.keys_of("statements")[1:])
        assert ring._link._held.started is pid


def test_a_reader_in_the_middle_of_a_rotation_sees_one_state_or_the_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, opened, failed = threading.Event(), [0], []

    def read() -> None:
        while not stop.is_set():
            try:
                open_keyring(place.keys, place.unlock).close()
                opened[0] += 1
            except Exception as error:  # noqa: BLE001 - any of them is a failure of the test
                failed.append(error)

    written = journal.write_atomically

    def slowly(path: Path, data: bytes, *, mode: int = 0o600) -> None:
        written(path, data, mode=mode)
        time.sleep(0.02)  # long enough for a reader to see one file new and the next one old

    monkeypatch.setattr(journal, "write_atomically", slowly)
    thread = threading.Thread(target=read)
    thread.start()
    vault = open_vault(place.keys, place.unlock)
    for _ in range(10):
        vault = vault.reopened()
        take(prepare(vault, "tokens"), vault, KeyMemory(vault.memory))
    stop.set()
    thread.join()
    assert failed == []
    assert opened[0] > 5


def test_a_reader_that_a_rotation_overtakes_looks_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real, vault, taken = key_folder.read_trust, open_vault(place.keys, place.unlock), []

    def overtaken(folder: Path, workspace: str) -> TrustRoot:
        found = real(folder, workspace)
        if not taken:
            taken.append(take(prepare(vault, "tokens"), vault, KeyMemory(vault.memory)))  # type: ignore[func-returns-value]
        return found

    monkeypatch.setattr(key_folder, "read_trust", overtaken)
    with place.open() as ring:
        assert len(ring.trust_root.keys["tokens"]) == 2


# ---- what is signed twice


@pytest.mark.parametrize("branch", sorted(SECOND_SIGNED))
def test_one_request_gives_both_signatures_and_the_second_alone_is_not_to_be_had_t43(
    place: Place, ring: Keyring, samples: Samples, branch: str
) -> None:
    gate = samples.gate(place.stolen("statements"))
    data = {
        "statements": samples.payload("https://slsa.dev/provenance/v1", {}),
        "releases": samples.pointer(3),
        "authority": listed(ring.trust_root, "tokens"),
    }[branch]
    signer = ring.signer(branch).showing(gate)
    own, second = signer.sign_together(data)
    signer.public().verify(own, data)
    signer.beside[0].public().verify(second, data)
    assert signer.beside[0].algorithm == "ml-dsa-65"
    signer.beside[0].public().verify(signer.beside[0].sign(data), data)  # the same again is signed again
    with pytest.raises(SignerRefused, match="signs nothing by itself"):
        ring.signer(SECOND_SIGNED[branch]).sign(data)


def test_the_second_signature_is_held_to_the_rule_of_the_first(place: Place, ring: Keyring, samples: Samples) -> None:
    gate = samples.gate(place.stolen("statements"))
    signer = ring.signer("releases").showing(gate)
    signer.sign_together(samples.pointer(5))
    for use in (signer.sign, signer.sign_together, signer.beside[0].sign):
        with pytest.raises(SignerRefused) as error:
            use(samples.pointer(4))
        assert error.value.reason == "pointer.older"
    with pytest.raises(SignerRefused) as error:
        ring.signer("releases").beside[0].sign(samples.pointer(6))
    assert error.value.reason == "pointer.gate_missing"


def test_another_number_of_keys_than_the_branch_signs_with_is_refused(place: Place, samples: Samples) -> None:
    service = SigningService(open_vault(place.keys, place.unlock))
    data = samples.payload("https://slsa.dev/provenance/v1", {})
    one, two = (place.stolen(branch).key_id for branch in ("statements", "releases-pq"))
    for keys in ([one], [two], [two, one], [one, one], [one, two, two], [one, "0" * 64], ["", ""]):
        assert refused(service.answer(CONTROL, Sign(branch="statements", data=data, keys=keys))) == "key.unknown"
    assert not isinstance(service.answer(CONTROL, Sign(branch="statements", data=data, keys=[one, two])), No)


# ---- who may, and when


def test_a_predict_connection_rotates_nothing(ring: Keyring) -> None:
    line = Line(ring.lend_signer(DECISIONS))
    narrow(line, [DECISIONS])
    for asked in (Renew(branch="tokens"), Take(key="0" * 64), StepAfter(number=0)):
        with pytest.raises(SignerRefused) as error:
            line.ask(asked, Done)
        assert error.value.reason == "role.not_allowed"
    line.close()


def test_only_the_key_that_waits_is_put_to_use_once_and_in_time(place: Place) -> None:
    moment = [NOW]
    service = SigningService(open_vault(place.keys, place.unlock), clock=lambda: moment[0])

    def ask(asked: Renew | Take) -> Any:
        return service.answer(CONTROL, asked)

    assert refused(ask(Renew(branch="data"))) == "branch.other"
    assert refused(ask(Take(key="0" * 64))) == "rotation.unknown"
    made = ask(Renew(branch="models"))
    assert isinstance(made, Renewed)
    assert refused(ask(Take(key="0" * 64))) == "rotation.unknown"
    assert refused(ask(Take(key=key_of(made)))) == "rotation.unknown", "one wrong try, and it is forgotten"
    late = ask(Renew(branch="models"))
    moment[0] += timedelta(minutes=11)
    assert refused(ask(Take(key=key_of(late)))) == "rotation.unknown"
    first, second = ask(Renew(branch="models")), ask(Renew(branch="tls"))
    assert refused(ask(Take(key=key_of(first)))) == "rotation.unknown"
    second = ask(Renew(branch="tls"))
    assert ask(Take(key=key_of(second))) == Done()
    assert refused(ask(Take(key=key_of(second)))) == "rotation.unknown"


def key_of(made: Renewed) -> str:
    return PublicKey.from_pem(made.pem).key_id


def test_of_two_signers_that_rotate_at_once_one_has_to_begin_again(place: Place) -> None:
    services = [SigningService(open_vault(place.keys, place.unlock)) for _ in range(2)]
    made = [
        service.answer(CONTROL, Renew(branch=branch))
        for service, branch in zip(services, ("tls", "models"), strict=True)
    ]
    keys = [key_of(one) for one in made if isinstance(one, Renewed)]
    assert services[1].answer(CONTROL, Take(key=keys[1])) == Done()
    assert refused(services[0].answer(CONTROL, Take(key=keys[0]))) == "rotation.overtaken"
    assert len(open_vault(place.keys, place.unlock).trust_root.keys["tls"]) == 1


def test_nobody_has_a_step_to_another_trust_root_signed(place: Place, ring: Keyring) -> None:
    thief = make_link(ring.trust_root, TrustRoot("ws_1", ring.trust_root.keys), 1, [place.stolen("authority")])
    payload = decode_base64(strict_json(thief)["payload"], what="the payload")
    for branch in ("authority", "statements", "releases"):
        with pytest.raises(SignerRefused) as error:
            ring.signer(branch).sign(pae(IN_TOTO_PAYLOAD, payload))
        assert error.value.reason in ("authority.type", "statement.type", "release.type")


def test_steps_that_do_not_lead_to_the_trust_root_are_not_gone_on_with(place: Place) -> None:
    rotated(place, "tokens")
    chain = place.keys / "trust-chain.json"
    whole = chain.read_bytes()
    for spoiled in (None, b"[]", b"{}", whole[:-1]):
        chain.unlink()
        if spoiled is not None:
            chain.write_bytes(spoiled)
        audit = Kept()
        with pytest.raises(SignerRefused) as error:
            rotated(place, "tokens", audit)
        assert error.value.reason == "rotation.chain"
        assert audit.events == []
        chain.write_bytes(whole)
    assert len(rotated(place, "tokens").keys["tokens"]) == 3


def test_a_trust_root_of_somebody_else_is_not_taken_up(place: Place, tmp_path: Any) -> None:
    other = Place(shutil.copytree(place.home, tmp_path / "other"))
    with place.open() as ring:
        ring.check_signer()
        rotated(other, "statements")
        for name in ("trust.json", "trust-chain.json"):
            shutil.copy(other.keys / name, place.keys / name)
        (place.keys / "trust.json").write_bytes((other.keys / "trust.json").read_bytes())
        with pytest.raises(VerificationFailed):
            place.open()
        refusal = SigningService(open_vault(other.keys, other.unlock)).answer(CONTROL, Renew(branch="tls"))
        assert isinstance(refusal, Renewed)


def test_what_failed_in_the_signer_is_on_record(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = Kept()
    with place.open() as ring:
        real = ring.prepare_rotation

        def meddled(branch: str, at: Path | None = None) -> Any:
            made = real(branch, at)
            real(branch)  # another key waits now
            return made

        monkeypatch.setattr(ring, "prepare_rotation", meddled)
        with pytest.raises(SignerRefused, match="waits"):
            rotate_signing(ring, place.keys, place.unlock, "tokens", audit=audit, by="ada")
        with pytest.raises(InvalidInput, match="signs"):
            ring.prepare_rotation("data")
        assert len(ring.trust_root.keys["tokens"]) == 1
    assert [one.outcome for one in audit.events] == ["done", "failed"]


# ---- older keys


def test_an_older_key_is_asked_for_in_vain_after_a_day(place: Place, samples: Samples) -> None:
    moment = [0.0]
    vault = open_vault(place.keys, place.unlock)
    holding = Holding(vault, KeyMemory(vault.memory), clock=lambda: moment[0])
    old = vault.signers["tokens"].key_id
    rotated(place, "tokens")
    assert holding.signers("tokens", [old])[0].key_id == old
    moment[0] = OVERLAP - 1
    assert holding.signers("tokens", [old])
    moment[0] = OVERLAP
    with pytest.raises(SignerRefused) as error:
        holding.signers("tokens", [old])
    assert error.value.reason == "key.unknown"
    assert holding.held()["tokens"] == [holding.vault.signers["tokens"].key_id]


def test_an_older_key_that_was_revoked_signs_no_more(standing: Any, place: Place) -> None:
    standing()
    with place.open() as ring:
        before = ring.signer("statements")
        rotated(place, "statements")
        made = make_statement([("x", "sha256:" + "1" * 64)], "https://slsa.dev/provenance/v1", {})
        assert sign_statement(made, before)
        revoked = RevokedKey(key_id=before.key_id, branch="statements", reason="compromised", since=0, at=NOW, by="ada")
        known = revoke(no_revocations(NOW), revoked, ring.trust_root, now=NOW)
        KeyListFile(place.home).put(make_key_revocations(known, ring.signer("authority")), ring.trust_root)
        with pytest.raises(SignerRefused) as error:
            sign_statement(made, before)
        assert error.value.reason == "key.unknown"
        assert sign_statement(made, ring.signer("statements"))


def test_a_gate_signed_by_a_revoked_key_lets_no_pointer_through(place: Place, samples: Samples) -> None:
    gate = samples.gate(place.stolen("statements"))
    root = rotated(place, "statements")
    with place.open() as ring:
        assert ring.signer("releases").showing(gate).sign(samples.pointer(1))
        ring.signer("authority").sign(listed(root, "statements"))
        with pytest.raises(SignerRefused) as error:
            ring.signer("releases").showing(gate).sign(samples.pointer(2))
        assert error.value.reason == "pointer.gate_not_ours"
        again = samples.gate(place.stolen("statements"))
        assert ring.signer("releases").showing(again).sign(samples.pointer(2))


def listed(root: TrustRoot, *branches: str, reason: str = "compromised", **changes: Any) -> bytes:
    """A list that revokes the first key of each branch, as it is signed."""
    keys = [
        {"key": root.keys[one][0].key_id, "branch": one, "reason": reason, "since": 0, "at": rfc3339(NOW), "by": "ada"}
        for one in branches
    ]
    said = {"format": 1, "sequence": len(keys), "issued_at": rfc3339(NOW), "revoked": keys} | changes
    made = make_statement([("key-revocations", digest_of(canonical_json(keys)))], KEY_REVOCATION_TYPE, said)
    return pae(IN_TOTO_PAYLOAD, made.payload)


def test_a_revoked_key_is_on_every_later_list_t85(place: Place, ring: Keyring) -> None:
    root, signer = ring.trust_root, ring.signer("authority")
    for malformed in (
        listed(root, "tokens", sequence=2),
        listed(root, "tokens", format=2),
        listed(root, "tokens", extra=1),
        listed(root, "authority"),
        listed(root, "tokens", "tokens"),
    ):
        with pytest.raises(SignerRefused) as error:
            signer.sign(malformed)
        assert error.value.reason == "keys.malformed"
    assert signer.sign(listed(root, "tokens"))
    assert signer.sign(listed(root, "tokens", "tls"))
    for back in (listed(root), listed(root, "tokens"), listed(root, "tls", "tokens")):
        with pytest.raises(SignerRefused) as error:
            signer.sign(back)
        assert error.value.reason == "keys.dropped"
    with pytest.raises(SignerRefused) as error:
        signer.sign(listed(root, "tokens", "tls", "models", reason="destroyed"))
    assert error.value.reason == "keys.dropped", "not even for another reason"
    (place.keys / "signed" / "revoked-keys.json").write_bytes(b"{}x")
    with pytest.raises(SignerRefused) as error:
        signer.sign(listed(root, "tokens", "tls", "models"))
    assert error.value.reason == "memory.broken"


# ---- heads of logs


def head_by_the_first_key(place: Place, size: int, tree: Tree) -> bytes:
    """A published checkpoint as whoever has the key makes it that signs before any rotation."""
    return NoteSigner(LEDGER, place.stolen("checkpoints")).sign(tree.head(size).text())


def shown(ring: Keyring, tree: Tree, size: int, note: bytes) -> bytes:
    """Ask for the very head that `note` publishes, with the key in use."""
    signer = ring.signer("checkpoints")
    assert isinstance(signer, RemoteSigner)
    data, descent = tree.head(size).text().encode(), Descent(size, note, lambda old: tree_path(tree, old, size))
    signature = signer.sign_head(data, descent)
    signer.public().verify(signature, data)
    return signature


def tree_path(tree: Tree, old: int, size: int) -> list[bytes]:
    return [] if old > size else consistency_path(old, size, tree.growth.node)


def revoke_first(ring: Keyring, branch: str, reason: str = "compromised") -> None:
    assert ring.signer("authority").sign(listed(ring.trust_root, branch, reason=reason))


TRUE, FORGED = Tree("true", 32), Tree("forged", 32)


def test_a_head_by_a_compromised_key_is_no_past_of_a_log_t59(place: Place) -> None:
    """The signer's memory was lost, and whoever stole the key that was withdrawn says where the log was."""
    note = head_by_the_first_key(place, 16, FORGED)
    rotated(place, "checkpoints")
    with place.open() as ring:
        revoke_first(ring, "checkpoints")
        with pytest.raises(SignerRefused) as error:
            shown(ring, FORGED, 16, note)
        assert error.value.reason == "checkpoint.note"
        ours = NoteSigner(LEDGER, place.stolen("checkpoints")).sign(TRUE.head(16).text())
        assert shown(ring, TRUE, 16, ours), "by the key in use it counts"


def test_the_new_key_signs_no_second_history_that_the_compromised_one_began_t59(place: Place) -> None:
    """The key leaks, is replaced and withdrawn; the thief publishes a longer history with it and asks for that head."""
    with place.open() as ring:
        shown(ring, TRUE, 0, b"")
        shown(ring, TRUE, 8, b"")
    note = head_by_the_first_key(place, 16, FORGED)
    rotated(place, "checkpoints")
    with place.open() as ring:
        revoke_first(ring, "checkpoints")
        with pytest.raises(SignerRefused) as error:
            shown(ring, FORGED, 16, note)
        assert error.value.reason == "checkpoint.contradicts"
    with place.open() as ring:
        assert shown(ring, TRUE, 9, b""), "the true log goes on"


def test_a_log_that_rested_while_its_key_was_withdrawn_goes_on(place: Place) -> None:
    """Its newest published head is by the withdrawn key; what the signer remembers is enough."""
    with place.open() as ring:
        shown(ring, TRUE, 0, b"")
        shown(ring, TRUE, 8, b"")
    notes = [head_by_the_first_key(place, size, TRUE) for size in (4, 8)]
    rotated(place, "checkpoints")
    with place.open() as ring:
        revoke_first(ring, "checkpoints")
    for note in notes:
        with place.open() as ring:
            assert shown(ring, TRUE, 8, note)


@pytest.mark.parametrize("reason", ["", "superseded", "destroyed"])
def test_a_head_by_a_key_that_was_merely_replaced_is_the_past_of_a_log(place: Place, reason: str) -> None:
    note = head_by_the_first_key(place, 8, TRUE)
    rotated(place, "checkpoints")
    with place.open() as ring:
        if reason:
            revoke_first(ring, "checkpoints", reason)
        assert shown(ring, TRUE, 8, note)


def test_a_ledger_goes_on_after_its_key_was_replaced_and_withdrawn(place: Place) -> None:
    def opened(ring: Keyring, *, create: bool = False) -> Ledger:
        keys = ring.trust_root.keys_of("checkpoints")
        return Ledger.open(
            place.home / "ledger", origin=LEDGER, signer=ring.signer("checkpoints"), keys=keys, create=create
        )

    with place.open() as ring, opened(ring, create=True) as ledger:
        ledger.append("a.b", "", {})
    rotated(place, "checkpoints")
    with place.open() as ring:
        revoke_first(ring, "checkpoints")
    for _ in range(2):
        with place.open() as ring, opened(ring) as ledger:
            ledger.append("a.c", "", {})
    shutil.rmtree(place.keys / "signed")
    with place.open() as ring, opened(ring) as ledger:
        ledger.append("a.d", "", {})
        assert ledger.size == 4


def test_a_head_costs_no_look_at_the_revoked_keys_unless_a_past_is_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads are signed with every batch of a log, and only the first of a connection shows what was published."""
    service, looked = SigningService(open_vault(place.keys, place.unlock)), []
    real = KeyMemory.newest
    monkeypatch.setattr(KeyMemory, "newest", lambda self: (looked.append(1), real(self))[1])
    for size in (0, 1, 2):
        path = tree_path(TRUE, max(0, size - 1), size)
        data = TRUE.head(size).text().encode()
        asked = SignHead(branch="checkpoints", data=data, since=max(0, size - 1), path=path)
        assert isinstance(service.answer(CONTROL, asked), Signature)
    assert looked == []


# ---- where the signing keys are another user's


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> "Iterator[subprocess.Popen[bytes]]":
    """The process, which is gone afterwards whatever happened."""
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("place_to_pass")
def test_a_parted_workspace_follows_step_by_step(place_to_pass: Place) -> None:  # noqa: F811
    place, user = place_to_pass, SIGNER
    to, key = parted(place, user)
    with ended(stand(to, key, user)) as process:
        first = rotated(place, "statements")
        last = rotated(place, "authority")
        with place.open() as ring:
            assert ring.trust_root == last != first
            verify_statement(statement_of(ring), last.keys_of("statements")[1:])
            assert follow_chain(first, read_chain(place.keys / "trust-chain.json")) == (last, 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not list(place.keys.glob("statements.v*"))
    with place.open() as ring:
        assert ring.trust_root == last


@pytest.mark.usefixtures("place_to_pass")
def test_a_parted_workspace_that_missed_a_step_takes_it_when_it_is_opened_next(place_to_pass: Place) -> None:  # noqa: F811
    place = place_to_pass
    to, key = parted(place, SIGNER)
    with ended(stand(to, key, SIGNER)):
        with place.open() as ring:
            made, *_ = ring.prepare_rotation("releases-pq")
            ring.finish_rotation(made)  # and the command dies here
            ring.signer("authority").sign(listed(ring.trust_root, "tokens"))
            made, *_ = ring.prepare_rotation("authority")
            ring.finish_rotation(made)
        with place.open() as ring:
            assert len(ring.trust_root.keys["releases-pq"]) == 2
            verify_statement(statement_of(ring), ring.trust_root.keys_of("statements"))
            found = (place.home / "key-revocations.json").read_bytes()
            assert verify_key_revocations(found, ring.trust_root).sequence == 1


@pytest.mark.usefixtures("place_to_pass")
def test_the_root_of_a_parted_workspace_is_split_and_recovered(place_to_pass: Place) -> None:  # noqa: F811
    place = place_to_pass
    to, key = parted(place, SIGNER)
    shares = split_root(place.keys, place.unlock, needed=2, count=3, audit=Kept(), by="ada")
    with ended(stand(to, key, SIGNER)):
        new = KeyFile(place.home / "new.key")
        new.path.write_bytes(bytes(range(32)))
        new.path.chmod(0o600)

        def audit(ring: Keyring) -> Kept:
            statement_of(ring)  # the ledger would be signed by the signer that is another user's
            return Kept()

        assert recover_root(place.keys, shares[1:], new, audit=audit, by="ada") == "ws_1"
        with open_keyring(place.keys, new) as ring:
            verify_statement(statement_of(ring), ring.trust_root.keys_of("statements"))


def test_raw_junk_around_rotation_ends_nothing(standing: Any, call: Callable[[], Raw]) -> None:
    standing()
    raw = call()
    for asked in (Take(key=""), Renew(branch=""), StepAfter(number=2**40)):
        assert raw.ask(asked) is not None
    assert raw.ask(StepAfter(number=0)) is not None
