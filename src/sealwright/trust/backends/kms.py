"""Keys in AWS KMS.

The root secret is encrypted by a symmetric key with the key path as encryption context, which KMS authenticates
(https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html); P-256 keys sign. The state of a key is
asked for before each use and must be "Enabled", whatever Decrypt itself would say.
"""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sealwright.kernel import Conflict, InvalidInput, MissingExtra, NotFound, SealwrightError, check_name
from sealwright.trust.backends.deadline import within
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.backends.settings import KmsSettings
from sealwright.trust.backends.transport import checked_address
from sealwright.trust.backends.verified_signer import VerifiedSigner, refuse_other
from sealwright.trust.errors import WrongUnlock
from sealwright.trust.public_keys import ECDSA_P256, PublicKey, Signer

__all__ = ["KmsBackend"]

T = TypeVar("T")

_CONTEXT = "sealwright:path"
_MOST_RAW = 4096  # bytes KMS signs as they are; of more it is given the digest
_WAIT_DAYS = 7  # the shortest time AWS lets pass between "destroy" and destroyed
_WRONG = {"InvalidCiphertextException", "IncorrectKeyException"}
_GONE = {"NotFoundException", "DisabledException", "KMSInvalidStateException", "KeyUnavailableException"}


class KmsBackend:
    """Implements `KeyBackend`. Signing keys are found by their alias, "alias/sealwright-<name>"."""

    algorithms = (ECDSA_P256,)
    method = "aws-kms"

    def __init__(self, settings: KmsSettings) -> None:
        self._settings = settings
        self._client = _client(settings)

    def described(self) -> Mapping[str, str]:
        """Key and region."""
        return self._settings.described()

    def make_root_key(self) -> None:
        """Make the key behind the alias that the settings name, or have KMS make newer material for it."""
        alias = self._settings.key

        def make() -> None:
            if self._state(alias) is not None:
                self._client.rotate_key_on_demand(KeyId=self._usable(alias))
                return
            if not alias.startswith("alias/"):
                raise InvalidInput(f"To have a key made, name it alias/…; got {alias[:80]!r}.")
            made = self._client.create_key(Description="Sealwright root", KeyUsage="ENCRYPT_DECRYPT")
            self._client.create_alias(AliasName=alias, TargetKeyId=made["KeyMetadata"]["KeyId"])

        self._do(make)

    def wrap(self, secret: bytes, path: str) -> bytes:
        """As `RootKey.wrap`."""

        def encrypt() -> bytes:
            key = self._usable(self._settings.key)
            said = self._client.encrypt(KeyId=key, Plaintext=secret, EncryptionContext={_CONTEXT: path})
            return bytes(said["CiphertextBlob"])

        return self._do(encrypt)

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.unwrap`."""

        def decrypt() -> bytes:
            key = self._usable(self._settings.key)
            said = self._client.decrypt(CiphertextBlob=wrapped, KeyId=key, EncryptionContext={_CONTEXT: path})
            if said["KeyId"] != key:
                raise BackendLied("KMS says that another key opened this than the one it was asked for.")
            return bytes(said["Plaintext"])

        return self._do(decrypt)

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.rewrap`; the secret does not leave KMS."""

        def again() -> bytes:
            key, context = self._usable(self._settings.key), {_CONTEXT: path}
            said = self._client.re_encrypt(
                CiphertextBlob=wrapped,
                SourceKeyId=key,
                SourceEncryptionContext=context,
                DestinationKeyId=key,
                DestinationEncryptionContext=context,
            )
            return bytes(said["CiphertextBlob"])

        return self._do(again)

    def destroy(self) -> None:
        """Have KMS destroy the key after its shortest waiting time, seven days; until then it is refused as pending."""

        def schedule() -> None:
            key = self._usable(self._settings.key).rpartition("/")[2]  # its id: an alias could be moved meanwhile
            self._client.schedule_key_deletion(KeyId=key, PendingWindowInDays=_WAIT_DAYS)

        self._do(schedule)

    def make_signing_key(self, name: str, algorithm: str) -> Signer:
        """As `SigningKeys.make_signing_key`."""
        if algorithm not in self.algorithms:
            raise InvalidInput(f"In KMS we sign with {', '.join(self.algorithms)}; not with {algorithm[:40]!r}.")

        def make() -> None:
            made = self._client.create_key(
                Description=f"Sealwright {name}", KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256"
            )
            self._client.create_alias(AliasName=_alias(name), TargetKeyId=made["KeyMetadata"]["KeyId"])

        with contextlib.suppress(NotFound):
            self.signer(name)
            raise Conflict(f"KMS has a signing key {name!r} already; a key is never overwritten.")
        self._do(make)
        return self.signer(name)

    def signer(self, name: str, key: PublicKey | None = None) -> Signer:
        """As `SigningKeys.signer`."""

        def ask_public() -> tuple[str, PublicKey]:
            from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

            found = self._state(_alias(name))
            if found is None:
                raise NotFound(f"KMS has no signing key {name!r} here.")
            arn = _enabled(_alias(name), found)
            loaded = load_der_public_key(self._client.get_public_key(KeyId=arn)["PublicKey"])
            return arn, PublicKey.from_pem(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

        arn, public = self._do(ask_public)
        refuse_other(public, key, where="KMS", name=name)
        return VerifiedSigner(public, lambda data: self._do(lambda: self._sign(arn, data)), where="KMS")

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _sign(self, arn: str, data: bytes) -> bytes:
        whole = 0 < len(data) <= _MOST_RAW
        said = self._client.sign(
            KeyId=self._usable(arn),
            Message=data if whole else hashlib.sha256(data).digest(),
            MessageType="RAW" if whole else "DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return bytes(said["Signature"])

    def _usable(self, key: str) -> str:
        """The ARN of a key, if KMS says that it is enabled."""
        return _enabled(key, self._state(key) or {"KeyState": "missing"})

    def _state(self, key: str) -> Mapping[str, Any] | None:
        """What KMS says about a key; None where there is no such key."""
        try:
            found: Mapping[str, Any] = self._client.describe_key(KeyId=key)["KeyMetadata"]
        except self._client.exceptions.NotFoundException:
            return None
        return found

    def _do(self, call: Callable[[], T]) -> T:
        """`call` in time, with errors of ours."""
        try:
            return within(self._settings.seconds, call, what="KMS")
        except SealwrightError:
            raise
        except Exception as error:  # noqa: BLE001 - every library has its own; none may pass unworded
            raise _worded(error) from None


def _enabled(key: str, said: Mapping[str, Any]) -> str:
    """The ARN of a key that KMS described so, if it is enabled."""
    if said["KeyState"] != "Enabled":
        raise BackendRefused(
            f"The key {key[:100]!r} in KMS is {said['KeyState']}, so nothing is opened or signed with it.\n"
            "Enable it, or cancel its deletion, if that was a mistake."
        )
    return str(said["Arn"])


def _alias(name: str) -> str:
    return f"alias/sealwright-{check_name(name, what='key')}"


def _client(settings: KmsSettings) -> Any:
    """A client with our credentials, one try, and no look at the environment or a proxy for them."""
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.session import Session  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("AWS KMS", "kms") from None
    endpoint = settings.endpoint and checked_address(settings.endpoint, what="KMS")
    limits = Config(
        connect_timeout=settings.seconds, read_timeout=settings.seconds, retries={"total_max_attempts": 1}, proxies={}
    )
    inner = Session()
    inner.get_component("credential_provider").remove("env")
    named: dict[str, str] = {}
    if settings.credentials is not None:
        lines = settings.credentials.read().reveal().split("\n")
        if len(lines) not in (2, 3):
            raise InvalidInput(
                "AWS credentials are two or three lines: access key id, secret access key, session token."
            )
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        named = dict(zip(names, (line.strip() for line in lines), strict=False))
    session = boto3.session.Session(botocore_session=inner)
    return session.client("kms", region_name=settings.region, endpoint_url=endpoint, config=limits, **named)


def _worded(error: Exception) -> SealwrightError:
    """An error of the library without its text, which may repeat what it was given."""
    said = getattr(error, "response", None)
    code = str(said.get("Error", {}).get("Code", "")) if isinstance(said, Mapping) else ""
    status = said.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(said, Mapping) else 0
    if code in _WRONG:
        return WrongUnlock(
            "KMS does not open this: another key wrapped it, or for another key path, or it was changed."
        )
    if code and (code in _GONE or status < 500):
        return BackendRefused(f"KMS refused: {code[:60]}. Look at the key's state and at who may use it.")
    return BackendUnavailable(
        f"KMS could not be asked ({code[:60] or type(error).__name__}). Nothing was done without it."
    )
