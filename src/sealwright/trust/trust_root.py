"""The public half of a workspace: which key may sign what. All an auditor needs besides the files.

Answers: by which keys must a statement, release or checkpoint of this workspace be signed?
Does not answer: is this really that workspace? Compare `fingerprint` over another channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sealwright.kernel import (
    SealwrightError,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    strict_json,
)
from sealwright.trust.public_keys import ECDSA_P256, ED25519, ML_DSA_65, PublicKey

__all__ = ["SECOND_SIGNED", "SIGNING_BRANCHES", "TrustRoot"]

SIGNING_BRANCHES: Mapping[str, str] = MappingProxyType(
    {
        "models": ECDSA_P256,  # OpenSSF Model Signing knows no Ed25519
        "statements": ED25519,
        "releases": ED25519,
        "releases-pq": ML_DSA_65,
        "authority": ED25519,  # signs which of the other keys hold: `key_revocation`, `trust_chain`
        "authority-pq": ML_DSA_65,
        "checkpoints": ED25519,
        "decision-checkpoints": ED25519,
        "tokens": ED25519,
        "tls": ECDSA_P256,  # browsers know no Ed25519 certificates
    }
)
"""The branches that sign, each with its algorithm."""

SECOND_SIGNED: Mapping[str, str] = MappingProxyType(
    {"statements": "releases-pq", "releases": "releases-pq", "authority": "authority-pq"}
)
"""Branches whose statements carry a second signature, and the branch that makes it."""

_TYPE = "sealwright.trust_root"
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """The keys of each branch; the last of a branch is the one in use, earlier ones verify older signatures.

    `revoked` names keys that count for nothing, `since` the ledger entry from which a key counts for nothing, where it
    is known when something was signed (`key_revocation.heed` sets both). They are no part of what is written or
    compared: the trust root says which keys there are, the revocation list which of them were withdrawn.
    """

    workspace: str
    keys: Mapping[str, tuple[PublicKey, ...]]
    revoked: frozenset[str] = field(default=frozenset(), compare=False)  # key ids
    since: Mapping[str, int] = field(default_factory=dict, compare=False)  # key id -> ledger entry
    _standing: Mapping[str, tuple[PublicKey, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name(self.workspace, what="workspace")
        seen: set[str] = set()
        for branch, keys in self.keys.items():
            wanted = SIGNING_BRANCHES.get(branch)
            for key in keys:
                if key.algorithm != wanted:
                    raise VerificationFailed(
                        f"The trust root lists a {key.algorithm} key for {branch!r}; expected {wanted or 'no such branch'}.",
                        link="trust.json",
                    )
                if key.key_id in seen:
                    raise VerificationFailed(
                        f"The trust root uses key {key.key_id[:16]}… twice; each key has one purpose.",
                        link="trust.json",
                    )
                seen.add(key.key_id)
        object.__setattr__(self, "keys", MappingProxyType({name: tuple(keys) for name, keys in self.keys.items()}))
        object.__setattr__(self, "_standing", {name: self._standing_of(name) for name in self.keys})

    @property
    def fingerprint(self) -> str:
        """Digest of `to_bytes()`: what two people compare to know that they trust the same keys."""
        return digest_of(self.to_bytes())

    def keys_of(self, branch: str) -> tuple[PublicKey, ...]:
        """The keys that may sign for `branch`, each with those of which one must sign beside it.

        Raises
        ------
        VerificationFailed
            There are none, or every one of them was revoked, so nothing of that branch can be verified.
        """
        found = self._standing.get(branch, ())
        if not found:
            raise VerificationFailed(
                f"The trust root of {self.workspace} has {'only revoked keys' if self.keys.get(branch) else 'no key'}"
                f" for {branch!r}, so nothing signed by it can be checked.",
                link="trust.json",
            )
        return found

    def in_use(self, branch: str) -> PublicKey:
        """The newest key of `branch`, asking for the newest second one beside it, whether or not either was revoked.

        Raises
        ------
        VerificationFailed
            There is none.
        """
        second = self.keys.get(SECOND_SIGNED.get(branch, ""), ())
        found = self.keys.get(branch) or self.keys_of(branch)  # the latter says what is missing
        return replace(found[-1], beside=second[-1:])

    def as_of(self, entry: int) -> "TrustRoot":
        """The keys that held when entry number `entry` of the control ledger was written: for what that entry names.

        A ledger's order is a trusted time; a date in a statement is only its signer's word.
        """
        revoked = frozenset(key_id for key_id, since in self.since.items() if since <= entry)
        return self if revoked == self.revoked else replace(self, revoked=revoked)

    def _standing_of(self, branch: str) -> tuple[PublicKey, ...]:
        """The keys that were not revoked. Where the second ones are all revoked, the first ones cannot stand either."""
        found = tuple(key for key in self.keys[branch] if key.key_id not in self.revoked)
        second = self.keys.get(SECOND_SIGNED.get(branch, ""), ())
        beside = tuple(key for key in second if key.key_id not in self.revoked)
        if second and not beside:
            return ()
        return tuple(replace(key, beside=beside) for key in found) if beside else found

    def to_bytes(self) -> bytes:
        """Canonical JSON: what is kept as keys/trust.json and handed to auditors."""
        keys = {branch: [key.to_json() for key in keys] for branch, keys in self.keys.items()}
        return canonical_json({"format": 1, "type": _TYPE, "workspace": self.workspace, "keys": keys})

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrustRoot":
        """The trust root that `to_bytes` wrote, byte for byte.

        Raises
        ------
        VerificationFailed
            Not JSON of this shape, unknown fields or branches, or not the canonical spelling.
        """
        try:
            value = strict_json(data, what="the trust root", most_bytes=_MOST_BYTES)
            if set(value) != {"format", "type", "workspace", "keys"} or (value["format"], value["type"]) != (1, _TYPE):
                raise VerificationFailed("other fields or another type")
            root = cls(
                value["workspace"],
                {branch: tuple(PublicKey.from_json(key) for key in keys) for branch, keys in value["keys"].items()},
            )
        except (SealwrightError, TypeError, AttributeError, KeyError) as error:
            raise VerificationFailed(f"This is not a trust root: {str(error)[:200]}", link="trust.json") from None
        if root.to_bytes() != data:
            raise VerificationFailed(
                "The trust root is not in its canonical spelling. Use the file as it was written.", link="trust.json"
            )
        return root
