"""An authenticator and a browser in one, in software, that can also lie: for tests of passkeys.

Writes what Web Authentication Level 3 defines: client data (5.8.1), authenticator data (6.1), "none" attestation (8.7).
"""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, AT = 0x01, 0x04, 0x40
Answer = dict[str, Any]


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SoftAuthenticator:
    """One credential. Every argument of `make` and `get` beyond the options is a lie on request."""

    def __init__(
        self, algorithm: str = "ES256", *, origin: str = "https://models.example.org", counts: bool = True
    ) -> None:
        self.algorithm, self.origin, self.count = algorithm, origin, 0
        self.counts = counts
        self.id = os.urandom(32)
        self._key = (
            ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()
        )

    def cose(self) -> bytes:
        public = self._key.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})
        numbers = public.public_numbers()  # type: ignore[union-attr]
        x, y = (value.to_bytes(32, "big") for value in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def make(self, options: Mapping[str, Any], *, flags: int = UP | UV, fmt: str = "none", **lies: Any) -> Answer:
        """The answer to navigator.credentials.create()."""
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self.cose()
        data = self._data(lies.pop("rp_id", options["rp"]["id"]), flags | AT) + attested
        attestation = cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"], **lies)
        return self._answer(
            {"clientDataJSON": b64(client), "attestationObject": b64(attestation), "transports": ["usb"]}
        )

    def get(self, options: Mapping[str, Any], *, flags: int = UP | UV, step: int = 1, **lies: Any) -> Answer:
        """The answer to navigator.credentials.get(); the count goes up by `step`."""
        self.count += step if self.counts else 0
        data = self._data(lies.pop("rp_id", options["rpId"]), flags)
        client = self._client(lies.pop("type", "webauthn.get"), lies.pop("challenge", options["challenge"]), **lies)
        signature = self._sign(data + hashlib.sha256(client).digest())
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": b"x"}
        return self._answer({name: b64(part) for name, part in parts.items()})

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: str, *, origin: str = "", **more: Any) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(said | more).encode()

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        return self._key.sign(data, ec.ECDSA(SHA256()))

    def _answer(self, response: Mapping[str, Any]) -> Answer:
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": dict(response)}
