"""A receipt proves one decision offline, to whoever holds the public key, and nothing it does not cover."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust import (
    Appended,
    Entry,
    Ledger,
    LocalSigner,
    TrustRoot,
    WitnessPolicy,
    decision_detail,
    make_receipt,
    proved_anew,
    verify_receipt,
    with_cosignatures,
)
from sealwright.trust.witness.cosignature import Cosigner

ORIGIN = "example.org/ws_1/decisions"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
THIEF = LocalSigner("ed25519", b"\x02" * 32)
KEYS = [SIGNER.public()]
SALT = bytes(range(32))
PACKAGE = "sha256:" + "c" * 64
REQUEST = b'{"row": {"age": 41, "purpose": "caf\xc3\xa9 \xe2\x82\xac"}}'
ANSWER = b'{"outcome":"good","probability":0.81}'


@dataclass
class Made:
    ledger: Ledger
    appended: Appended
    receipt: bytes


def record(ledger: Ledger, *, answer: bytes = ANSWER, decision: str = "dec_1", salt: bytes = SALT) -> Appended:
    detail = decision_detail(decision=decision, model="german-credit", request=REQUEST, answer=answer, salt=salt)
    return ledger.append("decision", PACKAGE, detail, b"sealed record")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=SIGNER, create=True) as ledger:
        ledger.append_many([Entry(action="filler", subject=str(number), detail={}) for number in range(5)])
        appended = record(ledger)
        yield Made(ledger, appended, make_receipt(appended, salt=SALT, answer=ANSWER))


def changed(receipt: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(receipt), **fields}).encode()


def test_a_receipt_proves_request_answer_package_and_place(made: Made) -> None:
    report = verify_receipt(made.receipt, KEYS, request=REQUEST, origin=ORIGIN)
    assert (report.decision, report.model, report.package) == ("dec_1", "german-credit", PACKAGE)
    assert (report.index, report.size, report.origin) == (5, 6, ORIGIN)
    assert report.answer.encode() == ANSWER
    assert any("request given" in line for line in report.checked)
    assert not any("request" in line for line in report.not_checked)


def test_a_receipt_has_the_published_fields_and_holds_nothing_else(made: Made) -> None:
    value = json.loads(made.receipt)
    assert set(value) == {"type", "decision", "entry", "proof", "salt", "answer"}
    assert value["type"] == "urn:sealwright:receipt:v1"
    assert value["entry"].encode() == made.appended.leaf
    assert value["proof"].startswith("c2sp.org/tlog-proof@v1\nindex 5\n")
    assert value["salt"] == SALT.hex()
    assert b"sealed record" not in made.receipt
    assert REQUEST not in made.receipt


def test_without_the_request_the_report_says_so(made: Made) -> None:
    report = verify_receipt(made.receipt, KEYS)
    assert any("request was not given" in line for line in report.not_checked)
    assert not any("request" in line for line in report.checked)


def test_spacing_may_differ_because_every_field_is_text(made: Made) -> None:
    assert verify_receipt(json.dumps(json.loads(made.receipt), indent=2).encode(), KEYS, request=REQUEST).index == 5


def test_another_request_or_answer_or_decision_is_noticed(made: Made) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verify_receipt(made.receipt, KEYS, request=REQUEST + b" ")
    assert caught.value.link == "receipt/request"
    for field, value in (
        ("answer", ANSWER.decode().replace("good", "bad")),
        ("decision", "dec_2"),
        ("salt", "00" * 32),
    ):
        with pytest.raises(VerificationFailed) as caught:
            verify_receipt(changed(made.receipt, **{field: value}), KEYS, request=REQUEST)
        assert caught.value.link == ("receipt/answer" if field == "salt" else f"receipt/{field}")


def test_the_proof_of_another_entry_does_not_serve(made: Made) -> None:
    other = record(made.ledger, decision="dec_2", answer=b"{}")
    receipt = json.loads(make_receipt(other, salt=SALT, answer=b"{}"))
    for fields in (
        {"proof": receipt["proof"]},
        {"entry": receipt["entry"]},
        {"entry": receipt["entry"], "proof": receipt["proof"]},
    ):
        with pytest.raises(VerificationFailed):
            verify_receipt(changed(made.receipt, **fields), KEYS, request=REQUEST)


def test_a_receipt_by_another_key_or_of_another_log_is_refused(made: Made, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "forged", origin=ORIGIN, signer=THIEF, create=True) as ledger:
        forged = make_receipt(record(ledger), salt=SALT, answer=ANSWER)
    with pytest.raises(VerificationFailed, match="No trusted key"):
        verify_receipt(forged, KEYS, request=REQUEST)
    with pytest.raises(VerificationFailed, match="belongs to the log"):
        verify_receipt(made.receipt, KEYS, origin="example.org/ws_2/decisions")
    with pytest.raises(Refused, match="nothing can be verified"):
        verify_receipt(made.receipt, [])


def test_the_keys_come_from_the_trust_root(made: Made) -> None:
    root = TrustRoot("ws_1", {"decision-checkpoints": (SIGNER.public(),), "checkpoints": (THIEF.public(),)})
    assert verify_receipt(made.receipt, root.keys_of("decision-checkpoints"), request=REQUEST).index == 5
    with pytest.raises(VerificationFailed):
        verify_receipt(made.receipt, root.keys_of("checkpoints"))


def test_an_entry_that_records_no_decision_is_no_receipt(made: Made) -> None:
    filler = made.ledger.append("filler", "not a digest", {"decision": "dec_1", "answer": "sha256:" + "0" * 64})
    with pytest.raises(InvalidInput, match="does not record this answer"):
        make_receipt(filler, salt=SALT, answer=ANSWER)
    detail = decision_detail(decision="dec_1", model="m", request=REQUEST, answer=ANSWER, salt=SALT)
    no_package = made.ledger.append("decision", "not a digest", detail)
    for entry in (filler, no_package, made.ledger.append("filler", PACKAGE, {})):
        with pytest.raises(VerificationFailed):
            verify_receipt(changed(made.receipt, entry=entry.leaf.decode(), proof=entry.proof.decode()), KEYS)


def test_a_receipt_is_only_made_for_the_answer_that_was_recorded(made: Made) -> None:
    with pytest.raises(InvalidInput, match="does not record this answer"):
        make_receipt(made.appended, salt=SALT, answer=ANSWER + b" ")
    with pytest.raises(InvalidInput, match="32 random bytes"):
        decision_detail(decision="d", model="m", request=b"", answer=b"", salt=b"short")


def test_any_flipped_bit_of_a_receipt_is_noticed(made: Made) -> None:
    verify_receipt(made.receipt, KEYS, request=REQUEST)
    for at in range(len(made.receipt)):
        for bit in (at % 7, 7):
            flipped = bytearray(made.receipt)
            flipped[at] ^= 1 << bit
            with pytest.raises(VerificationFailed):
                verify_receipt(bytes(flipped), KEYS, request=REQUEST)


@pytest.mark.parametrize(
    "fields",
    [
        {"extra": "x"},
        {"type": "urn:other"},
        {"salt": "zz"},
        {"salt": ""},
        {"salt": 5},
        {"answer": None},
        {"proof": ""},
        {"entry": "\ud800"},
    ],
)
def test_a_malformed_receipt_is_refused(made: Made, fields: dict[str, object]) -> None:
    with pytest.raises(VerificationFailed):
        verify_receipt(changed(made.receipt, **fields), KEYS)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_receipt_or_refused_never_a_crash(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        verify_receipt(data, KEYS)


def test_a_receipt_is_proved_anew_under_a_checkpoint_that_witnesses_cosigned(made: Made) -> None:
    witness = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x03" * 32))
    policy = WitnessPolicy((witness.key,))
    with pytest.raises(VerificationFailed, match="0 of the witnesses"):
        verify_receipt(made.receipt, KEYS, witnesses=policy)
    note = made.ledger.checkpoint()
    cosigned = with_cosignatures(note, witness.sign(note, 1), [witness.key])
    made.ledger.append("a.b", "s", {})  # and the ledger went on
    index = made.appended.index
    anew = proved_anew(made.receipt, made.ledger.proof(index, under=cosigned))
    found = verify_receipt(anew, KEYS, request=REQUEST, witnesses=policy)
    assert "enough of the witnesses named cosigned that checkpoint" in found.checked
    verify_receipt(anew, KEYS, request=REQUEST)  # who knows no witness reads it as before
    other = made.ledger.proof(index + 1)
    with pytest.raises(VerificationFailed, match="another entry"):
        proved_anew(made.receipt, other)
