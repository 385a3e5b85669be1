"""What is left is read from the ledger, entry by entry, and what turns out to be one dataset draws on one budget."""

import dataclasses
from typing import Any

import pytest
from dp_asking import query
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.dp import (
    Book,
    Fingerprint,
    Limit,
    PrivacyBookBroken,
    PrivacyBudgetChanged,
    PrivacyBudgetSpent,
    Protection,
    budget_entry,
    dataset_entry,
    left,
    refuse_if_spent,
    spent_entry,
)
from sealwright.data.privacy_budget import millionths
from sealwright.trust import Entry, LedgerEntry

ROW, PERSON = Protection(unit="row", rows=1), Protection(unit="person", rows=3)
NOTHING = Fingerprint(columns=(), rows=())


class Paper:
    """Entries as a ledger would give them back."""

    def __init__(self) -> None:
        self.entries: list[LedgerEntry] = []

    def write(self, entry: Entry) -> None:
        self.entries.append(
            LedgerEntry(
                index=len(self.entries),
                at="2026-01-01T00:00:00.000Z",
                action=entry.action,
                actor=entry.actor,
                subject=entry.subject,
                detail=entry.detail,
                previous="",
                sealed=None,
                attachment=None,
                leaf=b"",
            )
        )

    def dataset(self, snapshot: str, project: str = "p", *marks: str, prints: Fingerprint = NOTHING) -> None:
        self.write(
            dataset_entry(
                snapshot, project, [f"project/{project}", f"snapshot/{snapshot}", *marks], prints, actor="ada"
            )
        )

    def limit(self, snapshot: str, epsilon: str, delta: float = 0.0) -> None:
        limit = Limit(epsilon=millionths(epsilon), delta=delta)
        self.write(budget_entry(snapshot, "p", limit, "row", reason="because", actor="ada"))

    def spend(self, snapshot: str, epsilon: str, protection: Protection = ROW) -> None:
        asked = query("mean", epsilon, column="age", where=(("colour", "red"),))
        self.write(spent_entry(snapshot, "p", asked, protection, release="release_1", delta=0.0, actor="ada"))

    @property
    def book(self) -> Book:
        return Book(self.entries)


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_spends_of_one_snapshot_add_up(paper: Paper) -> None:
    paper.dataset("s1")
    paper.limit("s1", "1")
    for _ in range(3):
        paper.spend("s1", "0.1")
    account = paper.book.of_snapshot("s1")
    assert account is not None
    assert account.limit == Limit(epsilon=1_000_000)
    assert left(account.spent, account.limit) == 700_000
    assert account.spends[0].columns == ("age", "colour")


def test_an_entry_of_a_spend_holds_no_value(paper: Paper) -> None:
    paper.dataset("s1")
    paper.spend("s1", "0.1")
    assert "red" not in str(paper.entries[-1].detail)


@pytest.mark.parametrize("mark", ["source/sha256:1", "snapshot/s0", "project/q"])
def test_datasets_that_share_a_mark_are_one_account(paper: Paper, mark: str) -> None:
    paper.dataset("s1", "p", mark)
    paper.dataset("s2", "q", mark)
    paper.spend("s1", "0.3")
    paper.spend("s2", "0.4")
    account = paper.book.of_snapshot("s2")
    assert account is not None
    assert account is paper.book.of_snapshot("s1") or account.spent.epsilon == 700_000
    assert account.projects == {"p", "q"}


def test_a_dataset_that_links_two_accounts_joins_them_and_the_stricter_budget_holds(paper: Paper) -> None:
    paper.dataset("s1", "p", "source/a")
    paper.limit("s1", "1")
    paper.spend("s1", "0.5")
    paper.dataset("s2", "q", "source/b")
    paper.limit("s2", "3")
    paper.spend("s2", "0.4")
    book = paper.book
    assert book.of_snapshot("s1") is not book.of_snapshot("s2")
    account = book.open("s3", "r", ["source/a", "source/b"], NOTHING)
    assert account.spent.epsilon == 900_000
    assert account.limit == Limit(epsilon=1_000_000)
    assert [spend.entry for spend in account.spends] == [2, 5]


