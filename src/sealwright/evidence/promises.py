"""Where a model was measured more gently than was promised: the settings a statement names, against the frozen ones.

Answers: which settings make a finding easier to pass than those that stood when results were first seen?
Does not answer: which way a setting is harder. Whoever measures says so (`Measuring`); what nobody says is a loosening.
Pure.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

from sealwright.evidence.case import Case, Terms
from sealwright.evidence.model import Change, Direction, Measuring, Record
from sealwright.evidence.policy import Suite
from sealwright.kernel import canonical_json, digest_of

__all__ = ["gentler", "held_to_promises"]

_SUITES = frozenset(get_args(Suite))  # what else is on file, such as parity, is measured without settings
_ABSENT = object()
_LONGEST = 200


def held_to_promises(case: Case) -> list[Record]:
    """The records of the case. Those about its model say where they tried less hard than any promise that stands."""
    standing = sorted((one for one in case.terms if not one.settled), key=lambda one: (one.ledger_index, one.statement))
    return [
        replace(record, gentler=_changes(record, standing, case.measuring))
        if record.suite in _SUITES and record.model in {case.subject.model, None} and record.data == case.subject.data
        else record
        for record in case.records
    ]


def gentler(
    frozen: Mapping[str, Any] | None, measured: Mapping[str, Any], groups: Collection[str], measuring: Measuring
) -> Iterator[Change]:
    """Every setting of `measured` that does not surely try as hard as `frozen` does.

    Parameters
    ----------
    frozen : mapping or None
        The settings that were promised, as JSON; None where a charter holds no more than their digest.
    measured : mapping
        The settings a signed statement names.
    groups : collection of str
        Columns that were compared under the promise.
    """
    if frozen is None:
        if measured:
            yield Change(
                what="assurance", before="frozen without its content", after="nobody can tell if it tries as hard"
            )
        return
    for path, before, after in _differences((), frozen, measured, measuring.defaults):
        name = ".".join(path)
        way = measuring.harder.get(name, "fixed")
        if way == "kept" and isinstance(before, list) and isinstance(after, list):
            gone = [one for one in before if one not in after]
            if gone:
                yield Change(what=f"assurance.{name}", before=_words(gone), after="taken out")
        elif not _as_hard(way, before, after, groups):
            yield Change(what=f"assurance.{name}", before=_words(before), after=_words(after))


def _changes(record: Record, standing: list[Terms], measuring: Measuring) -> tuple[Change, ...]:
    """Each once, the oldest promise first."""
    found = (gentler(terms.settings, record.settings, terms.groups, measuring) for terms in standing)
    return tuple(dict.fromkeys(change for changes in found for change in changes))


def _differences(
    path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Settings that differ, by their place; sections inside sections are gone through."""
    for key in sorted({*before, *after}):
        usual = defaults.get(key, _ABSENT)
        old, new = before.get(key, usual), after.get(key, _ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences((*path, key), old, new, usual if isinstance(usual, Mapping) else {})
        elif old != new:
            yield (*path, key), old, new


def _as_hard(way: Direction, before: Any, after: Any, groups: Collection[str]) -> bool:
    """True where `after` surely tries as hard as `before`."""
    if isinstance(way, tuple):
        return before in way and after in way and way.index(after) >= way.index(before)
    if way == "more":
        return after is None or (_number(before) and _number(after) and after >= before)
    if way == "less":
        return _number(before) and _number(after) and after <= before
    if way == "kept":
        return before is None
    if way == "parted":
        old, new = _parted(before), _parted(after)
        return (
            old is not None
            and new is not None
            and all(new.get(name) == cuts for name, cuts in {**dict.fromkeys(groups), **old}.items())
        )
    return way == "free"


def _parted(groups: Any) -> dict[str, Any] | None:
    """Columns with the points they are cut at; None where the setting cannot be read."""
    if groups is None:
        return {}
    if not isinstance(groups, list) or not all(isinstance(one, (str, Mapping)) for one in groups):
        return None
    named = [{one: None} if isinstance(one, str) else one for one in groups]
    return {name: cuts for one in named for name, cuts in one.items()}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _words(value: Any) -> str:
    """A setting as it stands in a decision and in what is signed; what is cut short is named by its digest."""
    if value is None or value is _ABSENT:
        return "not set"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({digest_of(canonical_json(value))[:19]}…)"
