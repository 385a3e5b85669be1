"""A signing branch gets a new key: what whoever asks for it does.

Answers: in which order is it recorded and done, and how does a workspace whose signing keys are elsewhere follow?
Does not answer: how the key is made and put to use. The signer does that (`signing.renewal`); no key comes here.

What was opened before goes on with the old key for a day and follows when it is opened again.
"""

from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.trust.audit import Audit, Event
from sealwright.trust.key_files import (
    SEAL_FILE,
    TRUST_FILE,
    open_root,
    read_trust,
    sealed_trust,
    signing_key_of,
)
from sealwright.trust.key_journal import changing
from sealwright.trust.key_list_file import KEY_LIST
from sealwright.trust.keyring import Keyring
from sealwright.trust.signing.where import read_elsewhere
from sealwright.trust.trust_chain import TRUST_CHAIN, chain_bytes, follow_chain, read_chain
from sealwright.trust.trust_root import TrustRoot
from sealwright.trust.unlock import RecoveredRoot, Unlock

__all__ = ["follow_signer", "rotate_signing"]

_MOST_STEPS = 1000  # at once; the next look goes on


def rotate_signing(
    keyring: Keyring, folder: Path, unlock: Unlock, branch: str, *, audit: Audit, by: str, at: Path | None = None
) -> TrustRoot:
    """Give `branch` a new key; returns the new trust root. Keyrings opened before go on with the old key for a day.

    Parameters
    ----------
    at : Path, optional
        The place file of the device or service the key goes to; left out: it is kept in a file.

    Raises
    ------
    InvalidInput
        Not a signing branch.
    SignerRefused, SignerUnavailable, BackendUnavailable, BackendRefused, BackendLied
        The signer does not do it, or what holds a key; then nothing changed, and that is on record.
    """
    key, number, place = keyring.prepare_rotation(branch, at)
    detail = {"branch": branch, "key": key.key_id, "trust_root": number, **({"place": place} if place else {})}
    resource = f"key:{branch}"
    audit.record(Event(action="key.rotate", outcome="done", actor=by, resource=resource, detail=detail))
    try:
        keyring.finish_rotation(key)
    except SealwrightError as error:
        told = {**detail, "error": error.code}
        audit.record(Event(action="key.rotate", outcome="failed", actor=by, resource=resource, detail=told))
        raise
    return follow_signer(keyring, folder, unlock)


def follow_signer(keyring: Keyring, folder: Path, unlock: Unlock | RecoveredRoot) -> TrustRoot:
    """The newest trust root. Where the signing keys were parted from `folder`, it is fetched, step by signed step.

    Raises
    ------
    VerificationFailed
        What the signer shows does not follow from the trust root in `folder`.
    """
    workspace = keyring.trust_root.workspace
    if read_elsewhere(folder) is None:
        return read_trust(folder, workspace)
    with changing(folder) as changes:
        known, chain = read_trust(folder, workspace), read_chain(folder / TRUST_CHAIN)
        before, key_list = len(chain), b""
        while (step := keyring.step_after(len(chain))) and len(chain) < before + _MOST_STEPS:
            chain.append(step[0])
            key_list = step[1]
        if len(chain) == before:
            return known
        newest, _ = follow_chain(known, chain, at_least=before)
        seal = sealed_trust(signing_key_of(open_root(folder, unlock)[1]), newest)
        files = {TRUST_FILE: newest.to_bytes(), SEAL_FILE: seal, TRUST_CHAIN: chain_bytes(chain)}
        changes.make({**files, f"../{KEY_LIST}": key_list} if key_list else files)
    return newest
