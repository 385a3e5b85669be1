"""One requirement at a time: which measurements answer it, and what the worst of them says.

Answers: for this check, what is on file for every slot the policy names, and how does each compare?
Does not answer: may the package be released. `rules.decide` puts the results together.
Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sealwright.evidence.approvals import Attestation
from sealwright.evidence.model import Instance, Measurement, Outcome, Record, Result, Subject, as_of
from sealwright.evidence.policy import Policy, RequiredSuite, Requirement
from sealwright.evidence.resolve import in_words

__all__ = ["judge_requirement", "judge_suite"]

_SKEW = timedelta(minutes=5)  # clocks of two machines may differ this much
_WORST_FIRST = (
    Outcome.FAIL,
    Outcome.MISSING,
    Outcome.STALE,
    Outcome.NOT_PERFORMED,
    Outcome.NOT_YET,
    Outcome.ATTESTED,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)


def judge_suite(
    suite: RequiredSuite, policy: Policy, subject: Subject, records: Sequence[Record], now: datetime
) -> Result:
    """Was the suite run on this model and data, recently enough?"""
    shown = Instance(outcome=Outcome.MISSING, found="no statement on file")
    for record in sorted((one for one in records if one.suite == suite.suite), key=_age):
        problem = _about_another(record, subject) or _not_now(record, policy, now)
        outcome, found = problem or (Outcome.PASS, f"run on {as_of(record.performed_at)}")
        if outcome is Outcome.PASS or shown.outcome is not Outcome.PASS:
            shown = Instance(outcome=outcome, found=found, statement=record.statement, gentler=record.gentler)
    return Result(
        check=f"suite.{suite.suite}",
        outcome=shown.outcome,
        found=shown.found,
        limit="run on this model and this data",
        why=suite.why,
        who="data_scientist",
        next_step=_next_step(shown.outcome, f"suite {suite.suite}"),
        source="class",
        instances=(shown,),
    )


def judge_requirement(
    requirement: Requirement,
    policy: Policy,
    subject: Subject,
    records: Sequence[Record],
    attestations: Sequence[Attestation],
    now: datetime,
) -> Result:
    """What came of one requirement: one instance a slot, the worst of them decides.

    Parameters
    ----------
    attestations : sequence of Attestation
        Those of people who may speak, about this model.
    """
    if not requirement.applies_to(subject.task):
        found = f"not asked of a {subject.task} model"
        return _result(requirement, [Instance(outcome=Outcome.NOT_APPLICABLE, found=found)])
    slots: Sequence[str | None] = (None,) if requirement.per == "model" else subject.groups
    if not slots:
        found = "no attribute is declared, so there are no groups to compare"
        instances = [Instance(outcome=Outcome.NOT_PERFORMED, found=found)]
    else:
        instances = [_judge_slot(requirement, slot, policy, subject, records, now) for slot in slots]
    spoken = next((one for one in attestations if _speaks_for(one, requirement)), None)
    if spoken:
        instances = [_attested(one, spoken) for one in instances]
    return _result(requirement, instances)


def _judge_slot(
    requirement: Requirement,
    slot: str | None,
    policy: Policy,
    subject: Subject,
    records: Sequence[Record],
    now: datetime,
) -> Instance:
    """The worst usable measurement of one slot; else the best explanation of why there is none."""
    judged: list[tuple[int, Instance]] = []  # with the place in the ledger
    explained: list[Instance] = []
    for record in sorted(records, key=lambda one: one.statement):
        another = _about_another(record, subject, requirement.check)
        unusable = _not_now(record, policy, now) or _weak_setting(record, policy)
        for measurement in record.measurements:
            if (measurement.check, measurement.attribute, measurement.level) != (requirement.check, slot, None):
                continue
            outcome, found = _compare(requirement, measurement)
            problem = another or (unusable if outcome is not Outcome.FAIL else None)  # age does not heal a failure
            if problem:
                explained.append(_instance(measurement, record, *problem))
            else:
                judged.append((record.ledger_index, _instance(measurement, record, outcome, found)))
        if not another:
            explained += _reasons(requirement, slot, record, unusable)
    if judged:
        return _worst(judged, requirement)
    nothing = Instance(outcome=Outcome.MISSING, found="no finding on file", attribute=slot)
    filed = {
        record.statement: record.ledger_index for record in records
    }  # of like reasons the newest: it is in the package
    return min(explained, key=lambda one: (_usefulness(one), -filed[one.statement], one.statement), default=nothing)


def _worst(judged: Sequence[tuple[int, Instance]], requirement: Requirement) -> Instance:
    """The worst of several measurements of one thing; where all of them pass, the newest speaks for them."""
    _, worst = min(judged, key=lambda one: _badness(one[1], requirement))
    if len(judged) == 1:
        return worst
    if worst.outcome is Outcome.PASS:
        _, newest = max(judged, key=lambda one: (one[0], one[1].statement))
        return replace(newest, found=f"{newest.found} (newest of {len(judged)} measurements, all within the limit)")
    return replace(worst, found=f"{worst.found} (worst of {len(judged)} measurements of this model)")


def _reasons(
    requirement: Requirement, slot: str | None, record: Record, unusable: tuple[Outcome, str] | None
) -> Iterator[Instance]:
    """What a suite says about why it did not measure this slot. That there is no such thing must be said recently."""
    for item in record.not_performed:
        if item.check != requirement.check or item.attribute not in {slot, None}:
            continue
        if item.applicable:
            outcome, found = Outcome.NOT_PERFORMED, f"not performed: {item.why}"
        else:
            outcome, found = unusable or (Outcome.NOT_APPLICABLE, item.why)
        yield Instance(outcome=outcome, found=found, attribute=slot, statement=record.statement, gentler=record.gentler)


def _about_another(record: Record, subject: Subject, check: str = "") -> tuple[Outcome, str] | None:
    """Why a record does not speak about this model and data; None where it does."""
    if record.model is None and check and not check.startswith("data."):
        return Outcome.STALE, "measured on the data alone, without a model"
    if record.model not in {subject.model, None}:
        return Outcome.STALE, f"measured on another model ({str(record.model)[:19]}…)"
    if record.data != subject.data:
        return Outcome.STALE, f"measured on other data ({record.data[:19]}…)"
    if record.task and record.task != subject.task:
        return Outcome.STALE, f"measured as a {record.task} model, not as a {subject.task} one"
    return None


def _not_now(record: Record, policy: Policy, now: datetime) -> tuple[Outcome, str] | None:
    """Why a record is from the wrong time; None where it is recent."""
    if record.performed_at > now + _SKEW:
        return Outcome.NOT_YET, f"dated {as_of(record.performed_at)}, in the future"
    if now - record.performed_at > timedelta(days=policy.freshness.max_age_days):
        return (
            Outcome.STALE,
            f"measured on {as_of(record.performed_at)}, more than {policy.freshness.max_age_days} days ago",
        )
    return None


def _weak_setting(record: Record, policy: Policy) -> tuple[Outcome, str] | None:
    """The first setting that makes a record's findings easier to pass than the policy allows."""
    for limit in policy.settings:
        outer, _, inner = limit.setting.partition(".")
        if inner and outer != record.suite:
            continue
        value = _setting(record.settings, limit.setting)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not limit.holds(float(value)):
            wanted = " and ".join(
                f"{words} {bound:g}"
                for words, bound in (("at least", limit.at_least), ("at most", limit.at_most))
                if bound is not None
            )
            words = f"measured with {limit.setting} {str(value)[:20]}, where the policy wants {wanted}"
            return Outcome.NOT_PERFORMED, words
    return None


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    """A setting by its dotted name; None where it is not stated."""
    found: Any = settings
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _compare(requirement: Requirement, found: Measurement) -> tuple[Outcome, str]:
    """Value first, then the honest end, then whether there are rows enough: a plain failure stays one."""
    number = {"value": found.value, "lower": found.low, "upper": found.high}[requirement.judged_on]
    words = _words(found)
    if not all(requirement.holds(one) for one in (found.value, number) if one is not None):
        return Outcome.FAIL, words
    if number is None:
        return (
            Outcome.NOT_PERFORMED,
            f"{words}; no interval is given, and the policy judges its {requirement.judged_on} end",
        )
    if found.n < requirement.min_n:
        return Outcome.NOT_PERFORMED, f"{words}; too few rows to say so, {requirement.min_n:,} are needed"
    return Outcome.PASS, words


