"""From a source to a snapshot: every row under the contract, encrypted, signed, visible only when whole.

Answers: which rows of this source may be used, and what are they, for ever?
Does not answer: is the data good? The contract says what is allowed; quality is measured later.
Memory is bounded by a few batches, whatever the size of the source. Nothing unencrypted is written.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data.check import check_batch, check_columns
from sealwright.data.drafting import drafting
from sealwright.data.errors import QuarantineFull, SourceUnreadable
from sealwright.data.layout import Layout, subject_texts
from sealwright.data.manifest import Identity, Reason, file_entry, make_manifest, origin_of
from sealwright.data.parts import PART_BYTES
from sealwright.data.quarantine import Tally, rows_to_batch
from sealwright.data.snapshot import Snapshot, open_snapshot
from sealwright.data.sources import Source
from sealwright.data.spec import DataSpec
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import Clock, InvalidInput, Progress, rfc3339, silent, system_clock
from sealwright.trust import Keyring, as_pseudonym

__all__ = ["Withhold", "admitted", "ingest", "layout_of", "subject_of"]

Withhold = Callable[[Sequence[str]], Mapping[str, str]]
"""From pseudonyms of persons to the reason ("consent_withdrawn", "erased", …) for each whose rows stay out."""


def ingest(
    source: Source,
    spec: DataSpec,
    *,
    snapshots: Path,
    keyring: Keyring,
    subject_keys: SubjectKeys | None = None,
    withhold: Withhold | None = None,
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
    subject_keys : SubjectKeys, optional
        The keys of persons; needed where the contract names a subject.
    withhold : callable, optional
        From pseudonyms to the reason why a person's rows stay out; who is not named stays in.
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
    layout = layout_of(spec, subject_keys)
    with drafting(snapshots, layout, keyring=keyring, subject_keys=subject_keys) as draft:
        rows, aside = draft.rows(part_bytes=part_bytes), draft.quarantine(part_bytes=part_bytes)
        tally, withheld = Tally(), Counter[str]()
        for batch in source.batches(only=spec.kept):
            checked = check_batch(batch, spec, decimal=source.decimal)
            rows.write(admitted(checked.good, layout.subject, subject_keys, withhold, withheld))
            if checked.set_aside:
                tally.add(checked.set_aside)
                aside.write(rows_to_batch(checked.set_aside))
            progress(f"reading {source.name}", source.share)
        _refuse_too_many(rows.content.rows, withheld.total(), tally, spec)
        files = [file_entry(part) for part in (*rows.close(), *aside.close())]
        identity = Identity(
            contract=spec.contract_digest,
            content=rows.content.digest(),
            rows=rows.content.rows,
            quarantine=aside.content.digest(),
            quarantined=tally.rows,
            subject=subject_of(layout),
        )
        draft.publish(
            make_manifest(
                columns=spec.columns,
                origin=origin_of(source),
                identity=identity,
                files=files,
                reasons=[Reason(column=one.column, reason=one.reason, cells=one.cells) for one in tally.counts()],
                quarantine_limit=spec.quarantine.at_most_share,
                created_at=rfc3339(clock()),
                sequence=sequence,
                withheld=withheld,
            )
        )
    progress(f"reading {source.name}", 1.0)
    return open_snapshot(
        identity.digest,
        snapshots=snapshots,
        trust_root=keyring.trust_root,
        keyring=keyring,
        subject_keys=subject_keys,
    )


def layout_of(spec: DataSpec, subject_keys: SubjectKeys | None) -> Layout:
    """How rows under this contract lie in files.

    Raises
    ------
    InvalidInput
        The contract names a subject and there is nowhere to keep the keys of persons.
    """
    if spec.subject is not None and subject_keys is None:
        raise InvalidInput("data.subject seals each person's rows under a key of their own; that needs a workspace.")
    project = subject_keys.project if subject_keys is not None and spec.subject is not None else ""
    return Layout(columns={name: spec.columns[name] for name in spec.kept}, subject=spec.subject, project=project)


def subject_of(layout: Layout) -> str | None:
    """What the manifest says of persons."""
    return None if layout.subject is None else f"{layout.project}/{layout.subject}"


def admitted(
    batch: Any, subject: str | None, keys: SubjectKeys | None, withhold: Withhold | None, withheld: Counter[str]
) -> Any:
    """The rows without those of persons who do not want to be in it; counts the others by reason into `withheld`."""
    if withhold is None or subject is None or keys is None or not batch.num_rows:
        return batch
    whole = subject_texts(batch.column(subject)).dictionary_encode()
    names = [as_pseudonym(name) for name in keys.names_of(whole.dictionary.to_pylist())]
    reasons = withhold(names)
    if not reasons:
        return batch
    codes = whole.indices.to_numpy(zero_copy_only=False)
    rows_of_person = np.bincount(codes, minlength=len(names))
    for place, name in enumerate(names):
        if name in reasons:
            withheld[reasons[name]] += int(rows_of_person[place])
    stays = np.array([name not in reasons for name in names], dtype=np.bool_)
    return batch.filter(pa.array(stays[codes]))


def _refuse_too_many(good: int, withheld: int, tally: Tally, spec: DataSpec) -> None:
    total = good + withheld + tally.rows
    if not total:
        raise SourceUnreadable("The source holds no rows. There is nothing to learn from.")
    if withheld and not good:
        raise SourceUnreadable(
            f"All {withheld:,} rows are of persons who may not be in this data. There is nothing to learn from."
        )
    if tally.rows > spec.quarantine.at_most_share * total or not good:
        raise QuarantineFull(tally.rows, total, spec.quarantine.at_most_share, tally.counts())
