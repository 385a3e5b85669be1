"""Keys, signatures, sealing, tokens and the ledger: the only room that touches cryptography.

Answers: who signed this, may it be read, and was it changed? Every `verify_*` returns what it
verified or raises; none returns a bool.
Does not answer: is what was signed good enough? That is `evidence`.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.trust.audit import Audit, Event, LedgerAudit, digest_of_resource
    from sealwright.trust.backends.unlock_file import read_unlock_file
    from sealwright.trust.backends.unlocks import KmsUnlock, Pkcs11Unlock, VaultUnlock
    from sealwright.trust.errors import KeyFileUnsafe, TokenRefused, WrongUnlock
    from sealwright.trust.key_folder import create_keyring, open_keyring
    from sealwright.trust.key_list_file import KEY_LIST, KeyListFile
    from sealwright.trust.key_revocation import (
        REASONS,
        KeyListOlder,
        KeyRevocations,
        RevokedKey,
        heed,
        make_key_revocations,
        revoke,
        verify_key_revocations,
    )
    from sealwright.trust.key_rotation import retire_branch, rotate_branch
    from sealwright.trust.keyring import SEALING_BRANCHES, Keyring
    from sealwright.trust.ledger import Appended, Ledger
    from sealwright.trust.ledger_entry import Entry, LedgerEntry
    from sealwright.trust.ledger_erase import erase_attachments
    from sealwright.trust.ledger_file import LedgerInUse, LedgerUnavailable
    from sealwright.trust.ledger_verify import LedgerReport, verify_extension, verify_ledger
    from sealwright.trust.merkle import (
        EMPTY_ROOT,
        Frontier,
        consistency_path,
        inclusion_path,
        leaf_hash,
        tree_root,
        verify_consistency,
        verify_inclusion,
    )
    from sealwright.trust.notes import Checkpoint, open_checkpoint, verify_proof
    from sealwright.trust.oms import ModelManifest, sign_model_files, sign_model_folder, verify_model_folder
    from sealwright.trust.oms_files import check_file_names, read_model_folder
    from sealwright.trust.people import (
        PERSON,
        ROLES,
        Enrolment,
        Person,
        PersonSigner,
        create_person,
        open_person,
        person_statement,
        verify_person,
    )
    from sealwright.trust.principal import EVERY_PROJECT, Principal, RoleGrant
    from sealwright.trust.pseudonyms import (
        as_pseudonym,
        keyed_name,
        person_name_key,
        pseudonym_of,
        raw_pseudonym,
    )
    from sealwright.trust.public_keys import ECDSA_P256, ED25519, ML_DSA_65, PublicKey, Signer
    from sealwright.trust.receipts import ReceiptReport, decision_detail, make_receipt, verify_receipt
    from sealwright.trust.record_sealing import open_records, seal_records
    from sealwright.trust.root_recovery import protect_root, recover_root, split_root
    from sealwright.trust.sealing import derive_key, open_sealed, seal
    from sealwright.trust.shares import Share, check_together, read_share
    from sealwright.trust.signers import LocalSigner, import_signer
    from sealwright.trust.signing_rotation import read_chain, rotate_signing
    from sealwright.trust.statements import Statement, make_statement, sign_statement, verify_statement
    from sealwright.trust.stream import open_sealed_file, open_stream, seal_file, seal_stream
    from sealwright.trust.tls import create_server_certificate
    from sealwright.trust.tls_files import TlsFiles, load_server_certificate
    from sealwright.trust.tokens import Claims, issue_token, verify_token
    from sealwright.trust.trust_chain import follow_chain
    from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot
    from sealwright.trust.unlock import (
        InsecurePassphraseForTests,
        KeyElsewhere,
        KeyFile,
        Passphrase,
        Secret,
        Unlock,
        create_key_file,
    )
    from sealwright.trust.wrapping import method_of

__all__ = [
    "Appended",
    "Audit",
    "Checkpoint",
    "Claims",
    "ECDSA_P256",
    "ED25519",
    "EMPTY_ROOT",
    "EVERY_PROJECT",
    "Enrolment",
    "Entry",
    "Event",
    "Frontier",
    "InsecurePassphraseForTests",
    "KEY_LIST",
    "KeyElsewhere",
    "KeyFile",
    "KeyFileUnsafe",
    "KeyListFile",
    "KeyListOlder",
    "KeyRevocations",
    "Keyring",
    "KmsUnlock",
    "Ledger",
    "LedgerAudit",
    "LedgerEntry",
    "LedgerInUse",
    "LedgerReport",
    "LedgerUnavailable",
    "LocalSigner",
    "ML_DSA_65",
    "ModelManifest",
    "PERSON",
    "Passphrase",
    "Person",
    "PersonSigner",
    "Pkcs11Unlock",
    "Principal",
    "PublicKey",
    "REASONS",
    "ROLES",
    "ReceiptReport",
    "RevokedKey",
    "RoleGrant",
    "SEALING_BRANCHES",
    "SECOND_SIGNED",
    "SIGNING_BRANCHES",
    "Secret",
    "Share",
    "Signer",
    "Statement",
    "TlsFiles",
    "TokenRefused",
    "TrustRoot",
    "Unlock",
    "VaultUnlock",
    "WrongUnlock",
    "as_pseudonym",
    "check_file_names",
    "check_together",
    "consistency_path",
    "create_key_file",
    "create_keyring",
    "create_person",
    "create_server_certificate",
    "decision_detail",
    "derive_key",
    "digest_of_resource",
    "erase_attachments",
    "follow_chain",
    "heed",
    "import_signer",
    "inclusion_path",
    "issue_token",
    "keyed_name",
    "leaf_hash",
    "load_server_certificate",
    "make_key_revocations",
    "make_receipt",
    "make_statement",
    "method_of",
    "open_checkpoint",
    "open_keyring",
    "open_person",
    "open_records",
    "open_sealed",
    "open_sealed_file",
    "open_stream",
    "person_name_key",
    "person_statement",
    "protect_root",
    "pseudonym_of",
    "raw_pseudonym",
    "read_chain",
    "read_model_folder",
    "read_share",
    "read_unlock_file",
    "recover_root",
    "retire_branch",
    "revoke",
    "rotate_branch",
    "rotate_signing",
    "seal",
    "seal_file",
    "seal_records",
    "seal_stream",
    "sign_model_files",
    "sign_model_folder",
    "sign_statement",
    "split_root",
    "tree_root",
    "verify_consistency",
    "verify_extension",
    "verify_inclusion",
    "verify_key_revocations",
    "verify_ledger",
    "verify_model_folder",
    "verify_person",
    "verify_proof",
    "verify_receipt",
    "verify_statement",
    "verify_token",
]

_HOME = {
    "audit": (
        "Audit",
        "Event",
        "LedgerAudit",
        "digest_of_resource",
    ),
    "errors": (
        "KeyFileUnsafe",
        "TokenRefused",
        "WrongUnlock",
    ),
    "backends.unlock_file": ("read_unlock_file",),
    "backends.unlocks": (
        "KmsUnlock",
        "Pkcs11Unlock",
        "VaultUnlock",
    ),
    "key_folder": (
        "create_keyring",
        "open_keyring",
    ),
    "key_list_file": (
        "KEY_LIST",
        "KeyListFile",
    ),
    "key_revocation": (
        "REASONS",
        "KeyListOlder",
        "KeyRevocations",
        "RevokedKey",
        "heed",
        "make_key_revocations",
        "revoke",
        "verify_key_revocations",
    ),
    "key_rotation": (
        "retire_branch",
        "rotate_branch",
    ),
    "keyring": (
        "SEALING_BRANCHES",
        "Keyring",
    ),
    "principal": (
        "EVERY_PROJECT",
        "Principal",
        "RoleGrant",
    ),
    "pseudonyms": (
        "as_pseudonym",
        "keyed_name",
        "person_name_key",
        "pseudonym_of",
        "raw_pseudonym",
    ),
    "record_sealing": (
        "open_records",
        "seal_records",
    ),
    "root_recovery": (
        "protect_root",
        "recover_root",
        "split_root",
    ),
    "shares": (
        "Share",
        "check_together",
        "read_share",
    ),
    "signing_rotation": (
        "read_chain",
        "rotate_signing",
    ),
    "trust_chain": ("follow_chain",),
    "wrapping": ("method_of",),
    "ledger": (
        "Appended",
        "Ledger",
    ),
    "ledger_entry": (
        "Entry",
        "LedgerEntry",
    ),
    "ledger_erase": ("erase_attachments",),
    "ledger_file": (
        "LedgerInUse",
        "LedgerUnavailable",
    ),
    "ledger_verify": (
        "LedgerReport",
        "verify_extension",
        "verify_ledger",
    ),
    "merkle": (
        "EMPTY_ROOT",
        "Frontier",
        "consistency_path",
        "inclusion_path",
        "leaf_hash",
        "tree_root",
        "verify_consistency",
        "verify_inclusion",
    ),
    "notes": (
        "Checkpoint",
        "open_checkpoint",
        "verify_proof",
    ),
    "oms": (
        "ModelManifest",
        "sign_model_files",
        "sign_model_folder",
        "verify_model_folder",
    ),
    "oms_files": (
        "check_file_names",
        "read_model_folder",
    ),
    "people": (
        "PERSON",
        "ROLES",
        "Enrolment",
        "Person",
        "PersonSigner",
        "create_person",
        "open_person",
        "person_statement",
        "verify_person",
    ),
    "public_keys": (
        "ECDSA_P256",
        "ED25519",
        "ML_DSA_65",
        "PublicKey",
        "Signer",
    ),
    "receipts": (
        "ReceiptReport",
        "decision_detail",
        "make_receipt",
        "verify_receipt",
    ),
    "sealing": (
        "derive_key",
        "open_sealed",
        "seal",
    ),
    "signers": (
        "LocalSigner",
        "import_signer",
    ),
    "statements": (
        "Statement",
        "make_statement",
        "sign_statement",
        "verify_statement",
    ),
    "stream": (
        "open_sealed_file",
        "open_stream",
        "seal_file",
        "seal_stream",
    ),
    "tls": ("create_server_certificate",),
    "tls_files": (
        "TlsFiles",
        "load_server_certificate",
    ),
    "tokens": (
        "Claims",
        "issue_token",
        "verify_token",
    ),
    "trust_root": (
        "SECOND_SIGNED",
        "SIGNING_BRANCHES",
        "TrustRoot",
    ),
    "unlock": (
        "InsecurePassphraseForTests",
        "KeyElsewhere",
        "KeyFile",
        "Passphrase",
        "Secret",
        "Unlock",
        "create_key_file",
    ),
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
