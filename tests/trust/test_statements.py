"""A statement says what its signers wrote, byte for byte, or it says nothing."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of, strict_json
from sealwright.trust import (
    ECDSA_P256,
    ED25519,
    LocalSigner,
    PublicKey,
    Statement,
    make_statement,
    sign_statement,
    verify_statement,
)
from sealwright.trust.dsse import pae
from sealwright.trust.strict_base64 import (
    decode_base64,
    decode_base64url,
    encode_base64,
    encode_base64url,
)

ONE, TWO, EVIL = (LocalSigner(ED25519, bytes([n]) * 32) for n in (1, 2, 3))
CURVE = LocalSigner(ECDSA_P256, b"\1" * 32)
KEYS = (ONE.public(), TWO.public())
MODEL = digest_of(b"model")
KIND = "urn:sealwright:predicate:test:v1"
STATEMENT = make_statement([("model.onnx", MODEL)], KIND, {"metric": 0.75, "note": "fein – ☃", "n": 1})
SIGNED = sign_statement(STATEMENT, ONE, TWO)


def changed(**fields: object) -> bytes:
    return canonical_json({**strict_json(SIGNED), **fields})


def signatures() -> list[dict[str, str]]:
    found: list[dict[str, str]] = strict_json(SIGNED)["signatures"]
    return found


def signed_payload(payload: bytes, *signers: LocalSigner, payload_type: str = "application/vnd.in-toto+json") -> bytes:
    """An honest signature over any payload: what a careless signer could have made."""
    message = pae(payload_type, payload)
    return canonical_json(
        {
            "payload": encode_base64(payload),
            "payloadType": payload_type,
            "signatures": [{"keyid": s.key_id, "sig": encode_base64(s.sign(message))} for s in signers],
        }
    )


# ---- vectors


def test_pae_is_that_of_the_dsse_specification() -> None:
    """github.com/secure-systems-lab/dsse, protocol.md v1.0.0, section Test Vectors."""
    wanted = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == wanted


def test_the_signature_of_the_dsse_specification_verifies() -> None:
    """Same place: P-256 key given as integers, signature as r || s."""
    d = 97358161215184420915383655311931858321456579547487070936769975997791359926199
    signer = LocalSigner(ECDSA_P256, d.to_bytes(32, "big"))
    x, y = signer.public().raw()[1:33], signer.public().raw()[33:]
    assert int.from_bytes(x, "big") == 46950820868899156662930047687818585632848591499744589407958293238635476079160
    assert int.from_bytes(y, "big") == 5640078356564379163099075877009565129882514886557779369047442380624545832820
    raw = decode_base64(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==", what="sig"
    )
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signer.public().verify(der, pae("http://example.com/HelloWorld", b"hello world"))


def test_another_dsse_implementation_accepts_our_envelope() -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    data = json.loads(SIGNED)
    envelope = Envelope.from_dict({**data, "signatures": data["signatures"]})
    keys = [SSlibKey.from_crypto(load_pem_public_key(key.pem.encode()), keyid=key.key_id) for key in KEYS]
    assert set(envelope.verify(keys, 2)) == {ONE.key_id, TWO.key_id}


# ---- what goes right


def test_what_was_stated_comes_back() -> None:
    statement = verify_statement(SIGNED, KEYS, predicate_type=KIND, threshold=2)
    assert statement == STATEMENT
    assert statement.subjects == (("model.onnx", MODEL),)
    assert statement.subject_digests == (MODEL,)
    assert statement.predicate == {"metric": 0.75, "note": "fein – ☃", "n": 1}
    assert statement.digest == digest_of(statement.payload)


def test_the_payload_is_an_in_toto_statement() -> None:
    assert json.loads(STATEMENT.payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model.onnx", "digest": {"sha256": MODEL[7:]}}],
        "predicateType": KIND,
        "predicate": {"metric": 0.75, "note": "fein – ☃", "n": 1},
    }


def test_both_key_kinds_sign_one_statement() -> None:
    data = sign_statement(STATEMENT, ONE, CURVE)
    assert verify_statement(data, [CURVE.public(), ONE.public()], threshold=2) == STATEMENT


def test_the_digest_does_not_depend_on_who_signed() -> None:
    assert verify_statement(sign_statement(STATEMENT, ONE), KEYS).digest == verify_statement(SIGNED, KEYS).digest


def test_changing_what_the_caller_passed_changes_no_statement() -> None:
    predicate: dict[str, Any] = {"list": [1]}
    statement = make_statement([("m", MODEL)], KIND, predicate)
    predicate["list"].append(2)
    assert statement.predicate == {"list": [1]}
    assert strict_json(statement.payload)["predicate"] == {"list": [1]}


_TEXT = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=20)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(_TEXT, _VALUES, max_size=5), st.dictionaries(_TEXT, st.binary(max_size=4), min_size=1, max_size=4)
)
@settings(max_examples=80, deadline=None)
def test_any_json_survives_signing(predicate: dict[str, Any], subjects: dict[str, bytes]) -> None:
    pairs = [(name, digest_of(data)) for name, data in subjects.items()]
    statement = verify_statement(sign_statement(make_statement(pairs, KIND, predicate), ONE), KEYS)
    assert statement.subjects == tuple(pairs)
    assert canonical_json(statement.predicate) == canonical_json(predicate)


# ---- what must be refused


def test_every_bit_of_an_envelope_counts() -> None:
    for at in range(len(SIGNED)):
        for bit in (1, 2, 32, 128):
            with pytest.raises(VerificationFailed):
                verify_statement(SIGNED[:at] + bytes([SIGNED[at] ^ bit]) + SIGNED[at + 1 :], KEYS)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_deleted_inserted_or_cut_byte_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SIGNED) - 1))
    byte = bytes([data.draw(st.integers(0, 255))])
    for other in (SIGNED[:at], SIGNED[:at] + SIGNED[at + 1 :], SIGNED[:at] + byte + SIGNED[at:], SIGNED + byte):
        if other != SIGNED:
            with pytest.raises(VerificationFailed):
                verify_statement(other, KEYS)


def test_stripped_signatures_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="found 0"):
        verify_statement(changed(signatures=[]), KEYS)
    with pytest.raises(VerificationFailed, match="Expected 2 to 2"):
        verify_statement(changed(signatures=signatures()[:1]), KEYS, threshold=2)
    with pytest.raises(VerificationFailed, match="exactly the fields"):
        verify_statement(canonical_json({k: v for k, v in strict_json(SIGNED).items() if k != "signatures"}), KEYS)


def test_an_extra_signature_by_an_unknown_key_is_refused() -> None:
    """DSSE would skip it; a signature nobody can check makes the envelope refused."""
    data = sign_statement(STATEMENT, ONE, EVIL)
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(data, KEYS)


def test_more_signatures_than_known_keys_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="Expected 1 to 1"):
        verify_statement(SIGNED, KEYS[:1])


def test_a_signature_repeated_does_not_count_twice() -> None:
    twice = changed(signatures=[signatures()[0], signatures()[0]])
    for threshold in (1, 2):
        with pytest.raises(VerificationFailed, match="signed twice"):
            verify_statement(twice, KEYS, threshold=threshold)


def test_one_key_listed_twice_does_not_reach_a_threshold_of_two() -> None:
    with pytest.raises(VerificationFailed, match="1 key"):
        verify_statement(sign_statement(STATEMENT, ONE), [ONE.public(), ONE.public()], threshold=2)


def test_a_wrong_signature_beside_a_good_one_is_refused() -> None:
    good, other = signatures()
    with pytest.raises(VerificationFailed, match="not by key"):
        verify_statement(changed(signatures=[good, {**other, "sig": good["sig"]}]), KEYS)


def test_a_signature_under_another_keys_name_is_refused() -> None:
    good, other = signatures()
    swapped = [{**good, "keyid": other["keyid"]}, {**other, "keyid": good["keyid"]}]
    with pytest.raises(VerificationFailed, match="not by key"):
        verify_statement(changed(signatures=swapped), KEYS)


@pytest.mark.parametrize("keyid", ["", None, 7, [], ONE.key_id.upper(), ONE.key_id[:16]])
def test_a_signature_without_its_exact_key_id_is_refused(keyid: object) -> None:
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(changed(signatures=[{**signatures()[0], "keyid": keyid}]), KEYS)


def test_a_signature_by_another_key_is_refused() -> None:
    forged = signed_payload(STATEMENT.payload, EVIL).replace(EVIL.key_id.encode(), ONE.key_id.encode())
    with pytest.raises(VerificationFailed, match="not by key"):
        verify_statement(forged, KEYS)


def test_no_trusted_key_verifies_nothing() -> None:
    for threshold in (0, 1):
        with pytest.raises(VerificationFailed, match=r"0 key\(s\)"):
            verify_statement(SIGNED, [], threshold=threshold)
    with pytest.raises(VerificationFailed):
        verify_statement(changed(signatures=[]), KEYS, threshold=0)


def test_a_changed_payload_type_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="payload type"):
        verify_statement(changed(payloadType="application/json"), KEYS)
    other = signed_payload(STATEMENT.payload, ONE, payload_type="application/json")
    with pytest.raises(VerificationFailed, match="payload type"):
        verify_statement(other, KEYS)
    relabelled = other.replace(b"application/json", b"application/vnd.in-toto+json")
    with pytest.raises(VerificationFailed, match="not by key"):
        verify_statement(relabelled, KEYS)


@pytest.mark.parametrize(
    "change",
    [{"extra": 1}, {"payload": None}, {"payload": ""}, {"signatures": {}}, {"signatures": [None]}, {"signatures": [{}]},
     {"signatures": [{"keyid": ONE.key_id, "sig": 7}]}, {"signatures": "x"}, {"payloadType": None}],
)  # fmt: skip
def test_other_fields_of_an_envelope_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(VerificationFailed):
        verify_statement(changed(**change), KEYS)
    extra = {**signatures()[0], "cert": "x"}
    with pytest.raises(VerificationFailed, match="exactly the fields keyid and sig"):
        verify_statement(changed(signatures=[extra]), KEYS)


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"7", b'"x"', b"\xff\xfe", b"{" * 1000, b"[" * 5000])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        verify_statement(data, KEYS)


def test_another_spelling_of_the_same_envelope_is_refused() -> None:
    value = json.loads(SIGNED)
    for other in (
        json.dumps(value).encode(),
        json.dumps(value, indent=1).encode(),
        SIGNED + b"\n",
        b"\xef\xbb\xbf" + SIGNED,
    ):
        with pytest.raises(VerificationFailed):
            verify_statement(other, KEYS)


def test_a_duplicate_key_in_envelope_or_payload_is_refused() -> None:
    """Parsers disagree which one counts."""
    doubled = SIGNED.replace(b'{"payload":', b'{"payload":"AAAA","payload":', 1)
    with pytest.raises(VerificationFailed, match="twice"):
        verify_statement(doubled, KEYS)
    payload = STATEMENT.payload.replace(b'{"_type"', b'{"_type":"x","_type"', 1)
    with pytest.raises(VerificationFailed, match="twice"):
        verify_statement(signed_payload(payload, ONE), KEYS)


def test_a_payload_that_is_not_canonical_is_refused_though_signed() -> None:
    value = json.loads(STATEMENT.payload)
    backwards = dict(reversed(value.items()))
    for payload in (
        json.dumps(value).encode(),
        json.dumps(backwards, separators=(",", ":"), ensure_ascii=False).encode(),
        STATEMENT.payload.replace(b'"n":1', b'"n":1.0'),
        STATEMENT.payload.replace(b"0.75", b"7.5e-1"),
        STATEMENT.payload.replace(b"fein", b"\\u0066ein"),
        STATEMENT.payload + b" ",
    ):
        with pytest.raises(VerificationFailed, match="canonical"):
            verify_statement(signed_payload(payload, ONE), KEYS)


def test_a_payload_of_another_shape_is_refused_though_signed() -> None:
    value = json.loads(STATEMENT.payload)
    subject = value["subject"][0]
    changes: list[dict[str, object]] = [
        {"extra": 1},
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicate": []},
        {"predicate": None},
        {"predicateType": ""},
        {"predicateType": 7},
        {"predicateType": "a\u200bb"},
        {"subject": []},
        {"subject": {}},
        {"subject": [subject, subject]},
        {"subject": [{**subject, "name": ""}]},
        {"subject": [{**subject, "name": "a\nb"}]},
        {"subject": [{**subject, "name": "a\u202eb"}]},
        {"subject": [{**subject, "uri": "x"}]},
        {"subject": [{**subject, "digest": {}}]},
        {"subject": [{**subject, "digest": {"sha1": "00"}}]},
        {"subject": [{**subject, "digest": {**subject["digest"], "sha1": "00"}}]},
        {"subject": [{**subject, "digest": {"sha256": subject["digest"]["sha256"].upper()}}]},
        {"subject": [{**subject, "digest": {"sha256": "abc"}}]},
        {"subject": [{**subject, "digest": {"sha256": 7}}]},
        {"subject": ["x"]},
    ]
    for change in changes:
        with pytest.raises(VerificationFailed):
            verify_statement(signed_payload(canonical_json({**value, **change}), ONE), KEYS)
    for payload in (b"[]", b"null", b"", b"\xff"):
        with pytest.raises(VerificationFailed):
            verify_statement(signed_payload(payload, ONE), KEYS)


def test_another_kind_of_statement_is_refused_where_one_is_expected() -> None:
    with pytest.raises(VerificationFailed, match=f"expected '{KIND}x'"):
        verify_statement(SIGNED, KEYS, predicate_type=KIND + "x")


def test_a_statement_cannot_be_made_in_a_wrong_state() -> None:
    with pytest.raises(InvalidInput, match="at least one subject"):
        make_statement([], KIND, {})
    with pytest.raises(InvalidInput, match="same name"):
        make_statement([("m", MODEL), ("m", MODEL)], KIND, {})
    with pytest.raises(InvalidInput, match="digest looks like"):
        make_statement([("m", MODEL[7:])], KIND, {})
    with pytest.raises(InvalidInput, match="canonical JSON"):
        make_statement([("m", MODEL)], KIND, {"x": float("nan")})
    with pytest.raises(InvalidInput, match="predicate type"):
        make_statement([("m", MODEL)], "", {})
    with pytest.raises(InvalidInput, match="exactly the fields"):
        Statement(b"{}")


def test_signing_needs_different_signers() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        sign_statement(STATEMENT)
    with pytest.raises(InvalidInput, match="no key twice"):
        sign_statement(STATEMENT, ONE, LocalSigner(ED25519, b"\1" * 32))


# ---- base64 with one spelling


@given(st.binary(max_size=50))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert decode_base64(encode_base64(data), what="x") == data
    assert decode_base64url(encode_base64url(data), what="x") == data


@pytest.mark.parametrize(
    "text", ["QUI", "QUJ=", "QUI= ", "QU I=", "QUI\n=", "QUI==", "-_-_", "QUI=\n", "ÄÄÄÄ", None, 7, b"QUI="]
)
def test_other_spellings_of_base64_are_refused(text: object) -> None:
    with pytest.raises(VerificationFailed, match="one canonical spelling"):
        decode_base64(text, what="x")


@pytest.mark.parametrize("text", ["QUI=", "QUJ", "Q", "QU I", "++++", "QUI\n"])
def test_other_spellings_of_base64url_are_refused(text: str) -> None:
    with pytest.raises(VerificationFailed, match="one canonical spelling"):
        decode_base64url(text, what="x")


def test_a_frozen_key_is_what_verifies() -> None:
    key: PublicKey = ONE.public()
    with pytest.raises(AttributeError):
        key.pem = TWO.public().pem  # type: ignore[misc]
