"""A CA that was replaced says which of its certificates were taken back, and nothing else, until they have ended or it is revoked."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from sealwright.kernel import VerificationFailed
from sealwright.trust import (
    KeyListFile,
    Keyring,
    RevokedKey,
    Signer,
    SignerRefused,
    create_key_file,
    create_server_certificate,
    make_key_revocations,
    part_signing_keys,
    revoke,
    rotate_signing,
)
from sealwright.trust.certificate_form import (
    ca_name,
    ca_public_key,
    sign_certificate,
    sign_revocation_list,
)
from sealwright.trust.signing.messages import No, Sign, Signature
from sealwright.trust.signing.service import CONTROL, SigningService
from sealwright.trust.signing.vault import open_vault

from .conftest import Place
from .elsewhere import place_file

NOW = datetime.now(UTC)


class Nowhere:
    def record(self, event: Any) -> None: ...


def issue(place: Place, ring: Keyring, days: int = 90) -> x509.Certificate:
    """A server's certificate of the CA in use."""
    files = create_server_certificate(ring, place.home / "tls", ["localhost"], NOW, days)
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def rotate(place: Place, ring: Keyring) -> None:
    rotate_signing(ring, place.keys, place.unlock, "tls", audit=Nowhere(), by="ada")


def list_by(signer: Signer, days: int = 30) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca_name(signer.key_id))
        .last_update(NOW)
        .next_update(NOW + timedelta(days=days))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(signer.public())), False)
        .add_extension(x509.CRLNumber(1), False)
    )
    return sign_revocation_list(builder, signer)


def withdraw(place: Place, ring: Keyring, key_id: str, reason: str = "compromised") -> None:
    one = RevokedKey(key_id=key_id, branch="tls", reason=reason, since=0, at=NOW, by="ada")
    file = KeyListFile(place.home)
    listed = revoke(file.read(ring.trust_root, now=NOW), one, ring.trust_root, now=NOW)
    file.put(make_key_revocations(listed, ring.signer("authority")), ring.trust_root)


def files(place: Place) -> list[str]:
    return sorted(path.name for path in place.keys.glob("tls.v*"))


def test_a_replaced_ca_signs_lists_and_issues_nothing_more(place: Place, ring: Keyring) -> None:
    issue(place, ring)
    before = ring.signer("tls")
    rotate(place, ring)
    (older,) = ring.ca_keys().older
    assert older.key_id == before.key_id != ring.signer("tls").key_id
    for signer in (older, before):  # as somebody asks who was started before
        assert list_by(signer).is_signature_valid(ca_public_key(signer.public()))
        with pytest.raises(SignerRefused) as error:
            create_server_certificate(signer, place.home / "other", ["localhost"], NOW)
        assert error.value.reason == "certificate.replaced"
    assert files(place) == ["tls.v1.json", "tls.v2.json"]
    create_server_certificate(ring, place.home / "tls", ["localhost"], NOW)


def test_a_replaced_ca_does_not_even_sign_itself_again(place: Place, ring: Keyring) -> None:
    issue(place, ring)
    old = place.stolen("tls")
    rotate(place, ring)
    key = ca_public_key(old.public())
    again = (
        x509.CertificateBuilder().subject_name(ca_name(old.key_id)).issuer_name(ca_name(old.key_id)).public_key(key)
        .serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=3650))
    )  # fmt: skip
    with pytest.raises(SignerRefused) as error:
        sign_certificate(again, ring.ca_keys().older[0])
    assert error.value.reason == "certificate.replaced"


def test_a_ca_that_issued_nothing_is_destroyed_when_it_is_replaced(place: Place, ring: Keyring) -> None:
    rotate(place, ring)
    assert files(place) == ["tls.v2.json"]
    with pytest.raises(SignerRefused) as error:
        list_by(ring.ca_keys().older[0])
    assert error.value.reason == "key.unknown"


def test_every_older_ca_stays_until_its_own_certificates_have_ended(place: Place, ring: Keyring) -> None:
    for days in (10, 90):
        issue(place, ring, days)
        rotate(place, ring)
    first, second = [key.key_id for key in ring.trust_root.keys["tls"][:2]]
    moment = [NOW]
    service = SigningService(open_vault(place.keys, place.unlock), clock=lambda: moment[0])

    def asked(key: str) -> str:
        answer = service.answer(CONTROL, Sign(branch="tls", data=b"not a list", keys=[key]))
        assert isinstance(answer, No)
        return answer.reason

    assert [asked(first), asked(second)] == ["certificate.malformed"] * 2  # it was looked at
    moment[0] = NOW + timedelta(days=10, minutes=1)
    assert [asked(first), asked(second)] == ["key.unknown", "certificate.malformed"]
    assert files(place) == ["tls.v2.json", "tls.v3.json"]
    moment[0] = NOW + timedelta(days=90, minutes=1)
    assert [asked(first), asked(second)] == ["key.unknown"] * 2
    assert files(place) == ["tls.v3.json"]


@pytest.mark.parametrize("reason", ["compromised", "superseded", "destroyed"])
def test_a_revoked_ca_signs_nothing_and_is_destroyed_at_once(place: Place, ring: Keyring, reason: str) -> None:
    issue(place, ring)
    rotate(place, ring)
    older = ring.ca_keys().older[0]
    with place.open() as other:  # a second signer, which had opened it
        kept = other.ca_keys().older[0]
        list_by(kept)
        withdraw(place, ring, older.key_id, reason)
        assert files(place) == ["tls.v2.json"]
        for signer in (older, kept):
            with pytest.raises(SignerRefused) as error:
                list_by(signer)
            assert error.value.reason == "key.unknown"


