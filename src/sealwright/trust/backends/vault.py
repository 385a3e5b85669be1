"""Keys in the transit engine of Vault or OpenBao.

The root secret is encrypted by a derived AES-256-GCM key: the key path is its context, from which the engine derives the
key that encrypts, so that another path means another key; the path is also the associated data. Ed25519 and P-256 keys
sign. https://developer.hashicorp.com/vault/api-docs/secret/transit
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sealwright.kernel import Conflict, InvalidInput, MissingExtra, NotFound, SealwrightError, check_name
from sealwright.trust.backends.deadline import within
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.backends.settings import VaultSettings
from sealwright.trust.backends.transport import checked_address
from sealwright.trust.backends.verified_signer import VerifiedSigner, refuse_other
from sealwright.trust.errors import WrongUnlock
from sealwright.trust.public_keys import ECDSA_P256, ED25519, PublicKey, Signer

__all__ = ["VaultBackend"]

T = TypeVar("T")

_KINDS = {ECDSA_P256: "ecdsa-p256", ED25519: "ed25519"}
_CIPHERTEXT = re.compile(rb"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}")


class VaultBackend:
    """Implements `KeyBackend`."""

    algorithms = (ED25519, ECDSA_P256)
    method = "vault"

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._client = _client(settings)
        self._transit = self._client.secrets.transit

    def described(self) -> Mapping[str, str]:
        """Mount and key."""
        return self._settings.described()

    def make_root_key(self) -> None:
        """As `RootKey.make_root_key`."""
        mount, name = self._settings.mount, self._settings.key

        def make() -> None:
            if self._key(name) is None:
                self._transit.create_key(name=name, key_type="aes256-gcm96", derived=True, mount_point=mount)
            else:
                self._usable()
                self._transit.rotate_key(name=name, mount_point=mount)

        self._do(make)

    def wrap(self, secret: bytes, path: str) -> bytes:
        """As `RootKey.wrap`: the text the engine gives, "vault:v<version>:…"."""

        def encrypt() -> bytes:
            self._usable()
            return self._ciphertext("encrypt", {"plaintext": base64.b64encode(secret).decode()}, path)

        return self._do(encrypt)

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.unwrap`."""

        def decrypt() -> bytes:
            self._usable()
            said = self._ask("decrypt", {"ciphertext": _text(wrapped)}, path)
            try:
                return base64.b64decode(said["plaintext"], validate=True)
            except (KeyError, TypeError, binascii.Error):
                raise BackendLied("The transit engine returned something that is no plaintext.") from None

        return self._do(decrypt)

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.rewrap`; the secret does not leave the engine."""

        def again() -> bytes:
            self._usable()
            return self._ciphertext("rewrap", {"ciphertext": _text(wrapped)}, path)

        return self._do(again)

    def destroy(self) -> None:
        """As `RootKey.destroy`: allow deletion, then delete."""
        mount, name = self._settings.mount, self._settings.key

        def delete() -> None:
            self._usable()
            self._transit.update_key_configuration(name=name, deletion_allowed=True, mount_point=mount)
            self._transit.delete_key(name=name, mount_point=mount)

        self._do(delete)

    def make_signing_key(self, name: str, algorithm: str) -> Signer:
        """As `SigningKeys.make_signing_key`."""
        kind = _KINDS.get(algorithm)
        if kind is None:
            raise InvalidInput(f"The transit engine signs with {' or '.join(_KINDS)}; not with {algorithm[:40]!r}.")
        check_name(name, what="key")

        def make() -> None:
            if self._key(name) is not None:
                raise Conflict(f"The transit engine has a key {name!r} already; a key is never overwritten.")
            self._transit.create_key(name=name, key_type=kind, mount_point=self._settings.mount)

        self._do(make)
        return self.signer(name)

    def signer(self, name: str, key: PublicKey | None = None) -> Signer:
        """As `SigningKeys.signer`. It signs with that version, or the newest, also after a rotation in the engine."""
        check_name(name, what="key")
        versions = self._do(lambda: self._publics(name))
        version = next((number for number, one in versions.items() if one == key), max(versions))
        public, where = versions[version], f"The transit engine at {self._settings.url}"
        refuse_other(public, key, where=where, name=name)
        return VerifiedSigner(
            public, lambda data: self._do(lambda: self._sign(name, version, public, data)), where=where
        )

    def close(self) -> None:
        """End the connection, forget the token."""
        self._client.token = None
        self._client.adapter.close()

    def _sign(self, name: str, version: int, public: PublicKey, data: bytes) -> bytes:
        body: dict[str, Any] = {"input": base64.b64encode(data).decode(), "key_version": version}
        if public.algorithm == ECDSA_P256:
            body |= {"hash_algorithm": "sha2-256", "marshaling_algorithm": "asn1"}
        said = self._client.adapter.post(f"/v1/{self._settings.mount}/sign/{name}", json=body)
        text = str(_data(said).get("signature", ""))
        prefix = f"vault:v{version}:"
        try:
            return base64.b64decode(text.removeprefix(prefix) if text.startswith(prefix) else "", validate=True)
        except binascii.Error:
            raise BackendLied("The transit engine returned something that is no signature.") from None

    def _publics(self, name: str) -> dict[int, PublicKey]:
        """The public halves of a pair that cannot be taken out of the engine, by version."""
        key = self._key(name)
        if key is None:
            raise NotFound(f"The transit engine has no key {name!r}.")
        if key.get("exportable") is not False or key.get("allow_plaintext_backup") is not False:
            raise BackendRefused(
                f"The key {name!r} can be taken out of the transit engine, so it is no safer there than in a file.\n"
                "Make another one that is neither exportable nor open to plaintext backup."
            )
        try:
            load = _loaded if key["type"] == "ed25519" else PublicKey.from_pem
            found = {int(version): load(one["public_key"]) for version, one in key["keys"].items()}
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            found = {}
        if not found:
            raise BackendLied(f"The transit engine describes the key {name!r} in a way we do not know.")
        return found

    def _usable(self) -> None:
        """Refuse a root key that is gone, is not derived, or can be taken out."""
        key = self._key(self._settings.key)
        if key is None:
            raise BackendRefused(
                f"The transit engine has no key {self._settings.key!r}. It was destroyed, or this is another engine.\n"
                "Restore it there, or recover the root from its shares: sealwright keys recover"
            )
        safe = key.get("derived") is True and key.get("exportable") is False
        if not safe or key.get("allow_plaintext_backup") is not False or key.get("type") != "aes256-gcm96":
            raise BackendRefused(
                f"The key {self._settings.key!r} must be of type aes256-gcm96, derived, and neither exportable nor open to "
                "plaintext backup: else it does not bind the key path, or can be taken out."
            )

    def _key(self, name: str) -> Mapping[str, Any] | None:
        from hvac.exceptions import InvalidPath  # type: ignore[import-untyped]

        try:
            return _data(self._transit.read_key(name=name, mount_point=self._settings.mount))
        except InvalidPath:
            return None

    def _ask(self, verb: str, body: Mapping[str, str], path: str) -> Mapping[str, Any]:
        """One call on the root key, with the path as context and as associated data."""
        bound = base64.b64encode(path.encode()).decode()
        address = f"/v1/{self._settings.mount}/{verb}/{self._settings.key}"
        return _data(self._client.adapter.post(address, json={**body, "context": bound, "associated_data": bound}))

    def _ciphertext(self, verb: str, body: Mapping[str, str], path: str) -> bytes:
        text = str(self._ask(verb, body, path).get("ciphertext", "")).encode()
        if not _CIPHERTEXT.fullmatch(text):
            raise BackendLied("The transit engine returned something that is no ciphertext. It was not written down.")
        return text

    def _do(self, call: Callable[[], T]) -> T:
        """`call` in time, with errors of ours."""
        try:
            return within(self._settings.seconds, call, what=f"The transit engine at {self._settings.url}")
        except SealwrightError:
            raise
        except Exception as error:  # noqa: BLE001 - every library has its own; none may pass unworded
            raise _worded(error) from None


def _client(settings: VaultSettings) -> Any:
    """A client that takes nothing from the environment and follows no redirect with our token."""
    try:
        import hvac  # type: ignore[import-untyped]
        import requests
    except ImportError:
        raise MissingExtra("Vault or OpenBao", "vault") from None
    for part in (settings.key, *settings.mount.split("/")):
        check_name(part, what="key or mount")
    session = requests.Session()
    session.trust_env = False
    session.verify = str(settings.ca) if settings.ca is not None else True
    return hvac.Client(
        url=checked_address(settings.url, what="Vault"),
        token=settings.token.read().reveal(),
        namespace=settings.namespace,
        timeout=settings.seconds,
        allow_redirects=False,
        session=session,
    )


def _data(said: Any) -> Mapping[str, Any]:
    found = said.get("data") if isinstance(said, Mapping) else None
    if not isinstance(found, Mapping):
        raise BackendLied("The transit engine answered in a form we do not know.")
    return found


def _text(wrapped: bytes) -> str:
    if not _CIPHERTEXT.fullmatch(wrapped):
        raise WrongUnlock("This is not what a transit engine wrapped. It was cut or changed.")
    return wrapped.decode("ascii")


def _loaded(text: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    return PublicKey.from_pem(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _worded(error: Exception) -> SealwrightError:
    """An error of the library without its text, which may repeat what it was given."""
    from hvac import exceptions

    name = type(error).__name__
    if isinstance(error, exceptions.InvalidRequest):  # 400: the engine says no more than that
        return WrongUnlock(
            "The transit engine does not open or make this (400): another key or version, another key path, or a changed byte."
        )
    if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized):
        return BackendRefused(f"The transit engine does not let this token do that ({name}).")
    if isinstance(error, exceptions.InvalidPath):
        return BackendRefused("The transit engine has no such key or mount. It was destroyed, or never was.")
    return BackendUnavailable(f"The transit engine could not be asked ({name}). Nothing was done without it.")
