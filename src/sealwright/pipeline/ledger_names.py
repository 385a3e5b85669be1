"""Whose pseudonym is this? The way back from the ledger's actors to names, for whoever holds the keys.

Answers: which of the names we know acted here?
Does not answer: who was somebody that nobody remembers. Their pseudonym stays one; search for the name instead.
"""

import pwd
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sealwright.kernel import strict_json
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import LedgerEntry

__all__ = ["known_names", "who_acted", "with_names"]

OURS = ("predict", "sec-gpc", "sealwright")
"""Programs that act under a name of their own."""


def known_names(workspace: Workspace, more: Iterable[str] = ()) -> frozenset[str]:
    """Everybody who could have acted: the enrolled (also whose enrolment ended), who ran a step, users of this machine."""
    with workspace.db.read() as tx:
        enrolled = {str(row["name"]) for row in tx.run("SELECT name FROM people")}
        ran = {
            name
            for row in tx.run("SELECT detail FROM runs")
            for name in _names_in(strict_json(str(row["detail"]), what="run"))
        }
    users = {user.pw_name for user in pwd.getpwall()}
    return frozenset({*enrolled, *ran, *users, *OURS, *more})


def who_acted(workspace: Workspace, more: Iterable[str] = ()) -> Mapping[str, str]:
    """Pseudonym -> name, for every known name."""
    return workspace.discretion.who(known_names(workspace, more))


def with_names(workspace: Workspace, entries: Iterable[LedgerEntry], more: Iterable[str] = ()) -> Iterator[LedgerEntry]:
    """The entries with the names of their actors, where they are known, for people to read; never to be kept."""
    names = who_acted(workspace, more)
    for entry in entries:
        yield replace(entry, actor=names.get(entry.actor, entry.actor))


def _names_in(value: object) -> Iterator[str]:
    """Every text under the key "by", however deep."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "by" and isinstance(item, str):
                yield item
            else:
                yield from _names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names_in(item)