def _words(found: Measurement) -> str:
    """A measurement as people read it: "0.71 auc (0.62 to 0.79, n 250)"."""
    if found.unit == "yes/no":
        return "yes" if found.value >= 1 else "no"
    unit = f" {found.unit}" if found.unit else ""
    interval = f"{found.low:.3g} to {found.high:.3g}, " if found.low is not None and found.high is not None else ""
    return f"{found.value:.3g}{unit} ({interval}n {found.n:,})"


def _instance(found: Measurement, record: Record, outcome: Outcome, words: str) -> Instance:
    return Instance(
        outcome=outcome,
        found=words,
        attribute=found.attribute,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        unit=found.unit,
        statement=record.statement,
        gentler=record.gentler,
    )


def _speaks_for(attestation: Attestation, requirement: Requirement) -> bool:
    return attestation.check == requirement.check and attestation.role in requirement.attested_by


def _attested(instance: Instance, spoken: Attestation) -> Instance:
    """A person's word stands in only where measuring was tried and not possible, never for a failure or a gap."""
    if instance.outcome is not Outcome.NOT_PERFORMED:
        return instance
    found = f"{spoken.by} ({spoken.role}) states: {spoken.reason}"
    return Instance(
        outcome=Outcome.ATTESTED,
        found=found,
        attribute=instance.attribute,
        statement=spoken.statement,
        gentler=instance.gentler,  # a word does not heal that less was tried
    )


