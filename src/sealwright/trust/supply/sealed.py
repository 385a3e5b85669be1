"""The environment that was accepted, as a signed bill of materials, and what is different now.

Answers: is what is installed here what somebody accepted, and what changed since?
Does not answer: was it right to accept it. Who did, and when, stands in the ledger.

CycloneDX 1.7 (JSON): one component for each distribution, by purl, with the digest of its file list as a property.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sealwright.kernel import VerificationFailed, canonical_json, digest_of, rfc3339
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.statements import Statement, make_statement, verify_statement
from sealwright.trust.supply.installed import Installed

__all__ = ["ENVIRONMENT", "Difference", "differences", "environment_bom", "environment_statement", "verify_environment"]

ENVIRONMENT = "urn:sealwright:predicate:environment:v1"
_RECORD = "sealwright:record"
_NAMESPACE = uuid.UUID("0f8b3c1e-5d0a-5b7e-8c66-8a7d1b1f9a55")  # any fixed one; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One distribution that is not as it was accepted."""

    package: str
    what: str  # "added", "removed", "other version", "other files"
    accepted: str = ""
    found: str = ""

    def __str__(self) -> str:
        if self.what == "other version":
            return f"{self.package}: accepted {self.accepted}, found {self.found}"
        return f"{self.package} {self.accepted or self.found}: {self.what}"


def environment_bom(packages: Iterable[Installed], *, python: str, now: datetime) -> dict[str, Any]:
    """The bill of materials of an environment."""
    components = [
        {
            "type": "library",
            "name": package.name,
            "version": package.version,
            "purl": f"pkg:pypi/{package.name}@{quote(package.version, safe='')}",
            "bom-ref": f"pkg:pypi/{package.name}@{package.version}",
            "properties": [{"name": _RECORD, "value": package.record or "none"}],
        }
        for package in packages
    ]
    serial = uuid.uuid5(_NAMESPACE, digest_of(canonical_json(components)))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(now),
            "component": {"type": "platform", "name": "python", "version": python, "bom-ref": "python"},
        },
        "components": components,
    }


def environment_statement(bom: Mapping[str, Any], *, by: str) -> Statement:
    """The statement that an environment is accepted, to be signed by branch "statements"."""
    return make_statement(
        [("environment", digest_of(canonical_json(bom)))], ENVIRONMENT, {"format": 1, "by": by, "bom": bom}
    )


def verify_environment(envelope: bytes, keys: Iterable[PublicKey]) -> Mapping[str, Any]:
    """The accepted bill of materials.

    Raises
    ------
    VerificationFailed
        Not signed by those keys, or not such a statement.
    """
    statement = verify_statement(envelope, tuple(keys), predicate_type=ENVIRONMENT)
    bom = statement.predicate.get("bom")
    if not isinstance(bom, Mapping) or statement.subject_digests != (digest_of(canonical_json(bom)),):
        raise VerificationFailed(
            "The accepted environment is about another bill of materials.", link="environment.json"
        )
    return bom


def differences(bom: Mapping[str, Any], packages: Iterable[Installed], *, python: str) -> list[Difference]:
    """What is installed otherwise than accepted; empty where nothing is.

    Raises
    ------
    VerificationFailed
        The bill of materials does not have the fields we write.
    """
    accepted = _accepted(bom)
    found = {package.name: package for package in packages}
    result = [
        Difference(package=name, what="removed", accepted=accepted[name][0])
        for name in sorted(accepted.keys() - found.keys())
    ]
    for name, package in sorted(found.items()):
        if name not in accepted:
            result.append(Difference(package=name, what="added", found=package.version))
        elif accepted[name][0] != package.version:
            result.append(
                Difference(package=name, what="other version", accepted=accepted[name][0], found=package.version)
            )
        elif accepted[name][1] != (package.record or "none"):
            result.append(Difference(package=name, what="other files", accepted=package.version))
    before = str(bom["metadata"]["component"]["version"])
    if before != python:
        result.append(Difference(package="python", what="other version", accepted=before, found=python))
    return result


def _accepted(bom: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Version and file list of each component."""
    try:
        return {
            str(part["name"]): (
                str(part["version"]),
                next(str(p["value"]) for p in part["properties"] if p["name"] == _RECORD),
            )
            for part in bom["components"]
        }
    except (KeyError, TypeError, StopIteration):
        raise VerificationFailed(
            "This bill of materials is not one of an environment as we write it.", link="environment.json"
        ) from None
