"""Licences of installed packages: permissive, or on the list of exceptions with a reason.

Answers: under which licence does a package say it is, and may it be part of what we ship?
Does not answer: legal questions. A package whose licence cannot be read is refused until somebody looks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from sealwright.trust.supply.installed import normal_name

__all__ = ["PERMISSIVE", "LicenceProblem", "licence_of", "licence_problems"]

PERMISSIVE = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "MIT", "MIT-0",
        "MIT-CMU", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
"""SPDX identifiers that may be part of what we ship."""

KNOWN: Mapping[str, str] = {
    "cedarpy": "Apache-2.0",  # says nothing in its metadata; its LICENSE file is Apache 2.0
    "interpret-core": "MIT",
    "sigstore-models": "MIT",
}
"""What packages without a machine-readable licence are under, as their licence file says."""

ACCEPTED: Mapping[str, str] = {
    "certifi": "MPL-2.0 on a file of root certificates that we do not change",
    "fqdn": "MPL-2.0 on files that we do not change; validates host names in bills of materials",
    "hypothesis": "MPL-2.0; only in tests",
    "pathspec": "MPL-2.0 on files that we do not change; only when installing from a checkout",
    "psycopg": "LGPL-3.0; only with the extra postgres, replaceable",
    "tqdm": "MPL-2.0 AND MIT on files that we do not change",
    "psycopg-binary": "LGPL-3.0; only with the extra postgres, replaceable",
}
"""Not permissive, and used all the same, each for the reason given."""

_WORDS = re.compile(r"[A-Za-z0-9.+-]+")
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "zlib/libpng License": "Zlib",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_SPELLINGS = {
    "apache": "Apache-2.0", "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0", "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "apache software license 2.0": "Apache-2.0", "apache 2.0 license": "Apache-2.0",
    "bsd": "BSD-3-Clause", "bsd license": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause", "bsd-3": "BSD-3-Clause", "bsd 2-clause": "BSD-2-Clause", "modified bsd": "BSD-3-Clause",
    "mit license": "MIT", "the mit license": "MIT", "mit": "MIT", "expat": "MIT", "isc license": "ISC", "psf": "PSF-2.0",
    "psfl": "PSF-2.0", "python software foundation license": "PSF-2.0", "public domain": "Unlicense",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceProblem:
    """A package that may not be part of what we ship, as far as anybody said."""

    name: str
    licence: str  # what it says; "" where it says nothing


def licence_of(about: metadata.PackageMetadata) -> str:
    """The licence of a package as an SPDX expression where one can be told; else what it says, or ""."""
    known = KNOWN.get(normal_name(about["Name"]))
    if known:
        return known
    if "License-Expression" in about:
        return str(about["License-Expression"])
    said = [line.rsplit(" :: ", 1)[-1] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    if told := [_CLASSIFIERS[name] for name in said if name in _CLASSIFIERS]:
        return " AND ".join(dict.fromkeys(told))
    text = str(about["License"]) if "License" in about else ""
    first = (text.strip().splitlines() or [""])[0].strip()
    return _SPELLINGS.get(first.lower().rstrip("."), first[:80])


def licence_problems(packages: Iterable[metadata.PackageMetadata]) -> Iterator[LicenceProblem]:
    """Packages that are neither permissive nor an accepted exception."""
    for about in packages:
        said = licence_of(about)
        if normal_name(about["Name"]) not in ACCEPTED and not _permissive(said):
            yield LicenceProblem(name=normal_name(about["Name"]), licence=said)


def _permissive(expression: str) -> bool:
    """Whether we can meet an SPDX expression with permissive licences alone. Parentheses: every licence must be permissive."""
    if "(" in expression:
        parts = [word for word in _WORDS.findall(expression) if word not in ("AND", "OR", "WITH")]
        return all(_one(word) for word in parts)
    return any(
        all(_one(part) for part in re.split(r"\s+AND\s+", choice)) for choice in re.split(r"\s+OR\s+", expression)
    )


def _one(licence: str) -> bool:
    return licence.strip().split(" WITH ")[0] in PERMISSIVE
