"""A receipt proves one decision offline, to whoever holds the public key, and nothing it does not cover."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust import (
    PROMISE_SECONDS,
    Entry,
    Ledger,
    LocalSigner,
    Promised,
    TrustRoot,
    WitnessPolicy,
    decision_detail,
    make_receipts,
    prepare_decision,
    proved_anew,
    verify_receipt,
    with_cosignatures,
)
from sealwright.trust.ledger_entry import FIRST_PREVIOUS, prepare
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
    promised: Promised
    receipt: bytes  # with a proof
    given: bytes  # as it was given out, with a promise


def record(ledger: Ledger, *, answer: bytes = ANSWER, decision: str = "dec_1", salt: bytes = SALT) -> Promised:
    entry = prepare_decision(
        decision=decision,
        model="german-credit",
        package=PACKAGE,
        request=REQUEST,
        answer=answer,
        salt=salt,
        sealed=b"sealed record",
    )
    return ledger.keep([entry]).result()


def receipt_of(promised: Promised, *, answer: bytes = ANSWER, decision: str = "dec_1") -> bytes:
    (receipt,) = make_receipts(promised, [(decision, SALT, answer)])
    return receipt


def proved(ledger: Ledger, receipt: bytes) -> bytes:
    """With the proof under a checkpoint that covers it."""
    ledger.append("filler", "checkpoint", {})
    return proved_anew(receipt, ledger.proof(json.loads(json.loads(receipt)["entry"])["i"]))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=SIGNER, create=True) as ledger:
        ledger.append_many([Entry(action="filler", subject=str(number), detail={}) for number in range(5)])
        promised = record(ledger)
        given = receipt_of(promised)
        yield Made(ledger, promised, proved(ledger, given), given)


def changed(receipt: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(receipt), **fields}).encode()


def test_a_receipt_proves_request_answer_package_and_place(made: Made) -> None:
    report = verify_receipt(made.receipt, KEYS, request=REQUEST, origin=ORIGIN)
    assert (report.decision, report.model, report.package) == ("dec_1", "german-credit", PACKAGE)
    assert (report.index, report.size, report.origin) == (5, 7, ORIGIN)
    assert report.answer.encode() == ANSWER
    assert any("request given" in line for line in report.checked)
    assert not any("request" in line for line in report.not_checked)


def test_a_receipt_has_the_published_fields_and_holds_nothing_else(made: Made) -> None:
    value = json.loads(made.receipt)
    assert set(value) == {"type", "decision", "entry", "proof", "salt", "answer"}
    assert value["type"] == "urn:sealwright:receipt:v2"
    assert [value["entry"].encode()] == made.promised.leaves
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


def test_another_request_or_answer_or_decision_is_noticed_t70(made: Made) -> None:
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
    other = receipt_of(record(made.ledger, decision="dec_2", answer=b"{}"), decision="dec_2", answer=b"{}")
    receipt = json.loads(proved(made.ledger, other))
    for fields in (
        {"proof": receipt["proof"]},
        {"entry": receipt["entry"]},
        {"entry": receipt["entry"], "proof": receipt["proof"]},
    ):
        with pytest.raises(VerificationFailed):
            verify_receipt(changed(made.receipt, **fields), KEYS, request=REQUEST)


def test_a_receipt_by_another_key_or_of_another_log_is_refused(made: Made, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "forged", origin=ORIGIN, signer=THIEF, create=True) as ledger:
        given = receipt_of(record(ledger))
        forged = [given, proved(ledger, given)]
    for receipt in forged:
        with pytest.raises(VerificationFailed, match="No trusted key"):
            verify_receipt(receipt, KEYS, request=REQUEST)
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
    detail = decision_detail(decision="dec_1", model="m", request=REQUEST, answer=ANSWER, salt=SALT)
    no_package = made.ledger.append("decision", "not a digest", detail)
    for entry in (filler, no_package, made.ledger.append("filler", PACKAGE, {})):
        with pytest.raises(VerificationFailed):
            verify_receipt(changed(made.receipt, entry=entry.leaf.decode(), proof=entry.proof.decode()), KEYS)


def test_nobody_gets_the_receipt_of_anothers_decision(made: Made) -> None:
    with pytest.raises(InvalidInput, match="does not record its decision"):
        receipt_of(made.promised, decision="dec_2")
    with pytest.raises(InvalidInput, match="2 decisions were given for 1 entries"):
        make_receipts(made.promised, [("dec_1", SALT, ANSWER)] * 2)
    for wrong in ({"salt": b"short"}, {"decision": 'dec"1'}, {"decision": ""}, {"answer": b"", "salt": b""}):
        with pytest.raises(InvalidInput):
            record(made.ledger, **wrong)  # type: ignore[arg-type]


def test_a_receipt_that_holds_a_promise_says_what_is_proved_and_what_is_not_yet(made: Made) -> None:
    report = verify_receipt(made.given, KEYS, request=REQUEST, origin=ORIGIN)
    assert (report.decision, report.index, report.size, report.origin) == ("dec_1", 5, None, ORIGIN)
    assert any("promised that the receipt's entry was on disk as number 5" in line for line in report.checked)
    assert any("holds no proof yet" in line for line in report.not_checked)
    with pytest.raises(VerificationFailed, match="belongs to the log"):
        verify_receipt(made.given, KEYS, origin="example.org/ws_2/decisions")
    witness = Cosigner("witness.example/w1", LocalSigner("ed25519", b"\x03" * 32))
    with pytest.raises(VerificationFailed, match="no proof yet"):
        verify_receipt(made.given, KEYS, witnesses=WitnessPolicy((witness.key,)))


def test_what_was_only_handed_to_the_disk_is_never_said_to_be_on_it(made: Made) -> None:
    entry = prepare_decision(
        decision="dec_9", model="m", package=PACKAGE, request=REQUEST, answer=ANSWER, salt=SALT, sealed=b"s"
    )
    receipt = receipt_of(made.ledger.keep([entry], on_disk=False).result(), decision="dec_9")
    assert any("was handed to the disk" in line for line in verify_receipt(receipt, KEYS).checked)
    with pytest.raises(VerificationFailed):
        verify_receipt(receipt.replace(b"\\ntaken\\n", b"\\nkept\\n"), KEYS)


def test_a_promise_is_followed_by_a_checkpoint_within_its_time(made: Made) -> None:
    promised = record(made.ledger, decision="dec_2")
    limit = time.monotonic() + PROMISE_SECONDS
    while made.ledger.size <= promised.first:
        assert time.monotonic() < limit + 4.0  # a busy machine
        time.sleep(0.02)
    anew = proved_anew(receipt_of(promised, decision="dec_2"), made.ledger.proof(promised.first))
    assert verify_receipt(anew, KEYS, request=REQUEST).index == promised.first


def test_many_decisions_of_one_batch_each_have_their_own_way_to_the_promise(made: Made) -> None:
    for count in (1, 2, 3, 7, 8, 13):
        entries = [
            prepare_decision(
                decision=f"dec_{at}",
                model="m",
                package=PACKAGE,
                request=b"%d" % at,
                answer=ANSWER,
                salt=SALT,
                sealed=b"s",
            )
            for at in range(count)
        ]
        promised = made.ledger.keep(entries).result()
        receipts = make_receipts(promised, [(f"dec_{at}", SALT, ANSWER) for at in range(count)])
        for at, receipt in enumerate(receipts):
            report = verify_receipt(receipt, KEYS, request=b"%d" % at)
            assert (report.decision, report.index) == (f"dec_{at}", promised.first + at)
        assert promised.promises() == [json.loads(receipt)["promise"].encode() for receipt in receipts]


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_the_quick_entry_of_a_decision_is_the_general_one(
    request: bytes, answer: bytes, salt: bytes, sealed: bytes
) -> None:
    known = {"decision": "dec_0f", "model": "german-credit", "request": request, "answer": answer, "salt": salt}
    quick = prepare_decision(**known, package=PACKAGE, sealed=sealed)  # type: ignore[arg-type]
    detail = decision_detail(**known)  # type: ignore[arg-type]
    slow = prepare(Entry(action="decision", subject=PACKAGE, detail=detail, attachment=sealed))
    for index, at in ((0, "2026-11-27T00:00:00.000Z"), (7, "2026-11-27T00:00:01.000Z")):
        assert quick.leaf(index, FIRST_PREVIOUS, at) == slow.leaf(index, FIRST_PREVIOUS, at)
    assert (quick.line_end, len(quick)) == (slow.line_end, len(slow))


@pytest.mark.parametrize("which", ["receipt", "given"])
def test_any_flipped_bit_of_a_receipt_is_noticed(made: Made, which: str) -> None:
    receipt: bytes = getattr(made, which)
    verify_receipt(receipt, KEYS, request=REQUEST)
    for at in range(len(receipt)):
        for bit in (at % 7, 7):
            flipped = bytearray(receipt)
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
        {"promise": "both"},
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
    index = made.promised.first
    anew = proved_anew(made.receipt, made.ledger.proof(index, under=cosigned))
    found = verify_receipt(anew, KEYS, request=REQUEST, witnesses=policy)
    assert "enough of the witnesses named cosigned that checkpoint" in found.checked
    verify_receipt(anew, KEYS, request=REQUEST)  # who knows no witness reads it as before
    other = made.ledger.proof(index + 1)
    with pytest.raises(VerificationFailed, match="another entry"):
        proved_anew(made.receipt, other)
