"""Findings that nobody signed, held against a policy: what a gate would say about the numbers, and nothing more.

Answers: which limits of this policy do these findings keep, and which do they miss?
Does not answer: may the model go live. That takes statements, a ledger, approvals; a gate asks for them and this does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sealwright.evidence.judge import judge_requirement
from sealwright.evidence.model import Result, Subject
from sealwright.evidence.policy import Policy
from sealwright.evidence.records import record_of
from sealwright.kernel import digest_of

__all__ = ["hold_against"]

_NO_BYTES = digest_of(b"a model without bytes")


def hold_against(
    policy: Policy, suites: Sequence[Mapping[str, Any]], *, groups: Sequence[str], now: datetime
) -> tuple[Result, ...]:
    """What came of each requirement that is about one of these suites, in the order of the policy.

    Parameters
    ----------
    suites : sequence of mapping
        Suite results as JSON, all of one model on the same rows.
    groups : sequence of str
        Attributes that were compared.

    Returns
    -------
    tuple of Result
        Nothing is stale and nothing is attested: everything was measured together, by whoever asks.
    """
    if not suites:
        return ()
    model, data = suites[0]["model"] or _NO_BYTES, str(suites[0]["data"])
    subject = Subject(
        project="unsigned", package=data, model=model, data=data, task=str(suites[0]["task"]), groups=tuple(groups)
    )
    records = [replace(record_of(one, statement="", ledger_index=0), model=model) for one in suites]
    asked = {record.suite for record in records}
    return tuple(
        judge_requirement(one, policy, subject, records, (), now)
        for one in policy.requirements
        if one.check.partition(".")[0] in asked and one.applies_to(subject.task)
    )
