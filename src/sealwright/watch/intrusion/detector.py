"""Runs the rules over the ledgers of a workspace and raises what they say, once.

Answers: which alerts come from the events since the last look? Events of several ledgers are one stream, by their times:
what the control server and the prediction servers refuse stands in ledgers of their own.
Does not answer: what is done about them. An alert is an event of its own; people and the SIEM see it.

The rules keep their counts in memory. After a restart they look again at the last day, and alerts that stand in the
ledger already are not raised twice: the ledger itself says which those are.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sealwright.kernel import rfc3339
from sealwright.trust import Audit, Event, Ledger
from sealwright.watch.intrusion.model import Alert, Rule
from sealwright.watch.intrusion.rules import RULES
from sealwright.watch.seen import Seen, seen_in

__all__ = ["Detector", "raise_alerts"]

RAISED = "alert.raise"
LOOK_BACK = timedelta(days=1)


class Detector:
    """Rules over one stream."""

    def __init__(self, rules: Sequence[Rule] | None = None) -> None:
        self._rules = tuple(make() for make in RULES) if rules is None else tuple(rules)

    def see(self, stream: Iterable[Seen]) -> list[Alert]:
        """Take events in their order; returns what the rules saw in them. Our own alerts are not looked at."""
        return [
            alert
            for seen in stream
            if seen.action != RAISED
            for rule in self._rules
            if (alert := rule.see(seen)) is not None
        ]


def raise_alerts(ledgers: Mapping[str, Ledger], audit: Audit, *, now: datetime) -> list[Alert]:
    """Look at the last day of `ledgers` (by origin) and raise what is not raised yet; returns the new alerts."""
    raised: list[Seen] = []
    events = heapq.merge(*(_last_day(*one, now) for one in ledgers.items()), key=lambda seen: seen.at)
    found = Detector().see(_setting_aside(events, raised))
    fresh = [alert for alert in found if not any(_tells_of(seen, alert) for seen in raised)]
    for alert in fresh:
        audit.record(_event(alert))
    return fresh


def _last_day(origin: str, ledger: Ledger, now: datetime) -> Iterator[Seen]:
    return (seen_in(entry, origin) for entry in ledger.entries(_first_since(ledger, now - LOOK_BACK)))


def _setting_aside(stream: Iterable[Seen], raised: list[Seen]) -> Iterator[Seen]:
    """The stream; alerts that were raised before go into `raised` on the way."""
    for seen in stream:
        if seen.action == RAISED:
            raised.append(seen)
        yield seen


def _tells_of(raised: Seen, alert: Alert) -> bool:
    """Whether an alert that was raised rests on events this one rests on, too: then it is the same attack."""
    same = (raised.reason, raised.detail.get("about")) == (alert.rule, alert.about)
    return same and rfc3339(alert.since) <= str(raised.detail.get("until", ""))


def _event(alert: Alert) -> Event:
    detail = {
        "severity": alert.severity,
        "about": alert.about,
        "first": alert.first,
        "last": alert.last,
        "since": rfc3339(alert.since),
        "until": rfc3339(alert.at),
        "count": alert.count,
        "says": alert.says,
    }
    return Event(action=RAISED, outcome="done", reason=alert.rule, detail=detail)


def _first_since(ledger: Ledger, moment: datetime) -> int:
    """The first entry at or after `moment`, by halving: times in a ledger never go back."""
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        if seen_in(ledger.entry(middle), "").at < moment:
            low = middle + 1
        else:
            high = middle
    return low