def _result(requirement: Requirement, instances: Sequence[Instance]) -> Result:
    ordered = sorted(instances, key=lambda one: _badness(one, requirement))
    outcome = ordered[0].outcome
    return Result(
        check=requirement.check,
        outcome=outcome,
        found="; ".join(f"{one.attribute}: {one.found}" if one.attribute else one.found for one in ordered),
        limit=in_words(requirement),
        why=requirement.why,
        who=requirement.who,
        next_step=_next_step(outcome, requirement.check, attested_by=requirement.attested_by),
        source=requirement.source,
        instances=tuple(ordered),
    )


def _badness(instance: Instance, requirement: Requirement) -> tuple[int, float, str, str]:
    """Worst outcome first, then the number furthest on the wrong side; ties in a fixed order."""
    distance = 0.0
    if instance.value is not None:
        distance = instance.value if requirement.at_least is not None else -instance.value
    return _WORST_FIRST.index(instance.outcome), distance, instance.attribute or "", instance.statement


def _usefulness(instance: Instance) -> int:
    """Of several explanations, the one closest to a usable measurement; an open question before "no such thing"."""
    return (Outcome.NOT_PERFORMED, Outcome.NOT_YET, Outcome.NOT_APPLICABLE, Outcome.STALE).index(instance.outcome)


def _age(record: Record) -> tuple[int, str]:
    return record.ledger_index, record.statement


def _next_step(outcome: Outcome, what: str, *, attested_by: Sequence[str] = ()) -> str:
    steps = {
        Outcome.FAIL: "improve the data or the training, then make a new version: sealwright run",
        Outcome.MISSING: f"have it measured ({what}): sealwright run",
        Outcome.STALE: "measure this model on this data again: sealwright run",
        Outcome.NOT_PERFORMED: "remove the reason, then measure again: sealwright run",
        Outcome.NOT_YET: "wait until then, or correct the clock of the machine that measured",
    }
    step = steps.get(outcome, "")
    if outcome is Outcome.NOT_PERFORMED and attested_by:
        step += (
            f"; or let a {' or '.join(attested_by)} state why it cannot be: "
            f"sealwright attest --check {what} --as NAME --role ROLE --reason WHY"
        )
    return step
