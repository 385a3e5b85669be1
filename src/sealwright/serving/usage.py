"""How much each credential asks, and from where: counted as it comes, written to the ledger once a minute.

Whoever copies a model by asking it has to ask for very many rows, nearly all of them new; whoever stole a token uses it
where its owner does not. A single decision shows neither; these counts do. Callers and addresses stand in them as
pseudonyms, requests not at all.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sealwright.serving.budgets.known import KnownRequests
from sealwright.serving.tokens import Caller
from sealwright.trust import digest_of_resource

__all__ = ["Asked", "Usage"]

_MOST_SOURCES = 8  # of one credential in a minute; from four on it is an alarm

_Note = Callable[[str, str, Mapping[str, object]], None]
_Who = tuple[str, str]  # caller, id of the credential


@dataclass(slots=True)
class Asked:
    """What came with one credential."""

    rows: int = 0
    different: int = 0  # rows of requests that this caller had not sent before
    sources: Counter[str] = field(default_factory=Counter)  # requests by address
    abstained: int = 0  # rows that got no label


class Usage:
    """Counts on the event loop; `write` may run on a thread."""

    def __init__(self, note: _Note, name_of: Callable[[str], str]) -> None:
        """`name_of`: from a caller or an address to the pseudonym they are kept under."""
        self._note, self._name_of = note, name_of
        self._asked: dict[_Who, Asked] = {}
        self._known = KnownRequests()

    def add(self, caller: Caller, source: str, request: bytes, rows: int, abstained: int = 0) -> None:
        """One answered request of `rows` rows, `abstained` of them without a label."""
        who = (caller.subject, caller.token)
        asked = self._asked.get(who)
        if asked is None:
            asked = self._asked[who] = Asked()
        asked.rows += rows
        asked.abstained += abstained
        if self._known.answered(caller.subject, request):
            asked.different += rows
        if source in asked.sources or len(asked.sources) < _MOST_SOURCES:
            asked.sources[source] += 1

    def different(self, caller: Caller, request: bytes, rows: int) -> int:
        """How many of the rows of `request` this caller was not answered before."""
        return self._known.different(caller.subject, request, rows)

    def take(self) -> dict[_Who, Asked]:
        """What was asked since the last time."""
        found, self._asked = self._asked, {}
        return found

    def give_back(self, found: Mapping[_Who, Asked]) -> None:
        """Count again what was taken and could not be written."""
        for who, before in found.items():
            asked = self._asked.setdefault(who, Asked())
            asked.rows += before.rows
            asked.different += before.different
            asked.abstained += before.abstained
            asked.sources.update(before.sources)

    def write(self, found: dict[_Who, Asked]) -> None:
        """One entry a credential; what is written leaves `found`.

        Raises
        ------
        NotRecorded
            The ledger could not take it.
        """
        for (subject, token), asked in tuple(found.items()):
            detail = {
                "caller": self._name_of(subject),
                "rows": asked.rows,
                "different": asked.different,
                **({"abstained": asked.abstained} if asked.abstained else {}),
                "sources": {self._name_of(one): count for one, count in asked.sources.most_common(_MOST_SOURCES)},
            }
            self._note("predict.usage", digest_of_resource(f"credential:{token}"), detail)
            del found[subject, token]