def test_an_older_ca_is_still_there_for_a_signer_that_starts_later(place: Place) -> None:
    with place.open() as ring:
        issue(place, ring)
        rotate(place, ring)
    with place.open() as ring:
        (older,) = ring.ca_keys().older
        assert list_by(older).is_signature_valid(ca_public_key(older.public()))


def test_the_older_ca_goes_with_the_signing_keys_when_they_are_parted(place: Place, ring: Keyring) -> None:
    issue(place, ring)
    rotate(place, ring)
    older = ring.trust_root.keys["tls"][0].key_id
    to, key = place.home.parent / "signer", create_key_file(place.home.parent / "signer.key")
    part_signing_keys(place.keys, place.unlock, to, key, 0)
    assert files(place) == []
    service = SigningService(open_vault(to / "keys", key))
    refused = service.answer(CONTROL, Sign(branch="tls", data=b"not a list", keys=[older]))
    assert isinstance(refused, No)
    assert refused.reason == "certificate.malformed"


def test_a_key_that_somebody_put_among_the_older_ones_is_noticed(place: Place, ring: Keyring, tmp_path: Any) -> None:
    """Wrapped under our key by another rotation of a copy: the trust root does not list it."""
    issue(place, ring)
    copy = Place(shutil.copytree(place.home, tmp_path / "copy"))
    with copy.open() as other:
        rotate(copy, other)
    rotate(place, ring)
    shutil.copy(copy.keys / "tls.v2.json", place.keys / "swapped")
    issue(place, ring)
    rotate(place, ring)
    (place.keys / "swapped").rename(place.keys / "tls.v2.json")
    with pytest.raises(VerificationFailed, match="does not list"):
        open_vault(place.keys, place.unlock)


def test_what_the_signer_remembers_of_certificates_is_on_disk_before_the_signature(place: Place, ring: Keyring) -> None:
    memory = place.keys / "signed" / "certificates.json"
    issue(place, ring)
    assert ring.signer("tls").key_id in memory.read_text()
    memory.write_bytes(b"{}x")
    with pytest.raises(SignerRefused) as error:
        issue(place, ring)
    assert error.value.reason == "memory.broken"
    older = ring.trust_root.keys["tls"][0].key_id
    rotate(place, ring)  # goes on; the older key is not known to be over, and signs nothing
    assert files(place) == ["tls.v1.json", "tls.v2.json"]
    with pytest.raises(SignerRefused) as error:
        list_by(ring.ca_keys().older[0])
    assert error.value.reason == "memory.broken"
    withdraw(place, ring, older)
    assert files(place) == ["tls.v2.json"], "to revoke it, nothing else need be known"


def test_a_replaced_ca_in_a_device_signs_its_list_there_and_nothing_more(
    place: Place, ring: Keyring, either: Any, tmp_path: Any
) -> None:
    """Into the device, and out again: the older CA stays there, and is taken to be one that the trust root lists."""
    at = place_file(either, tmp_path)
    rotate_signing(ring, place.keys, place.unlock, "tls", audit=Nowhere(), by="ada", at=at)
    issue(place, ring)
    there = ring.signer("tls")
    rotate(place, ring)
    (older, *_) = ring.ca_keys().older
    assert older.key_id == there.key_id
    assert list_by(older).is_signature_valid(ca_public_key(there.public()))
    with pytest.raises(SignerRefused) as error:
        create_server_certificate(older, place.home / "other", ["localhost"], NOW)
    assert error.value.reason == "certificate.replaced"
    withdraw(place, ring, there.key_id)
    with pytest.raises(SignerRefused) as error:
        list_by(older)
    assert error.value.reason == "key.unknown"
    assert files(place) == ["tls.v3.json"]


def test_a_list_is_asked_for_with_one_key(place: Place, ring: Keyring) -> None:
    issue(place, ring)
    rotate(place, ring)
    older, newest = [key.key_id for key in ring.trust_root.keys["tls"]]
    body = list_body(ring, older)
    service = SigningService(open_vault(place.keys, place.unlock))
    assert isinstance(service.answer(CONTROL, Sign(branch="tls", data=body, keys=[older])), Signature)
    for keys in ([older, newest], [older, older], ["0" * 64]):
        refused = service.answer(CONTROL, Sign(branch="tls", data=body, keys=keys))
        assert isinstance(refused, No)
        assert refused.reason == "key.unknown"
    for branch in ("statements", "tokens", "models"):  # nor as a key of another branch
        refused = service.answer(CONTROL, Sign(branch=branch, data=body, keys=[older]))
        assert isinstance(refused, No)
        assert refused.reason == "key.unknown"


def list_body(ring: Keyring, key_id: str) -> bytes:
    """The part to be signed of a revocation list of one CA."""
    public = ca_public_key(next(key for key in ring.trust_root.keys["tls"] if key.key_id == key_id))
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(ca_name(key_id)).last_update(NOW)
        .next_update(NOW + timedelta(days=30))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)
        .add_extension(x509.CRLNumber(1), False)
    )  # fmt: skip
    return builder.sign(generate_private_key(SECP256R1()), SHA256()).tbs_certlist_bytes