def test_a_later_budget_takes_the_place_of_an_earlier_one(paper: Paper) -> None:
    paper.dataset("s1")
    for epsilon in ("1", "3", "2"):
        paper.limit("s1", epsilon)
    account = paper.book.of_project("p")
    assert account is not None
    assert account.limit == Limit(epsilon=2_000_000)


def test_rows_and_persons_are_never_added_up(paper: Paper) -> None:
    paper.dataset("s1")
    paper.spend("s1", "0.1", ROW)
    account = paper.book.of_snapshot("s1")
    assert account is not None
    with pytest.raises(PrivacyBudgetChanged, match="protect each row, this one would protect each person"):
        refuse_if_spent(account, Limit(epsilon=1_000_000), query("count", "0.1"), "person")
    refuse_if_spent(account, Limit(epsilon=1_000_000), query("count", "0.1"), "row")


def test_a_refusal_says_what_was_asked_what_is_left_and_what_to_do(paper: Paper) -> None:
    paper.dataset("s1")
    paper.spend("s1", "0.8")
    account = paper.book.of_snapshot("s1")
    assert account is not None
    with pytest.raises(PrivacyBudgetSpent) as refused:
        refuse_if_spent(account, Limit(epsilon=1_000_000), query("mean", "0.3", column="age"), "row")
    words = str(refused.value)
    assert "mean of 'age' would cost epsilon 0.3; 0.2 is left of 1" in words
    assert "--epsilon 0.2 or less" in words
    assert "--set-epsilon" in words
    assert refused.value.exit_code == 3
    assert refused.value.code == "data.privacy_budget_spent"


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("data.privacy_spent", {"epsilon": "many"}),
        ("data.privacy_spent", {"epsilon": "-1"}),
        ("data.privacy_spent", {"epsilon": None}),
        ("data.privacy_spent", {"unit": "household"}),
        ("data.privacy_spent", {"columns": "age"}),
        ("data.privacy_budget_set", {"epsilon": "1e9"}),
        ("data.privacy_budget_set", {"delta": "none"}),
        ("data.privacy_dataset", {"marks": None}),
    ],
)
def test_an_entry_that_cannot_be_read_stops_all_releases(paper: Paper, action: str, change: dict[str, Any]) -> None:
    paper.dataset("s1")
    paper.limit("s1", "1")
    paper.spend("s1", "0.1")
    entries = [
        dataclasses.replace(entry, detail={**entry.detail, **change}) if entry.action == action else entry
        for entry in paper.entries
    ]
    with pytest.raises(PrivacyBookBroken, match="Nothing is released"):
        Book(entries)
    with pytest.raises(PrivacyBookBroken):
        Book(paper.entries[1:])


names = st.sampled_from(["s1", "s2", "s3", "s4"])
moves = st.lists(st.tuples(names, st.integers(1, 1_500_000), st.sets(st.sampled_from("abc"), max_size=2)), max_size=25)


@given(moves, st.integers(1, 2_000_000))
def test_no_sequence_of_requests_gets_more_than_the_budget_out_of_a_dataset(
    asked: list[tuple[str, int, set[str]]], budget: int
) -> None:
    """Whatever is asked of whichever snapshot, and whenever two of them turn out to be one."""
    paper, limit = Paper(), Limit(epsilon=budget)
    granted: list[tuple[str, int]] = []
    for snapshot, epsilon, sources in asked:
        book = paper.book
        account = book.open(
            snapshot, snapshot, [f"snapshot/{snapshot}", *(f"source/{one}" for one in sources)], NOTHING
        )
        paper.write(
            dataset_entry(
                snapshot, snapshot, [f"snapshot/{snapshot}", *(f"source/{one}" for one in sources)], NOTHING, actor=""
            )
        )
        try:
            refuse_if_spent(account, limit, dataclasses.replace(query("count"), epsilon=epsilon), "row")
        except PrivacyBudgetSpent:
            continue
        paper.write(
            spent_entry(
                snapshot,
                snapshot,
                dataclasses.replace(query("count"), epsilon=epsilon),
                ROW,
                release="r",
                delta=0.0,
                actor="",
            )
        )
        granted.append((snapshot, epsilon))
        grown = paper.book.of_snapshot(snapshot)
        assert grown is not None
        assert grown.spent.epsilon <= budget
    assert sum(epsilon for _, epsilon in granted) <= budget * len({snapshot for snapshot, _ in granted} or {""})
