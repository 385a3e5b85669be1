"""Measurements on their way into a signed statement and out of it again.

Answers: which findings does a statement carry, about which model and data, measured when and how?
Does not answer: are they good enough? Any statement may carry findings: the assurance suites do (in-toto
test-result), and so do training (parity, confinement) and admission, all in one shape under "sealwright".
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sealwright.evidence.model import Measurement, NotPerformed, Record
from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, from_rfc3339, hex_of, rfc3339
from sealwright.trust import Statement

__all__ = ["TEST_RESULT_TYPE", "fact", "measured", "read_record", "record_of"]

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def fact(
    check: str,
    value: float | bool,
    *,
    n: int,
    definition: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """One finding as JSON, for rooms that know a fact but are no assurance suite. True and False become yes and no.

    Raises
    ------
    InvalidInput
        A number is not finite.
    """
    for number in (value, low, high):
        if number is not None and not math.isfinite(number):
            raise InvalidInput(f"{check}: a finding is a finite number; got {number}.")
    return {
        "check": check,
        "value": float(value),
        "low": low,
        "high": high,
        "n": n,
        "unit": "yes/no" if isinstance(value, bool) else unit,
        "definition": definition,
        "group": None,
        "note": note,
    }


def measured(
    suite: str,
    *,
    model: str | None,
    data: str,
    performed_at: datetime,
    findings: Sequence[Mapping[str, Any]],
    not_performed: Sequence[tuple[str, str]] = (),
    not_applicable: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """The block a statement carries under "sealwright" so that a gate can read its facts.

    Parameters
    ----------
    suite : str
        Who measured, e.g. "training".
    model, data : digest
        What was measured; `model` is None for facts about the data alone.
    findings : sequence of mapping
        From `fact`.
    not_performed : sequence of (check, why)
        What could not be measured.
    not_applicable : sequence of (check, why)
        What there is no such thing as here.
    """
    return {
        "format": 1,
        "suite": suite,
        "model": model,
        "data": data,
        "performed_at": rfc3339(performed_at),
        "findings": [dict(finding) for finding in findings],
        "not_performed": [
            *({"check": check, "why": why, "group": None} for check, why in not_performed),
            *({"check": check, "why": why, "group": None, "applicable": False} for check, why in not_applicable),
        ],
    }


def read_record(statement: Statement, *, ledger_index: int) -> Record | None:
    """The measurements a verified statement carries; None where it carries none.

    Raises
    ------
    VerificationFailed
        It claims to carry measurements but their shape is not ours, or they are about another model or
        dataset than the statement itself.
    """
    block = statement.predicate.get("sealwright")
    if not isinstance(block, Mapping) or "findings" not in block:
        if statement.predicate_type == TEST_RESULT_TYPE:
            raise _broken(statement, "a test result without findings")
        return None
    try:
        record = record_of(block, statement=statement.digest, ledger_index=ledger_index)
    except (SealwrightError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(statement, f"{type(error).__name__}: {str(error)[:120]}") from None
    if (record.model or record.data) not in statement.subject_digests:
        raise _broken(statement, "its findings are about something else than the statement")
    return record


def record_of(block: Mapping[str, Any], *, statement: str, ledger_index: int) -> Record:
    """The measurements of one block; raises what reading a wrong shape raises."""
    return Record(
        statement=statement,
        ledger_index=ledger_index,
        suite=_text(block["suite"]),
        model=None if block["model"] is None else _digest(block["model"]),
        data=_digest(block["data"]),
        performed_at=from_rfc3339(block["performed_at"]),
        task=str(block.get("task", "")),
        settings=_settings(block.get("settings")),
        measurements=tuple(_measurement(item) for item in block["findings"]),
        not_performed=tuple(_not_performed(item) for item in block["not_performed"]),
    )


def _measurement(item: Mapping[str, Any]) -> Measurement:
    group = item["group"] or {"attribute": None, "level": None}
    return Measurement(
        check=_text(item["check"]),
        value=_number(item["value"]),
        low=None if item["low"] is None else _number(item["low"]),
        high=None if item["high"] is None else _number(item["high"]),
        n=_count(item["n"]),
        unit=_text(item["unit"]),
        attribute=group["attribute"],
        level=group["level"],
    )


def _not_performed(item: Mapping[str, Any]) -> NotPerformed:
    group = item["group"] or {"attribute": None}
    applicable = item.get("applicable", True)
    if not isinstance(applicable, bool):
        raise TypeError(f"expected true or false, got {type(applicable).__name__}")
    return NotPerformed(
        check=_text(item["check"]), why=_text(item["why"]), attribute=group["attribute"], applicable=applicable
    )


def _settings(value: object) -> dict[str, Any]:
    """The settings a policy may limit: those of the suites stand under "spec"."""
    inner = value.get("spec", value) if isinstance(value, Mapping) else {}
    return dict(inner) if isinstance(inner, Mapping) else {}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {str(value)[:40]!r}")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"expected a count, got {str(value)[:40]!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _digest(value: object) -> str:
    hex_of(_text(value))
    return str(value)


def _broken(statement: Statement, reason: str) -> VerificationFailed:
    return VerificationFailed(
        f"The measurements in statement {statement.digest[:19]}… cannot be read: {reason}.", link=statement.digest
    )
