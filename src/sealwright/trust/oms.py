"""Model signatures in the public format: OpenSSF Model Signing v1.0, key mode, ECDSA P-256.

Answers: are these exactly the files that the holder of this key signed, no more and no less? The
`model-signing` tool reads what we write, and we read what it writes.
Does not answer: which model, version or stage is this, and when was it signed? The format binds none
of these; a statement and a pointer do.

Stricter than the format and than its reference verifier, on purpose: one signature, by a known key
that the hint must name; SHA-256 per file; no ignore list beyond the format's own; no links, no empty
folders, no git files, nothing executable; unknown fields refused. See tests/trust/test_oms.py.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    digest_of,
    hex_of,
    strict_json,
)
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.oms_files import GIT_NAMES, check_file_names, read_model_folder
from sealwright.trust.public_keys import ECDSA_P256, PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = ["ModelManifest", "read_signed_list", "sign_model_files", "sign_model_folder", "verify_model_folder"]

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_MOST_BUNDLE = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManifest:
    """What a good signature covers.

    `name` is informational: the format does not bind it to anything. Never identify a model by the
    format's root digest, which ignores file names; `statement` is the digest of the signed payload.
    """

    name: str
    files: Mapping[str, str]  # relative name -> "sha256:<hex>"
    key_id: str
    statement: str


def sign_model_folder(folder: Path, signer: Signer, signature_name: str = "model.sig") -> bytes:
    """The bundle for all files in `folder` but the signature itself. The caller writes it.

    Raises
    ------
    VerificationFailed
        The folder holds something a package may not hold.
    InvalidInput
        The signer is not P-256.
    """
    files = read_model_folder(folder, signature_name)
    return sign_model_files(folder.resolve().name, files, signer, signature_name)


def sign_model_files(
    name: str,
    files: Mapping[str, bytes | tuple[str, int]],
    signer: Signer,
    signature_name: str = "model.sig",
) -> bytes:
    """The bundle for `files`: relative name -> contents, or (digest, size) if they were hashed before.

    Raises
    ------
    VerificationFailed
        A name a package may not hold.
    InvalidInput
        No name, or a signer that is not P-256.
    """
    if signer.algorithm != ECDSA_P256:
        raise InvalidInput(f"Model signatures use P-256; this signer is {signer.algorithm}. Use branch 'models'.")
    if not name:
        raise InvalidInput("A model signature needs a name for the model.")
    digests = _digests(files, signature_name)
    payload = canonical_json(
        {
            "_type": _STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": _root(sorted(digests), digests)}}],
            "predicateType": _PREDICATE,
            "predicate": {
                "resources": [
                    {"name": item, "algorithm": "sha256", "digest": hex_of(digests[item])} for item in sorted(digests)
                ],
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": sorted({signature_name, *GIT_NAMES}),
                },
            },
        }
    )
    signature = signer.sign(pae(IN_TOTO_PAYLOAD, payload))
    return canonical_json(
        {
            "mediaType": _MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _hint(signer.public())}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": encode_base64(payload),
                "payloadType": IN_TOTO_PAYLOAD,
                "signatures": [{"keyid": "", "sig": encode_base64(signature)}],
            },
        }
    )


def verify_model_folder(
    files: Mapping[str, bytes | tuple[str, int]],
    bundle: bytes,
    keys: Sequence[PublicKey],
    *,
    signature_name: str = "model.sig",
) -> ModelManifest:
    """What the bundle signs, if `files` are exactly that.

    Parameters
    ----------
    files : mapping of relative name to contents
        Every file of the package; instead of contents a pair (digest "sha256:<hex>", size in bytes).
        The signature file may be among them and is left out.
    keys : sequence of PublicKey
        Who may have signed; `TrustRoot.keys_of("models")`. None verifies nothing.

    Raises
    ------
    VerificationFailed
        Anything else; `link` names the first file that differs.
    """
    try:
        digests = _digests(files, signature_name)
        if files.get(signature_name, bundle) != bundle:
            raise VerificationFailed("The package holds another signature than the one given.", link=signature_name)
        payload, key = _signed_payload(bundle, keys, signature_name)
        name, signed = _manifest(payload, signature_name)
    except VerificationFailed:
        raise
    except (SealwrightError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise VerificationFailed(f"This is not a model signature: {str(error)[:300]}", link=signature_name) from None
    _compare(signed, digests)
    return ModelManifest(name=name, files=signed, key_id=key.key_id, statement=digest_of(payload))


def read_signed_list(payload: bytes, signature_name: str = "model.sig") -> tuple[str, dict[str, str]]:
    """Name and files (relative name -> "sha256:<hex>") in a payload of this format, signed or to be signed.

    Raises
    ------
    SealwrightError, ValueError, TypeError, KeyError, AttributeError
        It is no such payload.
    """
    return _manifest(payload, signature_name)


def _signed_payload(bundle: bytes, keys: Sequence[PublicKey], link: str) -> tuple[bytes, PublicKey]:
    """The payload under the one good signature, and the key."""
    value = _exact(
        strict_json(bundle, what=link, most_bytes=_MOST_BUNDLE), "mediaType", "verificationMaterial", "dsseEnvelope"
    )
    if value["mediaType"] != _MEDIA_TYPE:
        raise VerificationFailed(
            f"The signature is a {str(value['mediaType'])[:80]!r}; expected {_MEDIA_TYPE}.", link=link
        )
    key = _known_key(value["verificationMaterial"], keys, link)
    envelope = _exact(value["dsseEnvelope"], "payload", "payloadType", "signatures")
    if envelope["payloadType"] != IN_TOTO_PAYLOAD:
        raise VerificationFailed(f"The payload type is {str(envelope['payloadType'])[:80]!r}.", link=link)
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise VerificationFailed("A model signature holds exactly one signature.", link=link)
    signature = _exact(signatures[0], "sig", optional=("keyid",))
    if signature.get("keyid") not in (None, ""):
        raise VerificationFailed("The signature names a key where the format has none.", link=link)
    payload = decode_base64(envelope["payload"], what="The payload")
    key.verify(decode_base64(signature["sig"], what="The signature"), pae(IN_TOTO_PAYLOAD, payload))
    return payload, key


def _known_key(material: object, keys: Sequence[PublicKey], link: str) -> PublicKey:
    """The key the hint names. A bundle of another mode, without a hint or with evidence we cannot check is refused."""
    fields = _exact(material, "publicKey", optional=("tlogEntries",))
    if fields.get("tlogEntries", []) != []:
        raise VerificationFailed("The signature carries log entries, which key mode has none of.", link=link)
    hint = _exact(fields["publicKey"], "hint")["hint"]
    for key in keys:
        if key.algorithm == ECDSA_P256 and isinstance(hint, str) and hint == _hint(key):
            return key
    raise VerificationFailed(f"The model is signed by the unknown key {str(hint)[:16]!r}.", link=link)


def _manifest(payload: bytes, signature_name: str) -> tuple[str, dict[str, str]]:
    """Name and digests of the files a payload lists, every rule of the format checked."""
    statement = _exact(
        strict_json(payload, what="The payload", most_bytes=_MOST_BUNDLE),
        "_type",
        "subject",
        "predicateType",
        "predicate",
    )
    if statement["_type"] != _STATEMENT or statement["predicateType"] != _PREDICATE:
        raise VerificationFailed("The signed statement is not a model signature of version 1.0.", link=signature_name)
    predicate = _exact(statement["predicate"], "resources", "serialization")
    _check_serialization(predicate["serialization"], signature_name)
    order: list[str] = []
    digests: dict[str, str] = {}
    for resource in predicate["resources"]:
        item = _exact(resource, "name", "algorithm", "digest")
        if item["algorithm"] != "sha256" or item["name"] in digests:
            raise VerificationFailed(
                f"{str(item['name'])[:80]!r} is listed twice, or not by SHA-256.", link=signature_name
            )
        order.append(item["name"])
        digests[item["name"]] = f"sha256:{item['digest']}"
        hex_of(digests[item["name"]])
    check_file_names(order)
    if order != sorted(order) and order != sorted(order, key=PurePosixPath):  # the format's order, the tool's order
        raise VerificationFailed("The signed list of files is not sorted.", link=signature_name)
    subject = statement["subject"]
    if not isinstance(subject, list) or len(subject) != 1:
        raise VerificationFailed("A model signature has exactly one subject.", link=signature_name)
    only = _exact(subject[0], "name", "digest")
    if not isinstance(only["name"], str) or not only["name"] or only["digest"] != {"sha256": _root(order, digests)}:
        raise VerificationFailed("The subject's digest is not that of the files listed.", link=signature_name)
    return only["name"], digests


def _check_serialization(value: object, signature_name: str) -> None:
    if not isinstance(value, dict) or (value.get("method"), value.get("hash_type")) != ("files", "sha256"):
        raise VerificationFailed(
            "Only whole files hashed with SHA-256 are accepted (serialization). Sign the model again so.",
            link=signature_name,
        )
    fields = _exact(value, "method", "hash_type", "allow_symlinks", optional=("ignore_paths",))
    if fields["allow_symlinks"] is not False:
        raise VerificationFailed(
            "The signer followed symbolic links. Sign a folder of plain files.", link=signature_name
        )
    ignored = fields.get("ignore_paths", [])
    if (
        not isinstance(ignored, list)
        or len(ignored) != len(set(ignored))
        or set(ignored) - {signature_name, *GIT_NAMES}
    ):
        raise VerificationFailed("The signer chose files to leave unsigned. Sign everything.", link=signature_name)


def _compare(signed: Mapping[str, str], found: Mapping[str, str]) -> None:
    for name in sorted(set(signed) | set(found)):
        if name not in found:
            raise VerificationFailed(f"{name} was signed and is missing.", link=name)
        if name not in signed:
            raise VerificationFailed(f"{name} is in the package and was not signed.", link=name)
        if signed[name] != found[name]:
            raise VerificationFailed(f"{name} is not the file that was signed; it was changed.", link=name)


def _digests(files: Mapping[str, bytes | tuple[str, int]], signature_name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, content in files.items():
        if name != signature_name:
            found[name] = digest_of(content) if isinstance(content, bytes) else content[0]
            hex_of(found[name])
    check_file_names(found)
    return found


def _root(order: Sequence[str], digests: Mapping[str, str]) -> str:
    """The format's root digest: SHA-256 over the files' digests in listed order."""
    return hashlib.sha256(b"".join(bytes.fromhex(hex_of(digests[name])) for name in order)).hexdigest()


def _hint(key: PublicKey) -> str:
    """How the format names a key: SHA-256 of its PEM text."""
    return hashlib.sha256(key.pem.encode("ascii")).hexdigest()


def _exact(value: object, *fields: str, optional: Sequence[str] = ()) -> dict[str, Any]:
    """`value` if it is an object with exactly these fields."""
    if not isinstance(value, dict) or not set(fields) <= set(value) <= {*fields, *optional}:
        raise InvalidInput(f"expected an object with exactly the fields {', '.join(fields)}")
    return value
