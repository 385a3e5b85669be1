"""CAs that were replaced while certificates of theirs still hold.

Answers: may the older key of "tls" still be asked for, and when is it destroyed?
Does not answer: what it signs. Revocation lists of its own CA, and nothing else (`rules_tls`): without them no server could tell
which of its certificates were taken back.

It is kept until the last certificate it signed has ended, or until it is revoked; then its file is overwritten and removed.
"""

import contextlib

from sealwright.kernel import Clock, fsync_folder
from sealwright.trust.key_files import destroy_key
from sealwright.trust.key_journal import changing
from sealwright.trust.key_revocation import list_in
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_certificates import CertificateMemory
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.vault import BranchSigner, Vault
from sealwright.trust.statements import Statement

__all__ = ["OlderCas"]


class OlderCas:
    """Which older keys of the CA count, by what the signer remembers."""

    def __init__(self, issued: CertificateMemory, revoked: KeyMemory, clock: Clock) -> None:
        self._issued, self._revoked, self._clock = issued, revoked, clock

    def signer(self, vault: Vault, key_id: str) -> BranchSigner:
        """The signer with this older key.

        Raises
        ------
        SignerRefused
            "key.unknown": not ours, revoked, or every certificate of it has ended.
        """
        found = vault.older_cas.get(key_id)
        if found is None or not self._counts(vault, key_id):
            self.tidy(vault)
            raise SignerRefused(
                "key.unknown", f"The signer has no CA {key_id[:16]}…: it was revoked, or its certificates have ended."
            )
        return found.signer

    def tidy(self, vault: Vault) -> None:
        """Destroy the older keys that count no more. What cannot be destroyed now is so the next time; it signs nothing."""
        with contextlib.suppress(SignerRefused, OSError):
            over = [one.file for key_id, one in vault.older_cas.items() if not self._counts(vault, key_id)]
            if any(file.is_file() for file in over):
                with changing(vault.folder):
                    for file in over:
                        if file.is_file():
                            destroy_key(file)
                    fsync_folder(vault.folder)

    def _counts(self, vault: Vault, key_id: str) -> bool:
        payload = self._revoked.newest()
        if payload and key_id in list_in(Statement(payload), vault.trust_root).keys:
            return False
        ends = self._issued.ends(key_id)
        return ends is not None and self._clock() < ends
