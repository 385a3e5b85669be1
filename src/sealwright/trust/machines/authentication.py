"""Who is at the token endpoint: exactly one proof, the one the client was registered with (RFC 6749 §2.3).

Answers: which active client sent this request? Every refusal looks the same from outside (401, invalid_client), whether the
client is unknown, removed, or its proof is wrong; the event says which.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from sealwright.engines import Database
from sealwright.kernel import Conflict, SealwrightError, VerificationFailed, check_name
from sealwright.trust.machines import store
from sealwright.trust.machines.api_keys import same_digest
from sealwright.trust.machines.assertions import ASSERTION_TYPE, subject_of, verify_assertion
from sealwright.trust.machines.messages import OAuthError, OAuthRequest
from sealwright.trust.machines.model import Client
from sealwright.trust.machines.service import secret_digest

__all__ = ["Authenticated", "PeerCheck", "authenticate"]

_NOBODY = "0" * 64  # compared for clients that do not exist, so that an answer takes as long


class PeerCheck(Protocol):
    """Which service a client certificate is for."""

    def __call__(self, certificate: bytes, now: datetime) -> tuple[str, str]:
        """The service's name and the certificate's thumbprint, or VerificationFailed."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A client whose proof held. `thumbprint` is "" unless the proof was a certificate."""

    client: Client
    thumbprint: str = ""


def authenticate(
    request: OAuthRequest,
    form: Mapping[str, str],
    db: Database,
    *,
    endpoint: str,
    now: datetime,
    peer: PeerCheck | None,
) -> Authenticated:
    """The client that sent `request`.

    Parameters
    ----------
    endpoint : str
        URL of the token endpoint: the audience of assertions.
    peer : PeerCheck, optional
        Left out, no client can prove itself by a certificate.

    Raises
    ------
    OAuthError
        invalid_request: two proofs at once. invalid_client: anything else.
    """
    shown = [name for name in ("client_secret", "client_assertion") if name in form]
    if request.authorization:
        shown.append("authorization")
    if len(shown) > 1:
        raise OAuthError("invalid_request", "Use one way to authenticate, not two.", reason="client.two_proofs")
    if "client_assertion" in form or "client_assertion_type" in form:
        return _by_assertion(form, db, endpoint, now)
    if shown:
        return _by_secret(request, form, db)
    if request.certificate and peer is not None and "client_id" in form:
        return _by_certificate(request.certificate, form["client_id"], db, peer, now)
    raise _unknown(form.get("client_id", ""), "client.no_proof")


def _by_secret(request: OAuthRequest, form: Mapping[str, str], db: Database) -> Authenticated:
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    if request.authorization:
        basic = _basic(request.authorization)
        if name and name != basic[0]:
            raise OAuthError("invalid_request", "The request names two clients.", reason="client.two_names")
        name, secret = basic
    found, kept = _look_up(db, name)
    right = same_digest(secret_digest(secret), kept or _NOBODY)
    if found is None or found.proof != "secret" or kept is None or not right:
        raise _unknown(name, _why(found, "secret", "client.wrong_secret"))
    return Authenticated(found)


def _by_assertion(form: Mapping[str, str], db: Database, endpoint: str, now: datetime) -> Authenticated:
    raw = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise _unknown(form.get("client_id", ""), "client.assertion_type")
    try:
        name = subject_of(raw)
        if form.get("client_id", name) != name:
            raise VerificationFailed("The request names two clients.")
        found, _ = _look_up(db, name)
        if found is None or found.public_key is None:
            raise _unknown(name, _why(found, "private_key_jwt", "client.unknown"))
        assertion = verify_assertion(raw, found.public_key, client=name, audience=endpoint, now=now)
    except SealwrightError:
        raise _unknown("", "client.wrong_assertion") from None
    try:
        with db.write() as tx:
            fresh = store.use_assertion(tx, name, assertion.jti, assertion.until)
    except Conflict:  # the same one, side by side
        fresh = False
    if not fresh:
        raise _unknown(name, "client.assertion_replayed")
    return Authenticated(found)


def _by_certificate(certificate: bytes, name: str, db: Database, peer: PeerCheck, now: datetime) -> Authenticated:
    found, _ = _look_up(db, name)
    try:
        service, thumbprint = peer(certificate, now)
    except SealwrightError:
        raise _unknown(name, "client.wrong_certificate") from None
    if found is None or found.proof != "tls_client_auth" or service != found.id:
        raise _unknown(name, _why(found, "tls_client_auth", "client.wrong_certificate"))
    return Authenticated(found, thumbprint)


def _look_up(db: Database, name: str) -> tuple[Client | None, str | None]:
    """An active client and the hash of its secret."""
    try:
        check_name(name, what="client")
    except SealwrightError:
        return None, None
    with db.read() as tx:
        found = store.client(tx, name)
    return found if found is not None and found[0].state == "active" else (None, None)


def _basic(header: str) -> tuple[str, str]:
    """Name and secret of an Authorization header: each form-encoded, then both base64 (RFC 6749 §2.3.1)."""
    scheme, _, value = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (ValueError, binascii.Error):
        raise _unknown("", "client.basic_form") from None
    if not colon:
        raise _unknown("", "client.basic_form")
    return unquote(name), unquote(secret)


def _why(found: Client | None, proof: str, otherwise: str) -> str:
    if found is None:
        return "client.unknown"
    return otherwise if found.proof == proof else "client.other_proof"


def _unknown(name: str, reason: str) -> OAuthError:
    return OAuthError("invalid_client", "The client could not be authenticated.", reason=reason, client=name[:64])
