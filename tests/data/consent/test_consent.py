"""Consent holds for one purpose, in one wording, from the moment it was given to the moment it was taken back."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.data.consent import (
    ConsentChange,
    ConsentLedger,
    ConsentState,
    admit,
    admits,
    consent_state,
    read_consents,
    violations,
)
from sealwright.engines import Database
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound, VerificationFailed, digest_of, rfc3339
from sealwright.trust import Ledger

ANNA, BERT, CORA = ("sub_" + letter * 32 for letter in "abc")
WORDS = b"We may use your application to improve our scoring."
TEXT = {"text_version": "2026-01", "text": WORDS, "channel": "web form", "by": "dora"}


@pytest.fixture
def consents(db: Database, ledger: Ledger, clock: FixedClock) -> ConsentLedger:
    return ConsentLedger(db, ledger, clock)


def change(subject: str, at: datetime, *, kind: str = "given", purpose: str = "scoring") -> ConsentChange:
    return ConsentChange(
        project="credit", purpose=purpose, subject=subject, change=kind, text_version="2026-01",  # type: ignore[arg-type]
        text_digest=digest_of(WORDS), channel="web form", at=rfc3339(at),
    )  # fmt: skip


def test_consent_holds_until_it_is_taken_back(consents: ConsentLedger, clock: FixedClock) -> None:
    before = clock() - timedelta(seconds=1)
    consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
    given_at = clock()
    clock.advance(timedelta(days=3))
    consents.withdraw("credit", ANNA, "scoring", channel="letter", by="dora")
    assert consents.state("credit", "scoring", before).given == frozenset()
    assert consents.state("credit", "scoring", given_at).given == {ANNA}
    assert consents.state("credit", "scoring", clock() - timedelta(seconds=1)).given == {ANNA}
    assert consents.state("credit", "scoring").given == frozenset()
    assert consents.state("credit", "scoring").withdrawn == {ANNA}


def test_consent_to_one_purpose_or_project_is_none_to_another(consents: ConsentLedger) -> None:
    consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
    assert consents.state("credit", "marketing").given == frozenset()
    assert consents.state("other", "scoring").given == frozenset()


def test_withdrawing_takes_one_word_and_covers_everything(consents: ConsentLedger, clock: FixedClock) -> None:
    for purpose in ("scoring", "research"):
        consents.give("credit", ANNA, purpose, **TEXT)  # type: ignore[arg-type]
    clock.advance(timedelta(seconds=1))
    taken = consents.withdraw("credit", ANNA, channel="phone", by="dora")
    assert taken.before == ("research", "scoring")
    assert [one.change for one in consents.history("credit", ANNA)] == ["given", "given", "withdrawn", "withdrawn"]
    with pytest.raises(NotFound, match="Name the purpose"):
        consents.withdraw("credit", BERT, channel="phone", by="dora")
    alone = consents.withdraw("credit", BERT, "scoring", channel="phone", by="dora")
    assert (alone.before, consents.state("credit", "scoring").withdrawn) == ((), {ANNA, BERT})


def test_who_comes_back_is_in_again(consents: ConsentLedger, clock: FixedClock) -> None:
    for kind in ("give", "withdraw", "give"):
        if kind == "give":
            consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
        else:
            consents.withdraw("credit", ANNA, channel="phone", by="dora")
        clock.advance(timedelta(seconds=1))
    assert consents.state("credit", "scoring").given == {ANNA}


def test_of_two_changes_in_the_same_moment_the_withdrawal_counts(consents: ConsentLedger, clock: FixedClock) -> None:
    moment = clock()
    consents.take_over([change(ANNA, moment, kind="withdrawn"), change(ANNA, moment)], by="dora")
    assert consents.state("credit", "scoring").withdrawn == {ANNA}


def test_an_old_file_read_later_does_not_undo_a_withdrawal(consents: ConsentLedger, clock: FixedClock) -> None:
    given_at = clock()
    consents.take_over([change(ANNA, given_at)], by="dora")
    clock.advance(timedelta(days=1))
    consents.withdraw("credit", ANNA, channel="letter", by="dora")
    clock.advance(timedelta(days=1))
    assert consents.take_over([change(ANNA, given_at), change(BERT, given_at)], by="dora") == 1
    assert consents.state("credit", "scoring").withdrawn == {ANNA}
    assert consents.state("credit", "scoring").given == {BERT}


def test_a_consent_of_tomorrow_is_none(consents: ConsentLedger, clock: FixedClock) -> None:
    tomorrow = clock() + timedelta(days=1)
    with pytest.raises(InvalidInput, match="yet to come"):
        consents.take_over([change(ANNA, clock()), change(BERT, tomorrow)], by="dora")
    with pytest.raises(InvalidInput, match="yet to come"):
        consents.give("credit", ANNA, "scoring", at=tomorrow, **TEXT)  # type: ignore[arg-type]
    assert consents.state("credit", "scoring").given == frozenset()


def test_new_words_need_a_new_version(consents: ConsentLedger) -> None:
    consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="used with other words before"):
        consents.give("credit", BERT, "scoring", **{**TEXT, "text": b"We may do anything."})  # type: ignore[arg-type]
    assert consents.history("credit", BERT) == []


def test_rows_come_in_only_with_consent_and_say_why_not(
    consents: ConsentLedger, db: Database, clock: FixedClock
) -> None:
    consents.take_over([change(ANNA, clock()), change(BERT, clock())], by="dora")
    clock.advance(timedelta(seconds=1))
    consents.withdraw("credit", BERT, channel="phone", by="dora")
    rows = np.array([ANNA, BERT, CORA, ANNA, ""], dtype=object)
    with db.read() as tx:
        found = admits(tx, "credit", rows, purpose="scoring", at=clock())
    assert found.mask.tolist() == [True, False, False, True, False]
    assert found.reasons.tolist() == ["", "consent_withdrawn", "no_consent", "", "no_consent"]
    assert found.counts == {"no_consent": 2, "consent_withdrawn": 1}
    with db.read() as tx:
        wrong = violations(rows[found.mask], consent_state(tx, "credit", "scoring", clock()))
        late = violations(rows, consent_state(tx, "credit", "scoring", clock()))
    assert (wrong.total, late.total, late.withdrawn) == (0, 3, 1)


people = st.sampled_from([ANNA, BERT, CORA])


@given(st.lists(people), st.frozensets(people), st.frozensets(people))
def test_what_is_admitted_violates_nothing(rows: list[str], given_by: frozenset[str], back: frozenset[str]) -> None:
    state = ConsentState(project="credit", purpose="scoring", at="", given=given_by - back, withdrawn=back)
    found = admit(rows, state)
    assert [bool(one) for one in found.mask] == [row in given_by - back for row in rows]
    assert violations([row for row, kept in zip(rows, found.mask, strict=True) if kept], state).total == 0
    assert violations(rows, state).total == len(rows) - int(found.mask.sum())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    changes=st.lists(st.tuples(people, st.sampled_from(["given", "withdrawn"]), st.integers(0, 5)), unique=True),
    asked=st.integers(0, 6),
    random=st.randoms(use_true_random=False),
)
def test_the_state_is_that_of_the_last_change_in_whatever_order_they_came(
    changes: list[tuple[str, str, int]], asked: int, random: object, db: Database, ledger: Ledger, clock: FixedClock
) -> None:
    start = clock() - timedelta(hours=1)
    project = "p" + digest_of(repr((changes, asked)).encode())[7:19]
    consents = ConsentLedger(db, ledger, clock)
    with db.write() as tx:
        tx.run("DELETE FROM consents")
    made = [
        ConsentChange(
            project=project, purpose="scoring", subject=who, change=kind, text_version="1",  # type: ignore[arg-type]
            text_digest=digest_of(WORDS), channel="x", at=rfc3339(start + timedelta(minutes=minute)),
        )
        for who, kind, minute in changes
    ]  # fmt: skip
    random.shuffle(made)  # type: ignore[attr-defined]
    consents.take_over(made, by="dora")
    state = consents.state(project, "scoring", start + timedelta(minutes=asked))
    for who in (ANNA, BERT, CORA):
        mine = sorted((minute, kind) for one, kind, minute in changes if one == who and minute <= asked)
        last = mine[-1][1] if mine else ""
        assert (who in state.given, who in state.withdrawn) == (last == "given", last == "withdrawn")


def test_the_ledger_knows_every_change_and_nobodys_name(
    consents: ConsentLedger, ledger: Ledger, clock: FixedClock
) -> None:
    consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
    clock.advance(timedelta(seconds=1))
    consents.withdraw("credit", ANNA, channel="phone", by="dora")
    consents.take_over([change(BERT, clock()), change(CORA, clock())], by="dora")
    entries = list(ledger.entries())
    assert [one.action for one in entries] == ["consent.given", "consent.withdrawn", "consent.imported"]
    assert [who for one in entries for who, _, _ in one.detail["changes"]] == [ANNA, ANNA, BERT, CORA]
    assert entries[0].detail["text_version"] == "2026-01"
    assert WORDS not in b"".join(one.leaf for one in entries)
    assert consents.compare() == 4


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM consents WHERE change = 'withdrawn'",
        "UPDATE consents SET change = 'given'",
        "UPDATE consents SET at = '2020-01-01T00:00:00.000Z' WHERE change = 'withdrawn'",
        "INSERT INTO consents (project, purpose, subject, change, text_version, text_digest, channel, at, recorded_at)"  # noqa: ISC004
        " SELECT project, purpose, 'sub_cccccccccccccccccccccccccccccccc', 'given', text_version, text_digest, channel,"
        " at, recorded_at FROM consents WHERE change = 'given'",
    ],
)
def test_a_row_changed_behind_our_back_is_found(
    attack: str, consents: ConsentLedger, db: Database, clock: FixedClock
) -> None:
    consents.give("credit", ANNA, "scoring", **TEXT)  # type: ignore[arg-type]
    clock.advance(timedelta(seconds=1))
    consents.withdraw("credit", ANNA, channel="phone", by="dora")
    with db.write() as tx:
        tx.run(attack)  # type: ignore[arg-type]
    with pytest.raises(VerificationFailed, match="the ledger differ"):
        consents.compare()


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("subject", "Anna Muster", "by keyed pseudonym only"),
        ("purpose", "Any Thing", "usable purpose name"),
        ("change", "maybe", "given or withdrawn"),
        ("at", "yesterday", "has a time like"),
        ("text_version", "", "version of the text"),
        ("channel", "a\nb", "channel"),
    ],
)
def test_what_is_no_consent_cannot_be_one(field: str, value: str, match: str) -> None:
    good = {
        "project": "credit", "purpose": "scoring", "subject": ANNA, "change": "given", "text_version": "1",
        "text_digest": digest_of(WORDS), "channel": "x", "at": "2026-03-01T00:00:00.000Z",
    }  # fmt: skip
    with pytest.raises(InvalidInput, match=match):
        ConsentChange(**{**good, field: value})  # type: ignore[arg-type]


def pseudonyms(raw: object) -> list[str]:
    return ["sub_" + digest_of(str(one).encode())[7:39] for one in raw]  # type: ignore[attr-defined]


def read(path: Path, text: str | bytes, **more: object) -> list[ConsentChange]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    given = {"project": "credit", "pseudonyms": pseudonyms, "texts": {"2026-01": digest_of(WORDS)}, "channel": "file"}
    return read_consents(path, **{**given, **more})  # type: ignore[arg-type]


def test_a_file_of_consents_is_read_as_it_says(tmp_path: Path) -> None:
    found = read(
        tmp_path / "c.csv",
        "\ufeffsubject,purpose,change,at,channel\n7,scoring,given,2026-02-01T10:00:00+01:00,web\n"
        '"8, Bert",scoring,withdrawn,2026-02-03,\n9,research,,2026-02-04T00:00:00Z,shop\n',
    )
    assert [(one.purpose, one.change, one.at, one.channel) for one in found] == [
        ("scoring", "given", "2026-02-01T09:00:00.000Z", "web"),
        ("scoring", "withdrawn", "2026-02-03T00:00:00.000Z", "file"),
        ("research", "given", "2026-02-04T00:00:00.000Z", "shop"),
    ]
    assert found[0].subject == pseudonyms(["7"])[0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("subject,purpose\n7,scoring\n", "lacks the column 'at'"),
        ("subject,purpose,at,when\n", "'when' is unknown"),
        ("subject,purpose,at,at\n", "there twice"),
        ("subject,purpose,at\n", "holds no rows"),
        (b"subject,purpose,at\n\xff,x,y\n", "not UTF-8"),
        ("subject,purpose,at\n7,scoring,2026-02-30T00:00:00Z\n", "row 1: Expected a time like"),
        ("subject,purpose,at\n7,scoring\n", "row 1: it has more or fewer fields"),
        ("subject,purpose,at\n7,scoring,2026-02-03,x\n", "row 1: it has more or fewer fields"),
        ("subject,purpose,at\n,scoring,2026-02-03\n", "row 1: it names nobody"),
        ("subject,purpose,at\n7,Scoring!,2026-02-03\n", "row 1: 'Scoring!' is not a usable purpose name"),
        (
            "subject,purpose,at,text_version\n7,scoring,2026-02-03,2025-09\n",
            "row 1: the words of text version '2025-09'",
        ),
        ('subject,purpose,at\n"7,scoring,2026-02-03\n', "not a CSV file"),
    ],
)
def test_a_file_with_a_fault_is_not_taken_at_all(tmp_path: Path, text: str | bytes, match: str) -> None:
    with pytest.raises(InvalidInput, match=match) as refused:
        read(tmp_path / "c.csv", text)
    assert "\n7," not in str(refused.value)


def test_a_hundred_thousand_consents_take_seconds(
    tmp_path: Path, consents: ConsentLedger, db: Database, clock: FixedClock
) -> None:
    lines = "\n".join(f"{number},scoring,2026-02-0{1 + number % 5}" for number in range(100_000))
    started = time.perf_counter()
    changes = read(tmp_path / "many.csv", f"subject,purpose,at\n{lines}\n")
    assert consents.take_over(changes, by="dora") == 100_000
    took = time.perf_counter() - started
    started = time.perf_counter()
    state = consents.state("credit", "scoring", datetime(2026, 2, 4, tzinfo=UTC))
    asked = time.perf_counter() - started
    assert len(state.given) == 80_000
    print(f"taken over in {took:.1f} s, state in {asked:.2f} s")
    assert took < 30
    assert asked < 5
