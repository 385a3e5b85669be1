"""Which file names may be in a package.

Answers: is this set of names safe on every file system, in URLs and in terminals, and is
each name one that a package has a place for?
Does not answer: what is in the files. Pure decisions over text; nothing is cleaned up,
because a name that was "repaired" is a name an attacker chose.
"""

import re
import unicodedata
from collections.abc import Iterable

from sealwright.kernel import VerificationFailed

__all__ = [
    "ANSWERING",
    "APPROVAL",
    "ATTESTATION",
    "EXPLAINER",
    "GATE",
    "REQUIRED",
    "SIGNATURE",
    "UnsafeNames",
    "check_layout",
    "check_names",
    "in_identity",
]

SIGNATURE = "model.sig"
GATE = "statements/gate.json"
EXPLAINER = "explainer.json"
"""What reasons need besides the model. A package may lack it."""
ANSWERING = "answering.json"
"""How rows and answers are checked, and how much is told. A package may lack it."""
REQUIRED = (
    "model.onnx",
    "interface.json",
    "card.md",
    "bom.cdx.json",
    "statements/charter.json",
    "statements/snapshot.json",
    "statements/provenance.json",
)
APPROVAL = re.compile(r"statements/approval-(?:[1-9]|[1-9][0-9])\.json")
ATTESTATION = re.compile(r"statements/attestation-(?:[1-9]|[1-9][0-9])\.json")

_NUMBERED = re.compile(r"statements/(approval|attestation)-")
_STATEMENT = re.compile(r"statements/[a-z](?:[a-z0-9_-]{0,62}[a-z0-9])?\.json")
_PART = re.compile(r"[A-Za-z0-9._-]{1,100}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # devices on Windows
_MOST_FILES = 500
_MOST_DEPTH = 4


class UnsafeNames(VerificationFailed):
    """A folder holds names that no package has. Carries every reason at once."""

    code = "package.names"

    def __init__(self, reasons: Iterable[str], *, link: str) -> None:
        self.reasons = tuple(reasons)
        super().__init__(
            "This folder is not a sealed package; its file names are wrong:\n  "
            + "\n  ".join(self.reasons[:20])
            + "\nUse the folder exactly as it was sealed; nothing may be added, renamed or left out.",
            link=link,
        )


def check_names(names: Iterable[str]) -> None:
    """Refuse names that are not the same name everywhere.

    Parameters
    ----------
    names : str
        Paths relative to the package, parts joined by "/".

    Raises
    ------
    UnsafeNames
        A part outside `[A-Za-z0-9._-]{1,100}`, a leading or trailing dot, a device name of
        Windows, two names that differ only in case, depth over 4, more than 500 files.
    """
    listed = list(names)
    reasons: list[str] = []
    link = ""
    if len(listed) > _MOST_FILES:
        reasons.append(f"{len(listed):,} files; a package has at most {_MOST_FILES}")
    seen: dict[str, str] = {}
    for name in listed[: _MOST_FILES + 1]:
        problem = _problem(name)
        twin = seen.setdefault(name.casefold(), name)
        if not problem and twin is not name:
            problem = f"collides with {shown(twin)} where case does not count"
        if problem:
            reasons.append(f"{shown(name)}: {problem}")
            link = link or shown(name)
    if reasons:
        raise UnsafeNames(reasons, link=f"package/{link}" if link else "package")


def check_layout(names: Iterable[str], *, sealed: bool) -> None:
    """Refuse a file that has no place in a package, and a package that lacks one.

    Parameters
    ----------
    names : str
        Paths relative to the package.
    sealed : bool
        True for a sealed package (signature and gate present), False for a candidate.

    Raises
    ------
    UnsafeNames
        Every reason at once.
    """
    listed = list(names)
    check_names(listed)
    wanted = {*REQUIRED, SIGNATURE, GATE} if sealed else set(REQUIRED)
    late = {SIGNATURE, GATE}
    reasons = [f"{name} is missing" for name in sorted(wanted - set(listed))]
    for name in sorted(listed):
        known = name in wanted or name in (EXPLAINER, ANSWERING) or _STATEMENT.fullmatch(name)
        if not known or (not sealed and (name in late or APPROVAL.fullmatch(name))):
            reasons.append(f"{shown(name)} has no place in a {'package' if sealed else 'candidate'}")
        elif _NUMBERED.match(name) and not APPROVAL.fullmatch(name) and not ATTESTATION.fullmatch(name):
            reasons.append(f"{shown(name)}: approvals and attestations are numbered -1.json to -99.json")
    if reasons:
        first = sorted(wanted - set(listed)) or [
            shown(n) for n in sorted(listed) if any(shown(n) in r for r in reasons)
        ]
        raise UnsafeNames(reasons, link=f"package/{first[0]}" if first else "package")


def in_identity(name: str) -> bool:
    """Whether a file counts for the package digest: all but the signature, the gate and the approvals."""
    return name not in (SIGNATURE, GATE) and not APPROVAL.fullmatch(name)


def shown(name: str) -> str:
    """The name as it may be printed: no control characters, not endless."""
    return "".join(c if unicodedata.category(c)[0] not in "CZ" else "?" for c in name[:120])


def _problem(name: str) -> str:
    parts = name.split("/")
    if len(parts) > _MOST_DEPTH:
        return f"deeper than {_MOST_DEPTH} levels"
    for part in parts:
        if not _PART.fullmatch(part):
            return "a part must be 1 to 100 of A-Z, a-z, 0-9, dot, dash and underscore"
        if part.startswith(".") or part.endswith("."):
            return "a part may not start or end with a dot"
        if _RESERVED.fullmatch(part):
            return "is the name of a device on some systems"
    return ""
