"""A branch's key in a device or service: the signer keeps every promise, and a device that fails stops nothing else.

Each test of the first part runs on a real SoftHSM 2 token, on moto's KMS (a fake) and on the stand-in for a transit
engine (a fake).
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import canonical_json, digest_of, rfc3339
from sealwright.trust import (
    SIGNING_BRANCHES,
    Keyring,
    Ledger,
    SignerRefused,
    TrustRoot,
    create_server_certificate,
    follow_chain,
    issue_token,
    make_statement,
    read_chain,
    sign_model_files,
    sign_statement,
    verify_model_folder,
    verify_statement,
    verify_token,
)
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.key_revocation import KEY_REVOCATION_TYPE
from sealwright.trust.signing.client import Line
from sealwright.trust.signing.messages import Signature, SignHead

from .conftest import DECISIONS, LEDGER, Place, Samples, Tree, statement_of
from .elsewhere import (
    Kept,
    place_file,
    rotated,
)


def model_of(ring: Keyring) -> None:
    """A small model, signed by the branch "models" and verified by the trust root."""
    files = {"model.onnx": secrets.token_bytes(8)}
    bundle = sign_model_files("credit", files, ring.signer("models"))
    verify_model_folder(files, bundle, ring.trust_root.keys_of("models"))


def verified(ring: Keyring) -> bytes:
    """A statement, signed and verified by the trust root."""
    envelope = statement_of(ring)
    verify_statement(envelope, ring.trust_root.keys_of("statements"))
    return envelope


def revoking(root: TrustRoot, branch: str, *, by: str = "ada") -> bytes:
    """A list that revokes the first key of a branch, as it is signed."""
    key, now = root.keys[branch][0].key_id, rfc3339(Samples.now())
    keys = [{"key": key, "branch": branch, "reason": "compromised", "since": 0, "at": now, "by": by}]
    said = {"format": 1, "sequence": 1, "issued_at": now, "revoked": keys}
    made = make_statement([("key-revocations", digest_of(canonical_json(keys)))], KEY_REVOCATION_TYPE, said)
    return pae(IN_TOTO_PAYLOAD, made.payload)


# ---- on every home


def test_a_key_goes_there_signs_there_and_comes_back(home: Any, place: Place, tmp_path: Path) -> None:
    audit = Kept()
    first = rotated(place, "models", place_file(home, tmp_path), audit=audit)
    with place.open() as ring:
        assert ring.trust_root == first
        where = ring.places()[0]["models"]
        assert where.startswith({"pkcs11": "pkcs11, token first", "kms": "aws-kms", "vault": "vault"}[home.name])
        assert audit.events[0].detail["place"] == where
        model_of(ring)
        verified(ring)
        assert ring.places(ask=True) == ({"models": where}, {})
    last = rotated(place, "models")
    with place.open() as ring:
        assert ring.places() == ({}, {})
        model_of(ring)
        assert len(last.keys["models"]) == 3
    assert [path.name for path in place.keys.glob("models.v*")] == ["models.v3.json"]


def test_it_is_made_there_each_time_anew_and_never_lies_in_the_folder(home: Any, place: Place, tmp_path: Path) -> None:
    file = place_file(home, tmp_path)
    root = rotated(place, "models", file)
    root = rotated(place, "models", file)
    assert len({key.key_id for key in root.keys["models"]}) == 3
    assert place.stolen("statements")
    with pytest.raises(BackendUnavailable, match="no way to keys in devices"):
        place.stolen("models").sign(b"what a thief of the folder and its key file has")


def test_a_home_that_is_down_means_a_refusal_in_time_and_the_rest_goes_on_t55(
    home: Any,
    place: Place,
    tmp_path: Path,
) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        model_of(ring)
        home.fault("down")
        begun = time.monotonic()
        with pytest.raises(BackendUnavailable) as told:
            model_of(ring)
        assert time.monotonic() - begun < 8
        assert told.value.code == "keys.backend_unavailable"
        verified(ring)
        assert list(ring.places(ask=True)[1]) == ["models"]
        home.fault("down", on=False)
        time.sleep(1.6)  # for so long it is left alone
        model_of(ring)
        assert ring.places(ask=True)[1] == {}


def test_a_home_that_is_down_keeps_no_signer_from_starting(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    home.fault("down")
    with place.open() as ring:
        verified(ring)
        with pytest.raises(BackendUnavailable):
            model_of(ring)
    rotated(place, "models")  # and the branch can be taken back without it
    with place.open() as ring:
        model_of(ring)


def test_while_a_slow_home_is_waited_for_other_branches_sign_t55(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path, seconds=3.5))
    with place.open() as ring:
        model_of(ring)
        verified(ring)
        home.fault("slow")
        took = meanwhile(lambda: model_of(ring), lambda: verified(ring))
        home.fault("slow", on=False)
    assert sum(took) > 1.5, "nothing was waited for"
    assert max(took) < 1.5, "somebody waited for the device of another branch"


def test_whoever_asks_a_home_that_did_not_answer_is_refused_at_once(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        model_of(ring)
        home.fault("slow")
        with pytest.raises(BackendUnavailable):
            model_of(ring)
        begun = time.monotonic()
        with pytest.raises(BackendUnavailable, match="left alone"):
            model_of(ring)
        assert time.monotonic() - begun < 1.4
        home.fault("slow", on=False)


def test_a_home_that_lies_is_not_believed_t55(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        told: list[tuple[str, str]] = []
        ring.on_refusal(lambda branch, reason: told.append((branch, reason)))
        home.fault("lie")
        with pytest.raises(BackendLied, match="did not make over this"):
            model_of(ring)
        assert told == [("models", "keys.backend_lied")]
        verified(ring)
        home.fault("lie", on=False)
        model_of(ring)


def test_a_key_that_does_not_sign_is_not_listed(home: Any, place: Place, tmp_path: Path) -> None:
    home.fault("lie")
    audit = Kept()
    with pytest.raises(BackendLied):
        rotated(place, "models", place_file(home, tmp_path), audit=audit)
    assert audit.events == []
    home.fault("down")
    with pytest.raises(BackendUnavailable):
        rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        assert len(ring.trust_root.keys["models"]) == 1
        model_of(ring)


def test_a_key_that_was_removed_there_signs_no_more_t55(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        model_of(ring)
        home.remove_signing_key(ring.places()[0]["models"].rpartition("key ")[2])
        with pytest.raises(BackendRefused):
            model_of(ring)
        assert list(ring.places(ask=True)[1]) == ["models"]


def test_a_key_that_is_there_can_be_taken_once(home: Any, place: Place, tmp_path: Path) -> None:
    name = home.own("mine")
    mine = home.backend.make_signing_key(name, "ecdsa-p256-sha256")
    file = place_file(home, tmp_path, key=name)
    assert rotated(place, "models", file).keys["models"][-1] == mine.public()
    with place.open() as ring:
        model_of(ring)
    for branch in ("models", "tls"):
        with pytest.raises(SignerRefused) as error:
            rotated(place, branch, file)
        assert error.value.reason == "place.used"
    with pytest.raises(SignerRefused) as error:
        rotated(place, "statements", file)
    assert error.value.reason == "place.algorithm"
    with pytest.raises(BackendRefused):
        rotated(place, "tls", place_file(home, tmp_path, key=home.own("none")))


def test_a_branch_goes_only_where_its_algorithm_is(home: Any, place: Place, tmp_path: Path) -> None:
    for branch in ("releases-pq", "authority-pq"):
        with pytest.raises(SignerRefused, match="stays in a file") as error:
            rotated(place, branch, place_file(home, tmp_path))
        assert error.value.reason == "place.algorithm"
    if home.name == "kms":
        with pytest.raises(BackendRefused, match="not with 'ed25519'"):
            rotated(place, "statements", place_file(home, tmp_path))
        return
    rotated(place, "statements", place_file(home, tmp_path))
    with place.open() as ring:
        verified(ring)


def test_the_rules_of_the_branch_hold_as_before(home: Any, place: Place, tmp_path: Path, samples: Samples) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        for data in (b"", b"sign me", samples.payload("https://slsa.dev/provenance/v1", {}), samples.pointer()):
            with pytest.raises(SignerRefused) as error:
                ring.signer("models").sign(data)
            assert error.value.reason == "model.malformed"


def test_a_wrong_secret_is_told_and_a_right_one_is_read_anew(home: Any, place: Place, tmp_path: Path) -> None:
    if home.name == "kms":
        pytest.skip("kms: moto does not look at credentials")
    file = place_file(home, tmp_path)
    rotated(place, "models", file)
    secret = home.unlock.pin.path if home.name == "pkcs11" else home.unlock.token.path
    right = secret.read_text()
    with place.open() as ring:
        model_of(ring)
        secret.write_text("000000\n")
        with pytest.raises(BackendRefused) as told:
            model_of(ring)
        assert "000000" not in str(told.value)
        assert right.strip() not in str(told.value)
        verified(ring)
        secret.write_text(right)
        model_of(ring)
        secret.unlink()
        model_of(ring)  # the courier has it
    with place.open() as ring, pytest.raises(BackendRefused, match="no secret file"):
        model_of(ring)


def test_a_revoked_key_elsewhere_is_asked_for_in_vain(home: Any, place: Place, tmp_path: Path) -> None:
    rotated(place, "models", place_file(home, tmp_path))
    with place.open() as ring:
        old = ring.signer("models")
        model_of(ring)
        root = rotated(place, "models")
        made = sign_model_files("m", {"model.onnx": b"m"}, old)  # for a day
        assert made
        second = TrustRoot(root.workspace, {**root.keys, "models": root.keys["models"][1:]})
        ring.signer("authority").sign(revoking(second, "models"))
        with pytest.raises(SignerRefused) as error:
            sign_model_files("m", {"model.onnx": b"m"}, old)
        assert error.value.reason == "key.unknown"
        model_of(ring)


def test_two_signatures_of_one_statement_come_from_the_device_and_from_a_file(
    place: Place,
    tmp_path: Path,
    either: Any,
    samples: Samples,
) -> None:
    rotated(place, "statements", place_file(either, tmp_path))
    rotated(place, "releases", place_file(either, tmp_path))
    with place.open() as ring:
        gate = samples.gate(ring.signer("statements"))
        signer = ring.signer("releases").showing(gate)
        data = samples.pointer(3)
        own, second = signer.sign_together(data)
        signer.public().verify(own, data)
        signer.beside[0].public().verify(second, data)
        assert signer.beside[0].algorithm == "ml-dsa-65"
        made = make_statement([("x", samples.PACKAGE)], "https://slsa.dev/provenance/v1", {})
        verify_statement(sign_statement(made, ring.signer("statements")), ring.trust_root.keys_of("statements"))
        with pytest.raises(SignerRefused) as error:
            signer.sign_together(samples.pointer(2))
        assert error.value.reason == "pointer.older"
        with pytest.raises(SignerRefused) as error:
            ring.signer("releases").sign(samples.pointer(4))
        assert error.value.reason == "pointer.gate_missing"


def test_every_branch_that_can_be_in_a_token_signs_there(
    place: Place, tmp_path: Path, either: Any, samples: Samples
) -> None:
    file = place_file(either, tmp_path)
    branches = [name for name, algorithm in SIGNING_BRANCHES.items() if algorithm != "ml-dsa-65"]
    first = place.open().trust_root
    for branch in branches:
        last = rotated(place, branch, file)
    assert follow_chain(first, read_chain(place.keys / "trust-chain.json")) == (last, len(branches))
    with place.open() as ring:
        assert sorted(ring.places()[0]) == sorted(branches)
        model_of(ring)
        verified(ring)
        ring.signer("releases").showing(samples.gate(ring.signer("statements"))).sign_together(samples.pointer())
        ring.signer("authority").sign_together(revoking(ring.trust_root, "tokens"))
        names = {"issuer": "urn:sealwright:workspace:ws_1", "audience": "urn:sealwright:predict:ws_1"}
        now = samples.now()
        raw = issue_token(
            ring.signer("tokens"), **names, subject="b", scopes=["predict:c"], lifetime=timedelta(hours=1), now=now
        )
        verify_token(raw, ring.trust_root.keys_of("tokens"), **names, now=now)
        create_server_certificate(ring.signer("tls"), place.home / "tls", ["localhost"], now)
        with Ledger.open(place.home / "l", origin=LEDGER, signer=ring.signer("checkpoints"), create=True) as ledger:
            ledger.append("a.b", "c", {})
        line = Line(ring.lend_signer(DECISIONS))
        empty = Tree("a", 0).head(0, DECISIONS).text().encode()
        head = line.ask(SignHead(branch="decision-checkpoints", data=empty, since=0, path=[]), Signature)
        ring.trust_root.in_use("decision-checkpoints").verify(head.signature, empty)
        line.close()
    assert rotated(place, "authority").keys["authority"][-1]  # the step is signed there, and by the new file


# ---- nothing half done


def test_a_revocation_that_could_not_be_signed_can_be_signed_later(
    place: Place,
    tmp_path: Path,
    either: Any,
) -> None:
    """Each list has a new time in it: if the one that failed were remembered, no other would follow it."""
    rotated(place, "tokens")
    rotated(place, "authority", place_file(either, tmp_path))
    with place.open() as ring:
        root = ring.trust_root
        either.fault("down")
        with pytest.raises(BackendUnavailable):
            ring.signer("authority").sign_together(revoking(root, "tokens", by="ada"))
        either.fault("down", on=False)
        time.sleep(1.6)
        ring.signer("authority").sign_together(revoking(root, "tokens", by="bea"))
        with pytest.raises(SignerRefused) as error:
            ring.signer("authority").sign_together(revoking(root, "tokens", by="ada"))
        assert error.value.reason == "keys.dropped"


def test_a_pointer_that_could_not_be_signed_takes_no_number(
    place: Place,
    tmp_path: Path,
    either: Any,
    samples: Samples,
) -> None:
    rotated(place, "releases", place_file(either, tmp_path))
    with place.open() as ring:
        signer = ring.signer("releases").showing(samples.gate(ring.signer("statements")))
        for fault in ("down", "lie"):
            either.fault(fault)
            with pytest.raises((BackendUnavailable, BackendLied)):
                signer.sign_together(samples.pointer(5, reason="the first try"))
            either.fault(fault, on=False)
            time.sleep(1.6)
        signer.sign_together(samples.pointer(4, reason="another"))
        signer.sign_together(samples.pointer(5, reason="a later try"))
        with pytest.raises(SignerRefused) as error:
            signer.sign_together(samples.pointer(5, reason="once more"))
        assert error.value.reason == "pointer.older"


def test_a_rotation_whose_step_is_not_signed_changes_nothing(place: Place, tmp_path: Path, either: Any) -> None:
    rotated(place, "authority", place_file(either, tmp_path))
    before = {path.name: path.read_bytes() for path in place.keys.glob("*.json")}
    either.fault("down")
    audit = Kept()
    with pytest.raises(BackendUnavailable):
        rotated(place, "tokens", audit=audit)
    assert {path.name: path.read_bytes() for path in place.keys.glob("*.json")} == before
    assert [(one.outcome, one.detail.get("error")) for one in audit.events] == [
        ("done", None),
        ("failed", "keys.backend_unavailable"),
    ]
    either.fault("down", on=False)
    assert len(rotated(place, "tokens").keys["tokens"]) == 2


# ---- while everything runs


def test_a_standing_signer_takes_a_key_to_a_token_and_back_while_programs_run(
    standing: Any,
    place: Place,
    tmp_path: Path,
    either: Any,
) -> None:
    process = standing()
    with place.open() as before:
        old, held = verified(before), before.signer("statements")
        made = make_statement([("x", "sha256:" + "1" * 64)], "https://slsa.dev/provenance/v1", {})
        middle = rotated(place, "statements", place_file(either, tmp_path))
        verify_statement(sign_statement(made, held), middle.keys_of("statements")[:1])
        in_token = before.signer("statements")
        verify_statement(sign_statement(made, in_token), middle.keys_of("statements")[1:])
        last = rotated(place, "statements")
        verify_statement(sign_statement(made, in_token), middle.keys_of("statements")[1:])  # for a day
        verify_statement(verified(before), last.keys_of("statements")[2:])
        verify_statement(old, last.keys_of("statements"))
        assert before._link._held.started is None
        assert process.poll() is None


def test_a_signer_that_was_lent_takes_up_a_key_that_another_process_put_elsewhere(
    place: Place,
    tmp_path: Path,
    either: Any,
) -> None:
    with place.open() as ring:
        verified(ring)
        started = ring._link._held.started
        rotated(place, "statements", place_file(either, tmp_path))
        verified(ring)
        assert ring._link._held.started is started


def test_heads_of_a_server_in_a_token_wait_for_the_token_alone(place: Place, tmp_path: Path, either: Any) -> None:
    """A prediction server whose key is a file goes on while another branch's device is slow, over the same signer."""
    rotated(place, "statements", place_file(either, tmp_path, seconds=3.5))
    with place.open() as ring:
        verified(ring)
        line = Line(ring.lend_signer(DECISIONS))
        empty = Tree("a", 0).head(0, DECISIONS).text().encode()
        asked = SignHead(branch="decision-checkpoints", data=empty, since=0, path=[])
        either.fault("slow")
        took = meanwhile(lambda: verified(ring), lambda: line.ask(asked, Signature))
        either.fault("slow", on=False)
        line.close()
    assert sum(took) > 1.5
    assert max(took) < 1.5


def meanwhile(wait: Callable[[], object], work: Callable[[], object]) -> list[float]:
    """The seconds that each `work` took while `wait`, in a thread of its own, was not done."""

    def wait_for_it() -> None:
        with contextlib.suppress(BackendUnavailable):
            wait()

    waiting, took = threading.Thread(target=wait_for_it), list[float]()
    waiting.start()
    while waiting.is_alive():
        begun = time.monotonic()
        work()
        took.append(time.monotonic() - begun)
    waiting.join()
    return took
