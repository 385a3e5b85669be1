"""Is a folder, byte for byte, the snapshot that was signed? Checked without a key and without reading a row.

Answers: does the signature hold, and are exactly the files there that it names?
Does not answer: what is in them. `snapshot` reads, with keys, and checks each file again as it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.data.formats import KEYS_FILE
from sealwright.data.manifest import SNAPSHOT_TYPE, Manifest, read_manifest
from sealwright.data.names import shown
from sealwright.kernel import InvalidInput, NotFound, VerificationFailed, digest_of_file, hex_of, read_limited
from sealwright.trust import TrustRoot, verify_statement

__all__ = ["STATEMENT_FILE", "CheckedSnapshot", "changed", "check_snapshot"]

STATEMENT_FILE = "statement.json"
_MOST_STATEMENT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSnapshot:
    """What was found to be as it was signed."""

    digest: str
    folder: Path
    predicate: Mapping[str, Any]
    statement: bytes  # DSSE, signed by the "statements" branch
    manifest: Manifest

    @property
    def rows(self) -> int:
        return self.manifest.identity.rows

    @property
    def quarantined(self) -> int:
        return self.manifest.identity.quarantined


def check_snapshot(digest: str, *, snapshots: Path, trust_root: TrustRoot) -> CheckedSnapshot:
    """Check the signature of the snapshot with this digest, and every byte of its files.

    Raises
    ------
    NotFound, VerificationFailed
        As `open_snapshot`.
    """
    folder = snapshots / hex_of(digest)
    if not folder.is_dir() or folder.is_symlink():
        raise NotFound(f"There is no snapshot {digest} in {snapshots}.\nMake one with: sealwright run")
    try:
        envelope = read_limited(folder / STATEMENT_FILE, _MOST_STATEMENT)
    except InvalidInput as error:
        raise VerificationFailed(
            f"The snapshot has no readable statement: {error}", link="snapshot/statement"
        ) from None
    keys = trust_root.keys_of("statements")
    try:
        statement = verify_statement(envelope, keys, predicate_type=SNAPSHOT_TYPE)
    except VerificationFailed as error:
        raise VerificationFailed(f"The statement of the snapshot: {error}", link="snapshot/statement") from None
    if statement.subjects != (("snapshot", digest),):
        raise VerificationFailed(f"The statement is not about snapshot {digest}.", link="snapshot/statement")
    manifest = read_manifest(statement.predicate, digest)
    _check_files(folder, manifest)
    return CheckedSnapshot(
        digest=digest, folder=folder, predicate=statement.predicate, statement=envelope, manifest=manifest
    )


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Exactly the files of the manifest, each regular, of its size and digest; and the wrapped keys beside them."""
    wanted = {entry.name: entry for entry in manifest.files}
    found = {path.name for path in folder.iterdir()} - {STATEMENT_FILE}
    if KEYS_FILE not in found:
        raise VerificationFailed(f"The file {KEYS_FILE} is missing.", link=f"snapshot/{KEYS_FILE}")
    found.remove(KEYS_FILE)
    for name in sorted(found ^ set(wanted)):
        state = "missing" if name in wanted else "not part of the snapshot"
        raise VerificationFailed(f"The file {shown(name)} is {state}.", link=f"snapshot/{shown(name)[1:-1]}")
    for name, entry in wanted.items():
        path = folder / name
        regular = path.is_file() and not path.is_symlink()
        if not regular or path.stat().st_size != entry.size or digest_of_file(path) != entry.digest:
            raise changed(f"snapshot/{name}")


def changed(link: str) -> VerificationFailed:
    return VerificationFailed(
        f"{link} is not the file that was signed: changed, cut, or of another snapshot.\n"
        "Do not use it. Restore it from a backup; or move its folder away and ingest the source again.",
        link=link,
    )
