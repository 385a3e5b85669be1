"""From a source to a snapshot: every row under the contract, encrypted, signed, visible only when whole.

Answers: which rows of this source may be used, and what are they, for ever?
Does not answer: is the data good? The contract says what is allowed; quality is measured later.
Memory is bounded by a few batches, whatever the size of the source. Nothing unencrypted is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sealwright.data.check import check_batch, check_columns, snapshot_schema
from sealwright.data.checked import STATEMENT_FILE
from sealwright.data.content import ContentDigest
from sealwright.data.draft import draft_folder, publish
from sealwright.data.errors import QuarantineFull, SourceUnreadable
from sealwright.data.formats import QUARANTINE_KEY, PartFile, class_key
from sealwright.data.manifest import SNAPSHOT_TYPE, Identity, Manifest, make_manifest
from sealwright.data.parts import PART_BYTES, PartWriter
from sealwright.data.quarantine import QUARANTINE_SCHEMA, Tally, rows_to_batch
from sealwright.data.snapshot import Snapshot, open_snapshot
from sealwright.data.sources import Source
from sealwright.data.spec import DataSpec
from sealwright.kernel import Clock, Progress, hex_of, rfc3339, silent, system_clock, write_atomically
from sealwright.trust import Keyring, make_statement, sign_statement

__all__ = ["ingest"]


def ingest(
    source: Source,
    spec: DataSpec,
    *,
    snapshots: Path,
    keyring: Keyring,
    clock: Clock = system_clock,
    progress: Progress = silent,
    sequence: int = 0,
    part_bytes: int = PART_BYTES,
) -> Snapshot:
    """Read a source under its contract into an encrypted, signed snapshot.

    Parameters
    ----------
    source : Source
        From `open_source`.
    spec : DataSpec
        The contract, and how many rows may break it.
    snapshots : Path
        Folder of all snapshots; made if it is missing (0700).
    keyring : Keyring
        Encrypts with the branch "data", signs with "statements".
    sequence : int
        Recorded as it is given: a project's count of its snapshots.
    part_bytes : int
        Uncompressed bytes after which a new file begins.

    Returns
    -------
    Snapshot
        Of the same content and contract there is one: the second time, the first one is returned.

    Raises
    ------
    ContractMismatch
        Columns are missing or unknown.
    SourceUnreadable
        The source is damaged, or no row of it keeps the contract.
    QuarantineFull
        More rows break the contract than `spec.quarantine` allows.
    OperationFailed
        The disk is full. As after every error, nothing is visible.
    VerificationFailed
        The same snapshot exists already, and was changed since.
    """
    check_columns(source.columns, spec)
    with draft_folder(snapshots) as draft, _writers(draft, spec, keyring, part_bytes) as (rows, aside):
        content, set_aside = ContentDigest(snapshot_schema(spec)), ContentDigest(QUARANTINE_SCHEMA)
        tally = Tally()
        for batch in source.batches(only=spec.kept):
            checked = check_batch(batch, spec, decimal=source.decimal)
            content.update(checked.good)
            rows.write(checked.good)
            if checked.set_aside:
                tally.add(checked.set_aside)
                kept_aside = rows_to_batch(checked.set_aside)
                set_aside.update(kept_aside)
                aside.write(kept_aside)
            progress(f"reading {source.name}", source.share)
        _refuse_too_many(content.rows, tally, spec)
        identity = Identity(
            contract=spec.contract_digest,
            content=content.digest(),
            rows=content.rows,
            quarantine=set_aside.digest(),
            quarantined=tally.rows,
        )
        files = (*rows.close(), *aside.close())
        manifest = _manifest(spec, source, identity, files, tally, rfc3339(clock()), sequence)
        _sign_and_publish(draft, snapshots, manifest, keyring)
    progress(f"reading {source.name}", 1.0)
    return open_snapshot(identity.digest, snapshots=snapshots, trust_root=keyring.trust_root, keyring=keyring)


@contextmanager
def _writers(draft: Path, spec: DataSpec, keyring: Keyring, part_bytes: int) -> Iterator[tuple[PartWriter, PartWriter]]:
    """One writer for good rows, each column under the key of its class, and one for the quarantine."""
    classes = [class_key(spec.columns[name].data_class) for name in spec.kept]
    rows = PartWriter(draft, "rows", snapshot_schema(spec), classes, keyring, part_bytes=part_bytes)
    keys = [QUARANTINE_KEY] * len(QUARANTINE_SCHEMA)
    aside = PartWriter(draft, "quarantine", QUARANTINE_SCHEMA, keys, keyring, part_bytes=part_bytes)
    try:
        yield rows, aside
    finally:
        rows.abort()
        aside.abort()


def _refuse_too_many(good: int, tally: Tally, spec: DataSpec) -> None:
    total = good + tally.rows
    if not total:
        raise SourceUnreadable("The source holds no rows. There is nothing to learn from.")
    if tally.rows > spec.quarantine.at_most_share * total or not good:
        raise QuarantineFull(tally.rows, total, spec.quarantine.at_most_share, tally.counts())


def _manifest(
    spec: DataSpec,
    source: Source,
    identity: Identity,
    files: tuple[PartFile, ...],
    tally: Tally,
    created_at: str,
    sequence: int,
) -> Manifest:
    return make_manifest(
        spec=spec,
        source=source,
        identity=identity,
        files=files,
        reasons=tally.counts(),
        created_at=created_at,
        sequence=sequence,
    )


def _sign_and_publish(draft: Path, snapshots: Path, manifest: Manifest, keyring: Keyring) -> None:
    """Put the signed statement beside the files and make the folder visible, unless the same one is there."""
    predicate: dict[str, Any] = manifest.model_dump(mode="json")
    statement = make_statement([("snapshot", manifest.identity.digest)], SNAPSHOT_TYPE, predicate)
    write_atomically(draft / STATEMENT_FILE, sign_statement(statement, keyring.signer("statements")))
    publish(draft, snapshots / hex_of(manifest.identity.digest))
