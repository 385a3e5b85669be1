"""Statements stay on file as they were signed, once, and in the order the ledger gives them."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sealwright.engines import Database
from sealwright.evidence import StatementStore
from sealwright.kernel import FixedClock, NotFound
from sealwright.trust import Ledger, LedgerUnavailable, LocalSigner, Statement, make_statement, sign_statement

TYPE = "urn:example:fact"


@pytest.fixture
def store(db: Database) -> StatementStore:
    return StatementStore(db)


def said(make: Any, stolen: Mapping[str, LocalSigner], number: int, about: str = "model") -> tuple[Statement, bytes]:
    statement = make_statement([("it", make.digest(about))], TYPE, {"number": number})
    return statement, sign_statement(statement, stolen["statements"])


def test_a_statement_comes_back_byte_for_byte(
    make: Any, store: StatementStore, ledger: Ledger, stolen: Mapping[str, LocalSigner], clock: FixedClock
) -> None:
    statement, envelope = said(make, stolen, 1)
    filed = store.file(statement, envelope, project="p", ledger=ledger, now=clock(), actor="ada")
    assert store.get(statement.digest) == filed
    assert (filed.envelope, filed.subject, filed.predicate_type) == (envelope, make.digest("model"), TYPE)
    entry = ledger.entry(filed.ledger_index)
    assert (entry.action, entry.subject, entry.actor) == ("statement.filed", statement.digest, "ada")
    assert entry.detail == {"about": make.digest("model"), "project": "p", "type": TYPE}


def test_filing_twice_files_once(
    make: Any, store: StatementStore, ledger: Ledger, stolen: Mapping[str, LocalSigner], clock: FixedClock
) -> None:
    statement, envelope = said(make, stolen, 1)
    first = store.file(statement, envelope, project="p", ledger=ledger, now=clock())
    assert store.file(statement, envelope, project="q", ledger=ledger, now=clock()) == first
    assert ledger.size == 1


def test_questions_are_answered_in_the_order_of_the_ledger(
    make: Any, store: StatementStore, ledger: Ledger, stolen: Mapping[str, LocalSigner], clock: FixedClock
) -> None:
    for number in range(4):
        about = "model" if number % 2 else "data"
        store.file(*said(make, stolen, number, about), project="p", ledger=ledger, now=clock())
    assert [one.ledger_index for one in store.about(make.digest("model"))] == [1, 3]
    assert [one.ledger_index for one in store.of_project("p", TYPE)] == [0, 1, 2, 3]
    assert [one.ledger_index for one in store.of_project("p", TYPE, newest=2)] == [2, 3]
    latest = store.latest("p", TYPE)
    assert latest is not None
    assert latest.ledger_index == 3
    assert store.latest("another", TYPE) is None
    assert store.about(make.digest("model"), "another type") == []


def test_what_is_not_on_file_is_not_found(make: Any, store: StatementStore) -> None:
    with pytest.raises(NotFound, match="on file"):
        store.get(make.digest("nothing"))


def test_many_at_once_get_one_place_each(
    make: Any, store: StatementStore, ledger: Ledger, stolen: Mapping[str, LocalSigner], clock: FixedClock
) -> None:
    """T-84: a race has one winner; nobody's statement is lost or entered twice."""
    prepared = [said(make, stolen, number) for number in range(6)]
    failures: list[BaseException] = []

    def file_all() -> None:
        try:
            for one in prepared:
                store.file(*one, project="p", ledger=ledger, now=clock())
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=file_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ledger.size == 6
    assert sorted(one.ledger_index for one in store.of_project("p", TYPE)) == list(range(6))


class _PowerCut(RuntimeError):
    pass


class _FailingLedger:
    """The real ledger, whose power is cut just before or just after it wrote."""

    def __init__(self, ledger: Ledger, *, after: bool) -> None:
        self._ledger, self._after = ledger, after

    def entries(self, start: int = 0) -> Iterator[Any]:
        return self._ledger.entries(start)

    def append_many(self, entries: Any) -> list[Any]:
        if self._after:
            self._ledger.append_many(entries)
        raise _PowerCut("power cut")


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_database_and_ledger_loses_nothing_and_doubles_nothing(
    make: Any,
    store: StatementStore,
    ledger: Ledger,
    stolen: Mapping[str, LocalSigner],
    clock: FixedClock,
    *,
    after: bool,
) -> None:
    store.file(*said(make, stolen, 0), project="p", ledger=ledger, now=clock())
    statement, envelope = said(make, stolen, 1)
    failing: Any = _FailingLedger(ledger, after=after)
    with pytest.raises(_PowerCut):
        store.file(statement, envelope, project="p", ledger=failing, now=clock())
    assert [one.ledger_index for one in store.about(make.digest("model"))] == [0]
    ledger.append("something.else", "x", {})
    store.file(*said(make, stolen, 2), project="p", ledger=ledger, now=clock())
    assert store.get(statement.digest).ledger_index == (1 if after else 2)
    assert sum(entry.subject == statement.digest for entry in ledger.entries()) == 1


def test_without_a_ledger_nothing_counts_as_filed(
    make: Any, store: StatementStore, ledger: Ledger, stolen: Mapping[str, LocalSigner], clock: FixedClock
) -> None:
    failing: Any = _FailingLedger(ledger, after=False)
    with pytest.raises((_PowerCut, LedgerUnavailable)):
        store.file(*said(make, stolen, 1), project="p", ledger=failing, now=clock())
    assert store.about(make.digest("model")) == []
    assert store.latest("p", TYPE) is None
