"""A strict stand-in for the transit engine of Vault or OpenBao, over a real loopback socket. A fake: name it so.

It does what the API's documentation says of the calls we make, and refuses what we must never send: an unknown field, a
missing token, a derived key without a context. Faults are switched on by the tests: `down`, `seconds`, `lie`.
https://developer.hashicorp.com/vault/api-docs/secret/transit
"""

import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["FakeTransit"]

Json = dict[str, Any]
_FIELDS = {
    "encrypt": {"plaintext", "context", "associated_data"},
    "decrypt": {"ciphertext", "context", "associated_data"},
    "rewrap": {"ciphertext", "context", "associated_data"},
    "sign": {"input", "key_version", "hash_algorithm", "marshaling_algorithm"},
    "keys": {"type", "derived", "convergent_encryption", "exportable", "allow_plaintext_backup"},
    "config": {"deletion_allowed", "min_decryption_version", "min_encryption_version"}
    | {"exportable", "allow_plaintext_backup"},
    "rotate": set(),
}


class Refusal(Exception):
    """An HTTP status and nothing else, as the engine answers."""

    def __init__(self, status: int, why: str = "refused") -> None:
        self.status, self.why = status, why


class Key:
    """One named key with its versions."""

    def __init__(self, said: Json) -> None:
        self.type, self.derived = said["type"], bool(said.get("derived"))
        self.flags = {name: bool(said.get(name)) for name in ("exportable", "allow_plaintext_backup")}
        self.deletion_allowed, self.least = False, 1
        self.versions: list[Any] = []
        self.rotate()

    def rotate(self) -> None:
        makers = {
            "aes256-gcm96": lambda: os.urandom(32),
            "ed25519": Ed25519PrivateKey.generate,
            "ecdsa-p256": lambda: generate_private_key(SECP256R1()),
        }
        self.versions.append(makers[self.type]())

    def told(self) -> Json:
        return {
            "type": self.type,
            "derived": self.derived,
            **self.flags,
            "deletion_allowed": self.deletion_allowed,
            "min_decryption_version": self.least,
            "latest_version": len(self.versions),
            "keys": {str(place): self._public(one) for place, one in enumerate(self.versions, start=1)},
        }

    def _public(self, one: Any) -> Any:
        if self.type == "ed25519":
            return {"public_key": base64.b64encode(one.public_key().public_bytes_raw()).decode()}
        if self.type == "ecdsa-p256":
            pem = one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return {"public_key": pem.decode()}
        return 1700000000

    def cipher(self, version: int, said: Json) -> tuple[AESGCM, bytes]:
        if not self.least <= version <= len(self.versions):
            raise Refusal(400, "version")
        if self.derived != ("context" in said):
            raise Refusal(400, "context")
        info = base64.b64decode(said["context"], validate=True)
        key = HKDF(SHA256(), 32, salt=None, info=info).derive(self.versions[version - 1])
        return AESGCM(key), base64.b64decode(said.get("associated_data", ""), validate=True)


class FakeTransit:
    """The engine. Use it in a `with` block."""

    def __init__(self, token: str = "a-token-of-the-fake") -> None:
        self.token, self.keys = token, dict[str, Key]()
        self.down, self.seconds, self.lie = False, 0.0, False
        self.seen: list[Json] = []
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

            def do_DELETE(self) -> None:
                self._answer({})

            def _answer(self, said: Json) -> None:
                time.sleep(engine.seconds)
                if engine.down:
                    return self._send(503, {"errors": ["Vault is sealed"]})
                try:
                    if self.headers.get("X-Vault-Token") != engine.token:
                        raise Refusal(403, "permission denied")
                    answer = engine.answer(self.command, self.path.split("/")[1:], said)
                except Refusal as refused:
                    return self._send(refused.status, {"errors": [refused.why]})
                return self._send(200 if answer else 204, {"data": answer} if answer else None)

            def _send(self, status: int, body: Json | None) -> None:
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: list[str], said: Json) -> Json | None:
        version, mount, verb, name, *rest = path
        if (version, mount) != ("v1", "transit"):
            raise Refusal(404, "no handler for route")
        what = rest[0] if rest else verb
        if set(said) - _FIELDS.get(what, set()):
            raise Refusal(400, "unknown field")
        self.seen.append({"verb": what, **said})
        if verb == "keys" and method == "POST" and not rest:
            self.keys.setdefault(name, Key(said))
            return self.keys[name].told()
        key = self.keys.get(name)
        if key is None:
            raise Refusal(404, "no existing key")
        if verb == "keys":
            return self._manage(method, name, key, what, said)
        return getattr(self, f"_{verb}")(key, said)  # type: ignore[no-any-return]

    def _manage(self, method: str, name: str, key: Key, what: str, said: Json) -> Json | None:
        if what == "rotate":
            key.rotate()
        elif what == "config":
            key.deletion_allowed = said.get("deletion_allowed", key.deletion_allowed)
            key.least = said.get("min_decryption_version", key.least)
        elif method == "DELETE":
            if not key.deletion_allowed:
                raise Refusal(400, "deletion is not allowed for this key")
            del self.keys[name]
            return None
        return key.told()

    def _encrypt(self, key: Key, said: Json) -> Json:
        version, nonce = len(key.versions), os.urandom(12)
        cipher, aad = key.cipher(version, said)
        sealed = nonce + cipher.encrypt(nonce, base64.b64decode(said["plaintext"], validate=True), aad)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}", "key_version": version}

    def _decrypt(self, key: Key, said: Json) -> Json:
        version, sealed = self._parts(said["ciphertext"])
        cipher, aad = key.cipher(version, said)
        try:
            opened = cipher.decrypt(sealed[:12], sealed[12:], aad)
        except InvalidTag:
            raise Refusal(400, "cipher: message authentication failed") from None
        return {"plaintext": base64.b64encode(opened).decode()}

    def _rewrap(self, key: Key, said: Json) -> Json:
        bound = {name: said[name] for name in ("context", "associated_data") if name in said}
        return self._encrypt(key, self._decrypt(key, said) | bound)

    def _sign(self, key: Key, said: Json) -> Json:
        data, version = base64.b64decode(said["input"], validate=True), said["key_version"]
        private = key.versions[version - 1]
        if key.type == "ed25519":
            signature = private.sign(data)
        elif (said.get("hash_algorithm"), said.get("marshaling_algorithm")) == ("sha2-256", "asn1"):
            signature = private.sign(data, ECDSA(SHA256()))
        else:
            raise Refusal(400, "algorithm")
        if self.lie:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return {"signature": f"vault:v{version}:{base64.b64encode(signature).decode()}", "key_version": version}

    @staticmethod
    def _parts(text: str) -> tuple[int, bytes]:
        mark, version, sealed = text.split(":")
        try:
            return int(version.removeprefix("v")), base64.b64decode(sealed, validate=mark == "vault")
        except ValueError:
            raise Refusal(400, "invalid ciphertext") from None
