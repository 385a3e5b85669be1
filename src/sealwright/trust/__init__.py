"""Keys, signatures, sealing, tokens and the ledger: the only room that touches cryptography.

Answers: who signed this, may it be read, and was it changed? Every `verify_*` returns what it
verified or raises; none returns a bool.
Does not answer: is what was signed good enough? That is `evidence`.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.trust.errors import KeyFileUnsafe, TokenRefused, WrongUnlock
    from sealwright.trust.keyring import SEALING_BRANCHES, Keyring, create_keyring, open_keyring
    from sealwright.trust.public_keys import ECDSA_P256, ED25519, PublicKey, Signer
    from sealwright.trust.sealing import open_sealed, seal
    from sealwright.trust.signers import LocalSigner, import_signer
    from sealwright.trust.statements import Statement, make_statement, sign_statement, verify_statement
    from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot
    from sealwright.trust.unlock import (
        InsecurePassphraseForTests,
        KeyFile,
        Passphrase,
        Secret,
        Unlock,
        create_key_file,
    )

__all__ = [
    "ECDSA_P256",
    "ED25519",
    "InsecurePassphraseForTests",
    "KeyFile",
    "KeyFileUnsafe",
    "Keyring",
    "LocalSigner",
    "Passphrase",
    "PublicKey",
    "SEALING_BRANCHES",
    "SIGNING_BRANCHES",
    "Secret",
    "Signer",
    "Statement",
    "TokenRefused",
    "TrustRoot",
    "Unlock",
    "WrongUnlock",
    "create_key_file",
    "create_keyring",
    "import_signer",
    "make_statement",
    "open_keyring",
    "open_sealed",
    "seal",
    "sign_statement",
    "verify_statement",
]

_HOME = {
    "errors": ("KeyFileUnsafe", "TokenRefused", "WrongUnlock"),
    "keyring": ("SEALING_BRANCHES", "Keyring", "create_keyring", "open_keyring"),
    "public_keys": ("ECDSA_P256", "ED25519", "PublicKey", "Signer"),
    "sealing": ("open_sealed", "seal"),
    "signers": ("LocalSigner", "import_signer"),
    "statements": ("Statement", "make_statement", "sign_statement", "verify_statement"),
    "trust_root": ("SIGNING_BRANCHES", "TrustRoot"),
    "unlock": ("InsecurePassphraseForTests", "KeyFile", "Passphrase", "Secret", "Unlock", "create_key_file"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.trust has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.trust.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
