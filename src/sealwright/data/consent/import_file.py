"""Consents from another system: a CSV file, checked as a whole before anything is recorded.

Answers: which changes does this file hold, and which of its lines cannot be taken?
Does not answer: whether they are recorded already; `ConsentLedger.take_over` does.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sealwright.data.consent.model import ConsentChange
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput, SealwrightError, from_rfc3339, read_limited, rfc3339

__all__ = ["read_consents"]

_MOST_BYTES = 1 << 30
_MOST_SHOWN = 20
_NEEDED = {"subject", "purpose", "at"}
_KNOWN = _NEEDED | {"change", "text_version", "text_digest", "channel"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_consents(
    path: Path,
    *,
    project: str,
    pseudonyms: Callable[[Sequence[str]], Sequence[str]],
    texts: Mapping[str, str],
    channel: str,
) -> list[ConsentChange]:
    """Read a CSV of consents; the header names the columns.

    Parameters
    ----------
    path : Path
        UTF-8. Columns `subject`, `purpose` and `at` (RFC 3339, or a day); optional: `change` (given or withdrawn),
        `text_version`, `text_digest`, `channel`.
    pseudonyms : callable
        Turns the identifiers of the column `subject` into keyed pseudonyms, in order.
    texts : mapping of version to digest
        For files without the column `text_digest`.
    channel : str
        For lines that name none.

    Raises
    ------
    InvalidInput
        Not such a file, or lines that cannot be taken: the first twenty are named, and nothing is taken.
    """
    try:
        text = read_limited(path, _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    _check_header(reader.fieldnames or (), path)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InvalidInput(f"{path} is not a CSV file we can read: {error}.") from None
    found: list[ConsentChange] = []
    faults: list[str] = []
    subjects = pseudonyms([line["subject"] or "" for line in lines])
    for number, (line, subject) in enumerate(zip(lines, subjects, strict=True), start=1):
        try:
            found.append(_change(line, subject, project, texts, channel))
        except (SealwrightError, KeyError) as error:
            faults.append(f"  row {number}: {str(error).splitlines()[0]}")
    if faults:
        more = f"\n  and {len(faults) - _MOST_SHOWN:,} more" if len(faults) > _MOST_SHOWN else ""
        raise InvalidInput(
            f"{len(faults):,} of {len(lines):,} rows of {path} cannot be taken, so none was:\n"
            + "\n".join(faults[:_MOST_SHOWN])
            + more
        )
    if not found:
        raise InvalidInput(f"{path} holds no rows.")
    return found


def _change(
    line: Mapping[str, str | None], subject: str, project: str, texts: Mapping[str, str], channel: str
) -> ConsentChange:
    if None in line or None in line.values():
        raise InvalidInput("it has more or fewer fields than the header")
    if not line["subject"]:
        raise InvalidInput("it names nobody")
    version = line.get("text_version") or (next(iter(texts)) if len(texts) == 1 else "")
    change = line.get("change") or "given"
    digest = line.get("text_digest") or texts.get(version, "")
    if change == "given" and not digest:
        raise InvalidInput(f"the words of text version {shown(version)} are not known; give them with --text")
    at = line["at"] or ""
    return ConsentChange(
        project=project,
        purpose=line["purpose"] or "",
        subject=subject,
        change=change,  # type: ignore[arg-type]  # the change itself refuses other words
        text_version=version if digest else "",
        text_digest=digest,
        channel=line.get("channel") or channel,
        at=rfc3339(from_rfc3339(f"{at}T00:00:00Z" if _DAY.fullmatch(at) else at)),
    )


def _check_header(names: Sequence[str], path: Path) -> None:
    faults = [f"it lacks the column {shown(name)}" for name in sorted(_NEEDED - set(names))]
    faults += [f"the column {shown(name)} is unknown.{nearest(name, _KNOWN)}" for name in names if name not in _KNOWN]
    faults += ["a column is there twice"] if len(set(names)) != len(names) else []
    if faults:
        raise InvalidInput(f"The header of {path} cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))
