"""Keys, signatures, sealing, tokens and the ledger: the only room that touches cryptography.

Answers: who signed this, may it be read, and was it changed? Every `verify_*` returns what it
verified or raises; none returns a bool.
Does not answer: is what was signed good enough? That is `evidence`.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.trust.audit import Audit, Event, LedgerAudit
    from sealwright.trust.authority import as_request
    from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
    from sealwright.trust.backends.unlock_file import read_unlock_file
    from sealwright.trust.backends.unlocks import KmsUnlock, Pkcs11Unlock, VaultUnlock
    from sealwright.trust.ca_keys import CaKeys
    from sealwright.trust.decision_entries import DECISION, decision_detail, prepare_decision
    from sealwright.trust.discretion import Discretion, digest_of_resource
    from sealwright.trust.errors import KeyFileUnsafe, TokenRefused, WrongUnlock
    from sealwright.trust.flood import FloodGuard
    from sealwright.trust.followed_root import FollowedRoot
    from sealwright.trust.handing_over import Holds, KeyInbox, Reached, hand_over, opened_offer
    from sealwright.trust.identity.approval_by_key import (
        ApprovalBySecurityKey,
        approval_challenge,
        verify_approval_by_key,
    )
    from sealwright.trust.identity.enrolment_links import EnrolmentLink, EnrolmentOffer
    from sealwright.trust.identity.errors import (
        FreshProofNeeded,
        LastFactor,
        LinkRefused,
        LoginRefused,
        PasswordUnsuitable,
        ProofRefused,
        SessionOver,
        SignInBusy,
        TooManyTries,
    )
    from sealwright.trust.identity.first_factor import FirstPasskey
    from sealwright.trust.identity.identity import Identity, open_identity
    from sealwright.trust.identity.login_steps import SecondFactorNeeded, SignedIn
    from sealwright.trust.identity.oidc import OidcArrival, OidcLogin, OidcStart
    from sealwright.trust.identity.oidc_configured import read_oidc_settings, secret_in_file
    from sealwright.trust.identity.oidc_errors import OidcRefused, OidcUnavailable
    from sealwright.trust.identity.oidc_settings import OIDC_ALGORITHMS, GroupRole, OidcSettings
    from sealwright.trust.identity.passkey_public import PasskeyPublic, passkey_statement, verify_passkey
    from sealwright.trust.identity.passkeys import Passkey
    from sealwright.trust.identity.password_cost import ARGON2ID, PBKDF2, HashCost, insecure_cost_for_tests
    from sealwright.trust.identity.proofs import PasskeyAnswer, RecoveryCode, TotpCode
    from sealwright.trust.identity.rules import IdentityRules
    from sealwright.trust.identity.session_row import NewSession, Session
    from sealwright.trust.identity.totp import TotpOffer
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
        standing_cas,
        verify_key_revocations,
    )
    from sealwright.trust.key_rotation import KEPT_TO_READ, retire_branch, rotate_branch
    from sealwright.trust.keyring import SEALING_BRANCHES, Keyring
    from sealwright.trust.ledger import Appended, Ledger, Promised
    from sealwright.trust.ledger_entry import Entry, LedgerEntry, Prepared
    from sealwright.trust.ledger_erase import erase_attachments, release_attachments
    from sealwright.trust.ledger_file import LedgerInUse, LedgerUnavailable
    from sealwright.trust.ledger_packed import read_entries
    from sealwright.trust.ledger_packing import Packing, pack_entries
    from sealwright.trust.ledger_patience import wait_for_checkpoint
    from sealwright.trust.ledger_shared import SharedAudit, SharedLedger
    from sealwright.trust.ledger_verify import LedgerReport, verify_extension, verify_ledger
    from sealwright.trust.machines.access_list import (
        ACCESS_LIST,
        EMPTY_ACCESS,
        AccessList,
        AccessListOlder,
        sign_access_list,
        verify_access_list,
    )
    from sealwright.trust.machines.api_keys import API_KEY_PATTERN, API_KEY_PREFIX
    from sealwright.trust.machines.certificates import ServiceCertificates
    from sealwright.trust.machines.identify import identify_service
    from sealwright.trust.machines.messages import OAuthAnswer, OAuthRequest
    from sealwright.trust.machines.metadata import jwks_document, metadata_document
    from sealwright.trust.machines.model import INTROSPECT, ApiKey, Certificate, Client, TokenSettings
    from sealwright.trust.machines.peers import (
        CallRefused,
        PeerVerifier,
        ServiceCalls,
        ServiceIdentity,
        certificate_thumbprint,
        mutual_client_context,
        mutual_server_context,
        take_revocations,
    )
    from sealwright.trust.machines.service import Machines
    from sealwright.trust.machines.token_service import TokenService
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
    from sealwright.trust.permissions.break_glass import BreakGlass, Emergency
    from sealwright.trust.permissions.decision import Decision
    from sealwright.trust.permissions.errors import NotProven, PermissionDenied
    from sealwright.trust.permissions.explain import WhoCan, WhyNot, roles_in_words, who_can, why_not
    from sealwright.trust.permissions.local_session import LocalSession, LocalSessions
    from sealwright.trust.permissions.permissions import Permissions, roles_for
    from sealwright.trust.permissions.policy_files import action_named, actions
    from sealwright.trust.permissions.resources import (
        AccountResource,
        CaseResource,
        ClientResource,
        DatasetResource,
        KeyResource,
        LedgerResource,
        ProjectResource,
        Resource,
        Risk,
        VersionResource,
        WorkspaceResource,
    )
    from sealwright.trust.permissions.roster import Member, Roster
    from sealwright.trust.pointer_arms import WHOLE, PointerArm, check_arms, read_arms, read_split, shown_for
    from sealwright.trust.principal import EVERY_PROJECT, Principal, RoleGrant
    from sealwright.trust.promised_far import PreparedParts, ToldPromise, parts_of, prepared_of, promised_of, told_of
    from sealwright.trust.promises import PROMISE_SECONDS, verify_promise
    from sealwright.trust.pseudonyms import as_pseudonym, keyed_name, person_name_key, pseudonym_of, raw_pseudonym
    from sealwright.trust.public_keys import ECDSA_P256, ED25519, ML_DSA_65, PublicKey, Signer
    from sealwright.trust.receipts import (
        RECEIPT_TYPE,
        ReceiptReport,
        make_receipts,
        make_row_receipt,
        proved_anew,
        verify_receipt,
    )
    from sealwright.trust.record_sealing import open_records, seal_records
    from sealwright.trust.root_recovery import protect_root, recover_root, split_root
    from sealwright.trust.scored_entries import (
        DECISIONS,
        SCORED,
        RowTree,
        batch_of,
        new_batch,
        row_leaf,
        row_salt,
        scored_detail,
    )
    from sealwright.trust.sealing import RecordSealer, derive_key, open_sealed, seal
    from sealwright.trust.sealing_branches import Handed, is_on_disk
    from sealwright.trust.shares import Share, check_together, read_share
    from sealwright.trust.signers import LocalSigner
    from sealwright.trust.signing.borrowed import BorrowedLine
    from sealwright.trust.signing.errors import SignerRefused, SignerUnavailable
    from sealwright.trust.signing.hygiene import guard_memory
    from sealwright.trust.signing.parting import part_signing_keys
    from sealwright.trust.signing.remote import RemoteSigner
    from sealwright.trust.signing.standing import stand_signer
    from sealwright.trust.signing_rotation import follow_signer, rotate_signing
    from sealwright.trust.statements import Statement, make_statement, sign_statement, verify_statement
    from sealwright.trust.stream import open_sealed_file, open_stream, seal_file, seal_stream
    from sealwright.trust.supply.advisories import Advisories, Advisory, KnownFault, StaleAdvisories, read_advisories
    from sealwright.trust.supply.installed import Installed, changed_files, installed_here, normal_name
    from sealwright.trust.supply.licences import LicenceProblem, licence_problems
    from sealwright.trust.supply.python_release import release_problem
    from sealwright.trust.supply.sealed import (
        ENVIRONMENT,
        Difference,
        differences,
        environment_bom,
        environment_statement,
        verify_environment,
    )
    from sealwright.trust.supply.start_hooks import StartHook, start_hooks
    from sealwright.trust.tls import create_server_certificate, server_certificate
    from sealwright.trust.tls_clients import ClientTrust, load_client_trust
    from sealwright.trust.tls_files import TlsFiles, load_server_certificate
    from sealwright.trust.tokens import Claims, issue_token, verify_token
    from sealwright.trust.trust_chain import TRUST_CHAIN, follow_chain, read_chain
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
    from sealwright.trust.webhook_signature import (
        SIGNATURE_HEADER,
        RecentDeliveries,
        SeenDeliveries,
        WebhookDelivery,
        WebhookRefused,
        sign_webhook,
        verify_webhook,
    )
    from sealwright.trust.webhooks import Sent, WebhookMessage, Webhooks, pause_before
    from sealwright.trust.witness.anchor_check import Anchored, check_anchors
    from sealwright.trust.witness.anchor_store import AnchorStore
    from sealwright.trust.witness.client import WitnessDisagrees, ask_witness, check_address
    from sealwright.trust.witness.cosignature import (
        Cosigned,
        WitnessKey,
        WitnessPolicy,
        cosignatures_of,
        with_cosignatures,
    )
    from sealwright.trust.witness.object_lock import LockedBucket
    from sealwright.trust.witness.service import Witness
    from sealwright.trust.witness.state import WitnessState
    from sealwright.trust.witness.timestamps import TimestampAuthority, request_timestamp, verify_timestamp
    from sealwright.trust.wrapping import method_of

__all__ = [
    "ACCESS_LIST",
    "API_KEY_PATTERN",
    "API_KEY_PREFIX",
    "ARGON2ID",
    "AccessList",
    "AccessListOlder",
    "AccountResource",
    "Advisories",
    "Advisory",
    "AnchorStore",
    "Anchored",
    "ApiKey",
    "Appended",
    "ApprovalBySecurityKey",
    "Audit",
    "BackendLied",
    "BackendRefused",
    "BackendUnavailable",
    "BreakGlass",
    "CaKeys",
    "CallRefused",
    "CaseResource",
    "Certificate",
    "Checkpoint",
    "Claims",
    "Client",
    "ClientResource",
    "ClientTrust",
    "Cosigned",
    "DECISION",
    "DECISIONS",
    "DatasetResource",
    "Decision",
    "Difference",
    "Discretion",
    "ECDSA_P256",
    "ED25519",
    "EMPTY_ACCESS",
    "EMPTY_ROOT",
    "ENVIRONMENT",
    "EVERY_PROJECT",
    "Emergency",
    "Enrolment",
    "EnrolmentLink",
    "EnrolmentOffer",
    "Entry",
    "Event",
    "FirstPasskey",
    "FloodGuard",
    "FollowedRoot",
    "FreshProofNeeded",
    "Frontier",
    "GroupRole",
    "Handed",
    "HashCost",
    "Holds",
    "INTROSPECT",
    "Identity",
    "IdentityRules",
    "InsecurePassphraseForTests",
    "Installed",
    "KEPT_TO_READ",
    "KEY_LIST",
    "KeyElsewhere",
    "KeyFile",
    "KeyFileUnsafe",
    "KeyInbox",
    "KeyListFile",
    "KeyListOlder",
    "KeyResource",
    "KeyRevocations",
    "Keyring",
    "KmsUnlock",
    "KnownFault",
    "LastFactor",
    "Ledger",
    "LedgerAudit",
    "LedgerEntry",
    "LedgerInUse",
    "LedgerReport",
    "LedgerResource",
    "LedgerUnavailable",
    "LicenceProblem",
    "LinkRefused",
    "LocalSession",
    "LocalSessions",
    "LocalSigner",
    "LockedBucket",
    "LoginRefused",
    "ML_DSA_65",
    "Machines",
    "Member",
    "ModelManifest",
    "NewSession",
    "NotProven",
    "OAuthAnswer",
    "OAuthRequest",
    "OIDC_ALGORITHMS",
    "OidcArrival",
    "OidcLogin",
    "OidcRefused",
    "OidcSettings",
    "OidcStart",
    "OidcUnavailable",
    "PBKDF2",
    "PERSON",
    "Packing",
    "Passkey",
    "PasskeyAnswer",
    "PasskeyPublic",
    "Passphrase",
    "PasswordUnsuitable",
    "PeerVerifier",
    "PermissionDenied",
    "Permissions",
    "Person",
    "PersonSigner",
    "Pkcs11Unlock",
    "PROMISE_SECONDS",
    "Prepared",
    "PointerArm",
    "Principal",
    "Promised",
    "ProjectResource",
    "ProofRefused",
    "PublicKey",
    "REASONS",
    "ROLES",
    "RECEIPT_TYPE",
    "Reached",
    "ReceiptReport",
    "RecentDeliveries",
    "RecordSealer",
    "RecoveryCode",
    "RemoteSigner",
    "Resource",
    "RevokedKey",
    "Risk",
    "RoleGrant",
    "Roster",
    "RowTree",
    "SCORED",
    "SEALING_BRANCHES",
    "SECOND_SIGNED",
    "SIGNATURE_HEADER",
    "SIGNING_BRANCHES",
    "SecondFactorNeeded",
    "Secret",
    "SeenDeliveries",
    "Sent",
    "ServiceCalls",
    "ServiceCertificates",
    "ServiceIdentity",
    "Session",
    "SessionOver",
    "Share",
    "SharedAudit",
    "SharedLedger",
    "SignInBusy",
    "SignedIn",
    "Signer",
    "SignerRefused",
    "SignerUnavailable",
    "StaleAdvisories",
    "StartHook",
    "Statement",
    "TRUST_CHAIN",
    "TimestampAuthority",
    "TlsFiles",
    "TokenRefused",
    "TokenService",
    "TokenSettings",
    "TooManyTries",
    "TotpCode",
    "TotpOffer",
    "TrustRoot",
    "Unlock",
    "VaultUnlock",
    "VersionResource",
    "WHOLE",
    "WebhookDelivery",
    "WebhookMessage",
    "WebhookRefused",
    "Webhooks",
    "WhoCan",
    "WhyNot",
    "Witness",
    "WitnessDisagrees",
    "WitnessKey",
    "WitnessPolicy",
    "WitnessState",
    "WorkspaceResource",
    "WrongUnlock",
    "action_named",
    "actions",
    "approval_challenge",
    "as_pseudonym",
    "as_request",
    "ask_witness",
    "BorrowedLine",
    "batch_of",
    "certificate_thumbprint",
    "changed_files",
    "check_address",
    "check_anchors",
    "check_arms",
    "check_file_names",
    "check_together",
    "consistency_path",
    "cosignatures_of",
    "create_key_file",
    "create_keyring",
    "create_person",
    "create_server_certificate",
    "decision_detail",
    "derive_key",
    "differences",
    "digest_of_resource",
    "environment_bom",
    "environment_statement",
    "erase_attachments",
    "follow_chain",
    "follow_signer",
    "guard_memory",
    "hand_over",
    "heed",
    "identify_service",
    "inclusion_path",
    "insecure_cost_for_tests",
    "installed_here",
    "is_on_disk",
    "issue_token",
    "jwks_document",
    "keyed_name",
    "leaf_hash",
    "licence_problems",
    "load_client_trust",
    "load_server_certificate",
    "make_key_revocations",
    "make_receipts",
    "make_row_receipt",
    "make_statement",
    "metadata_document",
    "method_of",
    "mutual_client_context",
    "mutual_server_context",
    "new_batch",
    "normal_name",
    "open_checkpoint",
    "open_identity",
    "open_keyring",
    "open_person",
    "open_records",
    "open_sealed",
    "open_sealed_file",
    "open_stream",
    "opened_offer",
    "pack_entries",
    "part_signing_keys",
    "passkey_statement",
    "pause_before",
    "person_name_key",
    "person_statement",
    "prepare_decision",
    "protect_root",
    "proved_anew",
    "pseudonym_of",
    "raw_pseudonym",
    "read_advisories",
    "read_arms",
    "read_chain",
    "read_entries",
    "read_model_folder",
    "read_oidc_settings",
    "read_share",
    "read_split",
    "read_unlock_file",
    "recover_root",
    "release_attachments",
    "release_problem",
    "request_timestamp",
    "retire_branch",
    "revoke",
    "roles_for",
    "roles_in_words",
    "rotate_branch",
    "rotate_signing",
    "row_leaf",
    "row_salt",
    "scored_detail",
    "seal",
    "seal_file",
    "seal_records",
    "seal_stream",
    "secret_in_file",
    "server_certificate",
    "sign_access_list",
    "sign_model_files",
    "sign_model_folder",
    "shown_for",
    "sign_statement",
    "sign_webhook",
    "split_root",
    "stand_signer",
    "standing_cas",
    "start_hooks",
    "take_revocations",
    "tree_root",
    "verify_access_list",
    "verify_approval_by_key",
    "verify_consistency",
    "verify_environment",
    "verify_extension",
    "verify_inclusion",
    "verify_key_revocations",
    "verify_ledger",
    "verify_model_folder",
    "verify_passkey",
    "verify_person",
    "verify_promise",
    "verify_proof",
    "verify_receipt",
    "verify_statement",
    "verify_timestamp",
    "verify_token",
    "verify_webhook",
    "who_can",
    "why_not",
    "with_cosignatures",
    "wait_for_checkpoint",
    "PreparedParts",
    "ToldPromise",
    "parts_of",
    "prepared_of",
    "promised_of",
    "told_of",
]

_HOME = {
    "audit": (
        "Audit",
        "Event",
        "LedgerAudit",
    ),
    "authority": ("as_request",),
    "backends.errors": (
        "BackendLied",
        "BackendRefused",
        "BackendUnavailable",
    ),
    "backends.unlock_file": ("read_unlock_file",),
    "backends.unlocks": (
        "KmsUnlock",
        "Pkcs11Unlock",
        "VaultUnlock",
    ),
    "ca_keys": ("CaKeys",),
    "decision_entries": (
        "DECISION",
        "decision_detail",
        "prepare_decision",
    ),
    "discretion": (
        "Discretion",
        "digest_of_resource",
    ),
    "errors": (
        "KeyFileUnsafe",
        "TokenRefused",
        "WrongUnlock",
    ),
    "flood": ("FloodGuard",),
    "handing_over": ("Holds", "KeyInbox", "Reached", "hand_over", "opened_offer"),
    "identity.approval_by_key": (
        "ApprovalBySecurityKey",
        "approval_challenge",
        "verify_approval_by_key",
    ),
    "identity.enrolment_links": (
        "EnrolmentLink",
        "EnrolmentOffer",
    ),
    "identity.errors": (
        "FreshProofNeeded",
        "LastFactor",
        "LinkRefused",
        "LoginRefused",
        "PasswordUnsuitable",
        "ProofRefused",
        "SessionOver",
        "SignInBusy",
        "TooManyTries",
    ),
    "identity.first_factor": ("FirstPasskey",),
    "identity.identity": (
        "Identity",
        "open_identity",
    ),
    "identity.login_steps": (
        "SecondFactorNeeded",
        "SignedIn",
    ),
    "identity.oidc": (
        "OidcArrival",
        "OidcLogin",
        "OidcStart",
    ),
    "identity.oidc_configured": (
        "read_oidc_settings",
        "secret_in_file",
    ),
    "identity.oidc_errors": (
        "OidcRefused",
        "OidcUnavailable",
    ),
    "identity.oidc_settings": (
        "GroupRole",
        "OIDC_ALGORITHMS",
        "OidcSettings",
    ),
    "identity.passkey_public": (
        "PasskeyPublic",
        "passkey_statement",
        "verify_passkey",
    ),
    "identity.passkeys": ("Passkey",),
    "identity.password_cost": (
        "ARGON2ID",
        "HashCost",
        "PBKDF2",
        "insecure_cost_for_tests",
    ),
    "identity.proofs": (
        "PasskeyAnswer",
        "RecoveryCode",
        "TotpCode",
    ),
    "identity.rules": ("IdentityRules",),
    "identity.session_row": (
        "NewSession",
        "Session",
    ),
    "identity.totp": ("TotpOffer",),
    "followed_root": ("FollowedRoot",),
    "key_folder": (
        "create_keyring",
        "open_keyring",
    ),
    "key_list_file": (
        "KEY_LIST",
        "KeyListFile",
    ),
    "key_revocation": (
        "KeyListOlder",
        "KeyRevocations",
        "REASONS",
        "RevokedKey",
        "heed",
        "make_key_revocations",
        "revoke",
        "standing_cas",
        "verify_key_revocations",
    ),
    "key_rotation": ("KEPT_TO_READ", "retire_branch", "rotate_branch"),
    "keyring": (
        "Keyring",
        "SEALING_BRANCHES",
    ),
    "ledger": (
        "Appended",
        "Ledger",
        "Promised",
    ),
    "ledger_entry": (
        "Entry",
        "LedgerEntry",
        "Prepared",
    ),
    "ledger_erase": ("erase_attachments", "release_attachments"),
    "ledger_file": (
        "LedgerInUse",
        "LedgerUnavailable",
    ),
    "ledger_shared": (
        "SharedAudit",
        "SharedLedger",
    ),
    "ledger_packed": ("read_entries",),
    "ledger_packing": ("Packing", "pack_entries"),
    "ledger_patience": ("wait_for_checkpoint",),
    "ledger_verify": (
        "LedgerReport",
        "verify_extension",
        "verify_ledger",
    ),
    "machines.access_list": (
        "ACCESS_LIST",
        "AccessList",
        "AccessListOlder",
        "EMPTY_ACCESS",
        "sign_access_list",
        "verify_access_list",
    ),
    "machines.api_keys": (
        "API_KEY_PATTERN",
        "API_KEY_PREFIX",
    ),
    "machines.certificates": ("ServiceCertificates",),
    "machines.identify": ("identify_service",),
    "machines.messages": (
        "OAuthAnswer",
        "OAuthRequest",
    ),
    "machines.metadata": (
        "jwks_document",
        "metadata_document",
    ),
    "machines.model": (
        "ApiKey",
        "Certificate",
        "Client",
        "INTROSPECT",
        "TokenSettings",
    ),
    "machines.peers": (
        "CallRefused",
        "PeerVerifier",
        "ServiceCalls",
        "ServiceIdentity",
        "certificate_thumbprint",
        "mutual_client_context",
        "mutual_server_context",
        "take_revocations",
    ),
    "machines.service": ("Machines",),
    "machines.token_service": ("TokenService",),
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
        "Enrolment",
        "PERSON",
        "Person",
        "PersonSigner",
        "ROLES",
        "create_person",
        "open_person",
        "person_statement",
        "verify_person",
    ),
    "permissions.break_glass": (
        "BreakGlass",
        "Emergency",
    ),
    "permissions.decision": ("Decision",),
    "permissions.errors": (
        "NotProven",
        "PermissionDenied",
    ),
    "permissions.explain": (
        "WhoCan",
        "WhyNot",
        "roles_in_words",
        "who_can",
        "why_not",
    ),
    "permissions.local_session": (
        "LocalSession",
        "LocalSessions",
    ),
    "permissions.permissions": (
        "Permissions",
        "roles_for",
    ),
    "permissions.policy_files": (
        "action_named",
        "actions",
    ),
    "permissions.resources": (
        "AccountResource",
        "CaseResource",
        "ClientResource",
        "DatasetResource",
        "KeyResource",
        "LedgerResource",
        "ProjectResource",
        "Resource",
        "Risk",
        "VersionResource",
        "WorkspaceResource",
    ),
    "permissions.roster": (
        "Member",
        "Roster",
    ),
    "pointer_arms": (
        "WHOLE",
        "PointerArm",
        "check_arms",
        "read_arms",
        "read_split",
        "shown_for",
    ),
    "principal": (
        "EVERY_PROJECT",
        "Principal",
        "RoleGrant",
    ),
    "promised_far": (
        "PreparedParts",
        "ToldPromise",
        "parts_of",
        "prepared_of",
        "promised_of",
        "told_of",
    ),
    "promises": (
        "PROMISE_SECONDS",
        "verify_promise",
    ),
    "pseudonyms": (
        "as_pseudonym",
        "keyed_name",
        "person_name_key",
        "pseudonym_of",
        "raw_pseudonym",
    ),
    "public_keys": (
        "ECDSA_P256",
        "ED25519",
        "ML_DSA_65",
        "PublicKey",
        "Signer",
    ),
    "receipts": (
        "RECEIPT_TYPE",
        "ReceiptReport",
        "make_receipts",
        "make_row_receipt",
        "proved_anew",
        "verify_receipt",
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
    "scored_entries": (
        "DECISIONS",
        "SCORED",
        "RowTree",
        "batch_of",
        "new_batch",
        "row_leaf",
        "row_salt",
        "scored_detail",
    ),
    "sealing": (
        "RecordSealer",
        "derive_key",
        "open_sealed",
        "seal",
    ),
    "sealing_branches": ("Handed", "is_on_disk"),
    "shares": (
        "Share",
        "check_together",
        "read_share",
    ),
    "signers": ("LocalSigner",),
    "signing.remote": ("RemoteSigner",),
    "signing.errors": (
        "SignerRefused",
        "SignerUnavailable",
    ),
    "signing.hygiene": ("guard_memory",),
    "signing.borrowed": ("BorrowedLine",),
    "signing.parting": ("part_signing_keys",),
    "signing.standing": ("stand_signer",),
    "signing_rotation": ("follow_signer", "rotate_signing"),
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
    "supply.advisories": (
        "Advisories",
        "Advisory",
        "KnownFault",
        "StaleAdvisories",
        "read_advisories",
    ),
    "supply.installed": (
        "Installed",
        "changed_files",
        "installed_here",
        "normal_name",
    ),
    "supply.licences": (
        "LicenceProblem",
        "licence_problems",
    ),
    "supply.python_release": ("release_problem",),
    "supply.sealed": (
        "Difference",
        "ENVIRONMENT",
        "differences",
        "environment_bom",
        "environment_statement",
        "verify_environment",
    ),
    "supply.start_hooks": (
        "StartHook",
        "start_hooks",
    ),
    "tls": (
        "create_server_certificate",
        "server_certificate",
    ),
    "tls_clients": (
        "ClientTrust",
        "load_client_trust",
    ),
    "tls_files": (
        "TlsFiles",
        "load_server_certificate",
    ),
    "tokens": (
        "Claims",
        "issue_token",
        "verify_token",
    ),
    "trust_chain": ("TRUST_CHAIN", "follow_chain", "read_chain"),
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
    "webhook_signature": (
        "RecentDeliveries",
        "SIGNATURE_HEADER",
        "SeenDeliveries",
        "WebhookDelivery",
        "WebhookRefused",
        "sign_webhook",
        "verify_webhook",
    ),
    "webhooks": (
        "Sent",
        "WebhookMessage",
        "Webhooks",
        "pause_before",
    ),
    "witness.anchor_check": (
        "Anchored",
        "check_anchors",
    ),
    "witness.anchor_store": ("AnchorStore",),
    "witness.client": (
        "WitnessDisagrees",
        "ask_witness",
        "check_address",
    ),
    "witness.cosignature": (
        "Cosigned",
        "WitnessKey",
        "WitnessPolicy",
        "cosignatures_of",
        "with_cosignatures",
    ),
    "witness.object_lock": ("LockedBucket",),
    "witness.service": ("Witness",),
    "witness.state": ("WitnessState",),
    "witness.timestamps": (
        "TimestampAuthority",
        "request_timestamp",
        "verify_timestamp",
    ),
    "wrapping": ("method_of",),
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
