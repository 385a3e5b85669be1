"""An evidence bundle: one file with everything an auditor needs, and nothing that opens a key or a record.

Answers: how does the evidence of one version leave the house whole?
It is one JSON document rather than an archive: archives have many ways to mean two things at once.
Decision records are not in it; the ledger's entries are, with digests only.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import (
    InvalidInput,
    NotFound,
    VerificationFailed,
    canonical_json,
    read_limited,
    strict_json,
    write_atomically,
)
from sealwright.pipeline.by_name import project_named, version_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import open_trusted_files
from sealwright.serving import decision_ledger_folder, scored_channel
from sealwright.trust import Principal, read_entries

__all__ = ["BUNDLE_TYPE", "Bundle", "export_bundle", "read_bundle"]

BUNDLE_TYPE = "urn:sealwright:bundle:v1"
LEDGER_FILES = ("entries.log", "checkpoints.log", "checkpoint")
_MOST_BYTES = 1 << 30
_WITHHELD = b"erased"  # the ledger's word for a record that is not here
_RECORD = re.compile(rb"[^\n]+\n([0-9]{1,18})\n[^\n]+\n\n[^\n]+\n\n")  # one signed checkpoint in checkpoints.log
_LEDGER_FILE = "|".join(map(re.escape, LEDGER_FILES))
_PLACES = re.compile(
    rf"package/.+|(ledger|decisions/[^/]+)/({_LEDGER_FILE})|pointers/[^/]+\.json|revocations\.json|trust\.json|report\.html"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle as read: nothing in it is believed yet."""

    project: str
    number: int
    files: Mapping[str, bytes]

    def folder(self, name: str) -> dict[str, bytes]:
        """The files under `name/`, without that prefix."""
        prefix = name + "/"
        return {path.removeprefix(prefix): data for path, data in self.files.items() if path.startswith(prefix)}


def export_bundle(
    workspace: Workspace, project: str, number: int, to: Path, *, by: Principal, report: bytes | None = None
) -> Path:
    """Write the evidence of one version into one file, in a folder that is made where there is none.

    Parameters
    ----------
    report : bytes, optional
        The rendered report, to go along.

    Raises
    ------
    NotFound
        There is no such version.
    """
    allow(workspace, by, "project.view", project_named(project))  # or a refusal would tell that there is a version
    allow(workspace, by, "evidence.export", version_named(workspace, project, number))
    version = workspace.registry_to_read.version(project, number)
    package = workspace.folder("packages") / version.package.removeprefix("sha256:")
    files = {f"package/{name}": data for name, data in open_trusted_files(package).items()}
    files |= {f"ledger/{name}": data for name, data in _signed_part(workspace.home / "ledger").items()}
    for pointer in sorted((workspace.folder("pointers") / project).glob("*.json")):
        files[f"pointers/{pointer.name}"] = read_limited(pointer, 1 << 20)
        for channel in (pointer.stem, scored_channel(pointer.stem)):
            decisions = decision_ledger_folder(workspace.home, project, channel)
            if (decisions / "checkpoint").is_file():
                files |= {f"decisions/{channel}/{name}": data for name, data in _signed_part(decisions).items()}
    revocations = workspace.home / "revocations.json"
    if revocations.is_file():
        files["revocations.json"] = read_limited(revocations, 16 << 20)
    files["trust.json"] = workspace.trust_root.to_bytes()
    if report is not None:
        files["report.html"] = report
    document = {
        "type": BUNDLE_TYPE,
        "project": project,
        "version": number,
        "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
    }
    to.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(to, canonical_json(document), mode=0o644)
    return to


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle's bytes strictly: one spelling, and nothing in it that nobody looks at.

    Raises
    ------
    InvalidInput
        Not a bundle of this format, byte for byte.
    """
    value = strict_json(data, what="the bundle", most_bytes=_MOST_BYTES)
    try:
        if set(value) != {"type", "project", "version", "files"} or value["type"] != BUNDLE_TYPE:
            raise InvalidInput("This is not an evidence bundle of format 1.")
        if type(value["version"]) is not int or type(value["project"]) is not str or canonical_json(value) != data:
            raise InvalidInput(
                "This evidence bundle is not spelled as it was written. Use the file as it was exported."
            )
        files = {name: _bytes_of(name, text) for name, text in value["files"].items()}
        return Bundle(project=value["project"], number=value["version"], files=files)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("This is not an evidence bundle of format 1.") from None


def _bytes_of(name: str, text: str) -> bytes:
    """One file of a bundle, which must have a place there and be spelled in the one base64 of its bytes."""
    data = base64.b64decode(text, validate=True)
    if not _PLACES.fullmatch(name) or base64.b64encode(data).decode() != text:
        raise InvalidInput("This evidence bundle holds a file that has no place in it, or is not spelled as it was.")
    return data


def _signed_part(ledger: Path) -> dict[str, bytes]:
    """The files of a ledger up to its newest checkpoint, so that all of them are signed: a server may be writing on.

    The encrypted records that stand beside entries are withheld, which leaves every proof valid.
    """
    for name in LEDGER_FILES:
        if not (ledger / name).is_file():
            raise NotFound(f"The ledger file {ledger / name} is missing. Check it with: sealwright verify {ledger}")
    checkpoints = read_limited(ledger / "checkpoints.log", _MOST_BYTES)  # before the entries, of which more may come
    lines = read_entries(ledger / "entries.log", _MOST_BYTES).split(b"\n")
    records = list(_RECORD.finditer(checkpoints))
    if not records:
        raise VerificationFailed(f"The ledger in {ledger} has no checkpoint: nothing in it is signed.", link="ledger")
    leaves = (line.partition(b"\t") for line in lines[: int(records[-1][1])])
    return {
        "checkpoint": records[-1][0][:-1],
        "checkpoints.log": checkpoints[: records[-1].end()],
        "entries.log": b"".join(leaf + tab + (_WITHHELD if tab else b"") + b"\n" for leaf, tab, _ in leaves),
    }
