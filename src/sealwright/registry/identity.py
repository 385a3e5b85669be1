"""The digest P of a package: what gate, approvals, versions and pointers name.

P covers names and contents of all files but model.sig, statements/gate.json and
statements/approval-N.json, which are made after it and speak about it.
"""

from collections.abc import Mapping

from sealwright.kernel import canonical_json, digest_of
from sealwright.registry.names import in_identity

__all__ = ["digests_of", "package_digest"]


def package_digest(digests: Mapping[str, str]) -> str:
    """P: sha256 of the canonical JSON of the sorted list of [name, digest].

    Parameters
    ----------
    digests : mapping of str to str
        Digest of every file of a package or candidate, by relative name.
    """
    return digest_of(canonical_json([[name, digests[name]] for name in sorted(digests) if in_identity(name)]))


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The digest of every file, by name."""
    return {name: digest_of(data) for name, data in files.items()}
