"""A signing key is made in a device or service, or taken there, and has to show that it signs before anybody lists it.

Answers: does this home have a key for this branch that nobody else of ours uses, and does it sign?
Does not answer: when it is put to use (`renewal`).

Which device, and which library is loaded for it, is read by the signer from a file that only its own user can have
written: who may ask for a rotation cannot bring a library along.
"""

import secrets
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.trust.backends.place import KeyHome, KeyPlace
from sealwright.trust.backends.place_file import read_place_file
from sealwright.trust.key_files import branch_versions
from sealwright.trust.public_keys import ML_DSA_65, PublicKey
from sealwright.trust.signing.couriers import PlacedSigner
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.vault import Vault
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot

__all__ = ["placed_key"]

_TRIAL = b"sealwright: does this key sign?\0"  # nothing that a branch signs begins so


def placed_key(vault: Vault, branch: str, file: Path) -> tuple[KeyPlace, PlacedSigner]:
    """The key of a branch in the home that a place file describes; it was seen to sign, and is listed nowhere yet.

    Raises
    ------
    SignerRefused
        "place.algorithm": no device or service here has this branch's algorithm, or the key that was named has another.
        "place.file": not a place file of the signer's own. "place.used": the key is one of ours already.
    BackendUnavailable, BackendRefused, BackendLied
        It does not answer, makes none, or does not sign with it.
    """
    wanted = SIGNING_BRANCHES[branch]
    if wanted == ML_DSA_65:
        raise SignerRefused(
            "place.algorithm",
            f"The branch {branch!r} signs with {wanted}, which no device or service here has: its key stays in a file.",
        )
    home, named = _described(file)
    version = branch_versions(vault.folder, branch)[-1] + 1
    name = named or f"{vault.workspace}-{branch}-v{version}-{secrets.token_hex(3)}"
    public = vault.couriers.public(home, name) if named else vault.couriers.make(home, name, wanted)
    _refuse_unfit(public, branch, vault.trust_root)
    place = KeyPlace(home=home, name=name, key_id=public.key_id)
    signer = vault.couriers.signer(place, public)
    signer.sign(_TRIAL + secrets.token_bytes(32))
    return place, signer


def _described(file: Path) -> tuple[KeyHome, str | None]:
    if not file.is_absolute():
        raise SignerRefused("place.file", "A place file is named by its whole path.")
    try:
        return read_place_file(file)
    except SealwrightError as error:
        raise SignerRefused("place.file", str(error)) from None


def _refuse_unfit(public: PublicKey, branch: str, trust_root: TrustRoot) -> None:
    if public.algorithm != SIGNING_BRANCHES[branch]:
        raise SignerRefused(
            "place.algorithm",
            f"The key there is one of {public.algorithm}; {branch!r} signs with {SIGNING_BRANCHES[branch]}.",
        )
    used = next((name for name, keys in trust_root.keys.items() if public in keys), None)
    if used is not None:
        raise SignerRefused(
            "place.used", f"The key there is or was one of {used!r}. A key has one purpose, and is used once."
        )
