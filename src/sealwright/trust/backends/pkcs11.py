"""Keys in a PKCS#11 token: a hardware security module, a smart card, or SoftHSM.

The root secret is encrypted by an AES-256 key that was made in the token and cannot be taken out (CKM_AES_GCM, key path
as additional data); P-256 keys sign a SHA-256 made here (CKM_ECDSA), Ed25519 keys the data itself (CKM_EDDSA).
OASIS PKCS #11 specification 3.1. A session is opened for each call: a token that was pulled out and put back works
again, and no login outlives what it was for.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from sealwright.kernel import Conflict, InvalidInput, MissingExtra, SealwrightError
from sealwright.trust.backends.deadline import within
from sealwright.trust.backends.errors import BackendRefused, BackendUnavailable, SecretRefused
from sealwright.trust.backends.pkcs11_library import refuse_loose_library
from sealwright.trust.backends.pkcs11_pairs import private_of, public_of, signature_of
from sealwright.trust.backends.settings import Pkcs11Settings
from sealwright.trust.backends.verified_signer import VerifiedSigner, refuse_other
from sealwright.trust.errors import WrongUnlock
from sealwright.trust.public_keys import ECDSA_P256, ED25519, PublicKey, Signer

__all__ = ["Pkcs11Backend"]

T = TypeVar("T")

_NONCE, _TAG = 12, 16
_ED25519_OID = "1.3.101.112"
_ONE_AT_A_TIME = threading.Lock()  # login belongs to a process, not to a session
_LARGEST_VERSION = 0xFFFF


class Pkcs11Backend:
    """Implements `KeyBackend`. Versions of the root key share a label; their CKA_ID is the version, two bytes."""

    algorithms = (ECDSA_P256, ED25519)
    method = "pkcs11"

    def __init__(self, settings: Pkcs11Settings) -> None:
        self._settings = settings
        self._pin = settings.pin.read()

    def described(self) -> Mapping[str, str]:
        """Token and label of the key."""
        return self._settings.described()

    def make_root_key(self) -> None:
        """As `RootKey.make_root_key`: an AES-256 key, sensitive and not extractable."""
        from pkcs11 import Attribute, KeyType

        def make(session: Any) -> None:
            version = max(self._versions(session), default=0) + 1
            if version > _LARGEST_VERSION:
                raise BackendRefused("This root key has too many versions.")
            session.generate_key(
                KeyType.AES,
                256,
                label=self._settings.key,
                id=version.to_bytes(2, "big"),
                store=True,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.MODIFIABLE: False}
                | {Attribute.ENCRYPT: True, Attribute.DECRYPT: True},
            )

        self._do(make)

    def wrap(self, secret: bytes, path: str) -> bytes:
        """As `RootKey.wrap`: version (2 bytes), nonce (12), ciphertext with tag."""
        from pkcs11 import GCMParams, Mechanism

        nonce = os.urandom(_NONCE)

        def encrypt(session: Any) -> bytes:
            versions = self._versions(session)
            version = max(versions, default=0)
            key = _kept(versions.get(version), self._settings.key)
            parameters = GCMParams(nonce, path.encode(), 8 * _TAG)
            sealed: bytes = key.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
            return version.to_bytes(2, "big") + nonce + sealed

        return self._do(encrypt)

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.unwrap`."""
        from pkcs11 import GCMParams, Mechanism, PKCS11Error

        version, nonce, sealed = wrapped[:2], wrapped[2 : 2 + _NONCE], wrapped[2 + _NONCE :]
        if len(sealed) < _TAG:
            raise WrongUnlock("The wrapped secret was cut.")

        def decrypt(session: Any) -> bytes:
            key = _kept(self._versions(session).get(int.from_bytes(version, "big")), self._settings.key)
            try:
                opened: bytes = key.decrypt(
                    sealed, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, path.encode(), 8 * _TAG)
                )
            except PKCS11Error as error:  # tokens disagree on which error a wrong tag is
                raise WrongUnlock(
                    f"The token {self._settings.token!r} does not open this for {path!r} ({type(error).__name__}).\n"
                    "It was wrapped by another key or for another key path, or it was changed: restore it from your backup."
                ) from None
            return opened

        return self._do(decrypt)

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.rewrap`; the secret passes through this process, for PKCS#11 has no call for it."""
        return self.wrap(self.unwrap(wrapped, path), path)

    def destroy(self) -> None:
        """As `RootKey.destroy`."""

        def remove(session: Any) -> None:
            found = self._versions(session)
            _kept(next(iter(found.values()), None), self._settings.key)
            for key in found.values():
                key.destroy()

        self._do(remove)

    def make_signing_key(self, name: str, algorithm: str) -> Signer:
        """As `SigningKeys.make_signing_key`."""
        from pkcs11 import Attribute, KeyType, Mechanism
        from pkcs11.util.ec import encode_named_curve_parameters

        if algorithm not in self.algorithms:
            raise InvalidInput(f"A token signs with {' or '.join(self.algorithms)}; not with {algorithm[:40]!r}.")
        curved = algorithm == ECDSA_P256
        parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1" if curved else _ED25519_OID)}
        made_by = Mechanism.EC_KEY_PAIR_GEN if curved else Mechanism.EC_EDWARDS_KEY_PAIR_GEN

        def make(session: Any) -> None:
            if private_of(session, name) is not None:
                raise Conflict(f"The token has a signing key {name!r} already; a key is never overwritten.")
            domain = session.create_domain_parameters(
                KeyType.EC if curved else KeyType.EC_EDWARDS, parameters, local=True
            )
            domain.generate_keypair(
                mechanism=made_by,
                label=name,
                store=True,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True},
            )

        self._do(make)
        return self.signer(name)

    def signer(self, name: str, key: PublicKey | None = None) -> Signer:
        """As `SigningKeys.signer`."""
        public = self._do(lambda session: public_of(session, name))
        refuse_other(public, key, where=f"The token {self._settings.token!r}", name=name)
        return VerifiedSigner(
            public,
            lambda data: self._do(lambda session: signature_of(session, name, public, data)),
            where=f"The token {self._settings.token!r}",
        )

    def close(self) -> None:
        """Every call closed its own session."""

    def _versions(self, session: Any) -> dict[int, Any]:
        """The root keys of our label by version. One that could be taken out of the token is refused."""
        from pkcs11 import Attribute, ObjectClass

        found: dict[int, Any] = {}
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self._settings.key}
        for key in session.get_objects(wanted):
            if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
                raise BackendRefused(
                    f"The key {self._settings.key!r} in the token can be taken out of it, so it protects nothing.\n"
                    "Make another one that is sensitive and not extractable."
                )
            version = int.from_bytes(key[Attribute.ID], "big")
            if version in found:
                raise BackendRefused(
                    f"The token has two keys {self._settings.key!r} with id {version}; which one is it?"
                )
            found[version] = key
        return found

    def _do(self, work: Callable[[Any], T]) -> T:
        """`work` in a session of its own, in time, with errors of ours."""
        what = f"The token {self._settings.token!r}"

        def call() -> T:
            with _ONE_AT_A_TIME, self._session() as session:
                return work(session)

        try:
            return within(self._settings.seconds, call, what=what)
        except SealwrightError:
            raise
        except Exception as error:  # noqa: BLE001 - every library has its own; none may pass unworded
            raise _worded(error, what) from None

    @contextmanager
    def _session(self) -> Iterator[Any]:
        try:
            import pkcs11
        except ImportError:
            raise MissingExtra("A PKCS#11 token", "pkcs11") from None
        refuse_loose_library(self._settings.library)
        library = pkcs11.lib(str(self._settings.library))
        token = library.get_token(token_label=self._settings.token)
        with token.open(rw=True, user_pin=self._pin.reveal()) as session:
            yield session


def _kept(key: Any, name: str) -> Any:
    if key is None:
        raise BackendRefused(
            f"The token has no key {name!r} of that version. It was destroyed, or this is another token.\n"
            "Put in the token these keys were wrapped with, or recover the root from its shares: sealwright keys recover"
        )
    return key


_NOT_THERE = (
    *("NoSuchToken", "TokenNotPresent", "DeviceRemoved", "DeviceError", "DeviceMemory", "LibraryUnloaded"),
    *("GeneralError", "FunctionFailed", "SessionClosed", "SessionHandleInvalid", "SlotIDInvalid", "TokenNotRecognised"),
)


def _worded(error: Exception, what: str) -> SealwrightError:
    """An error of the library without its text, which may repeat what it was given."""
    name = type(error).__name__
    if name.startswith("Pin"):
        return SecretRefused(f"{what} does not take the PIN ({name}). After a few more tries it may lock itself.")
    if name in _NOT_THERE or (
        isinstance(error, OSError | RuntimeError) and not type(error).__module__.startswith("pkcs11")
    ):
        return BackendUnavailable(f"{what} is not there ({name}). Is it plugged in, and the path of its library right?")
    return BackendRefused(f"{what} refused ({name}).")
