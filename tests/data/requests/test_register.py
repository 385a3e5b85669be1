"""What a person asked for is on the list until it is answered, with the day by which somebody must act."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sealwright.data.requests import RequestRegister, SubjectRequest
from sealwright.engines import Database
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound, VerificationFailed
from sealwright.trust import Ledger

ANNA = "sub_" + "a" * 32
BERT = "sub_" + "b" * 32


@pytest.fixture
def register(db: Database, ledger: Ledger, clock: FixedClock) -> RequestRegister:
    return RequestRegister(db, ledger, clock)


def received(register: RequestRegister, **changes: Any) -> SubjectRequest:
    given: dict[str, Any] = {"kind": "access", "subject": ANNA, "projects": ["credit"], "law": "gdpr", "by": "dora"}
    return register.receive(**{**given, **changes})


def test_a_request_comes_back_as_it_was_taken_in(register: RequestRegister) -> None:
    taken = received(register, identity="ticket 4711", zone="Europe/Berlin")
    assert register.get(taken.id) == taken
    assert register.of_subject(ANNA) == [taken]
    assert (taken.state, taken.due, taken.longest, taken.confirm_by) == (
        "open",
        date(2026, 4, 2),
        date(2026, 6, 2),
        None,
    )
    with pytest.raises(NotFound, match="sealwright data requests"):
        register.get("req_0")


def test_days_are_those_of_the_place_where_the_controller_sits(register: RequestRegister, clock: FixedClock) -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert received(register, received_at=late).due == date(2026, 3, 30)  # 28 March is a Saturday
    berlin = received(register, received_at=late, zone="Europe/Berlin")
    assert berlin.received_on == date(2026, 3, 1)
    assert berlin.due == date(2026, 4, 1)
    with pytest.raises(InvalidInput, match="no time zone 'Middle/Earth'"):
        received(register, zone="Middle/Earth")


def test_the_last_day_is_still_in_time_and_the_next_is_not(register: RequestRegister, clock: FixedClock) -> None:
    taken = received(register, zone="Europe/Berlin")
    clock.advance(datetime(2026, 4, 2, 21, 59, tzinfo=UTC) - clock())  # 23:59 in Berlin
    assert (register.overdue(), taken.days_left(clock())) == ([], 0)
    clock.advance(timedelta(minutes=1))
    assert register.overdue() == [taken]
    assert taken.days_left(clock()) == -1


def test_an_extension_needs_a_reason_in_time_and_is_given_once(register: RequestRegister, clock: FixedClock) -> None:
    taken = received(register)
    with pytest.raises(InvalidInput, match="Say why it takes longer"):
        register.extend(taken.id, reason="busy", by="dora")
    longer = register.extend(taken.id, reason="Rows lie in four archives", by="dora")
    assert longer.due == date(2026, 6, 2)
    with pytest.raises(Conflict, match="extended before"):
        register.extend(taken.id, reason="Rows lie in four archives", by="dora")
    other = received(register, subject=BERT)
    clock.advance(timedelta(days=40))
    with pytest.raises(Conflict, match="had to be told to the person by then"):
        register.extend(other.id, reason="Rows lie in four archives", by="dora")
    assert [one.id for one in register.overdue()] == [other.id]


def test_an_opt_out_cannot_be_put_off(register: RequestRegister) -> None:
    taken = received(register, kind="opt_out", law="ccpa")
    assert taken.due == date(2026, 3, 23)
    with pytest.raises(Conflict, match="cannot be extended"):
        register.extend(taken.id, reason="Rows lie in four archives", by="dora")


def test_california_wants_a_confirmation_first(register: RequestRegister, clock: FixedClock) -> None:
    taken = received(register, law="ccpa")
    assert taken.next_due() == ("confirm", date(2026, 3, 16))
    clock.advance(timedelta(days=15))
    assert [one.id for one in register.overdue()] == [taken.id]
    confirmed = register.confirm(taken.id, by="dora")
    assert register.confirm(taken.id, by="dora") == confirmed
    assert confirmed.next_due() == ("answer", date(2026, 4, 16))
    assert register.overdue() == []


def test_an_answered_request_is_closed_for_good(register: RequestRegister) -> None:
    taken = received(register)
    done = register.end(taken.id, "answered", outcome="Copy handed over by post", proof="sha256:" + "1" * 64, by="dora")
    assert (done.state, done.next_due(), register.open()) == ("answered", None, [])
    for again in (
        lambda: register.end(taken.id, "refused", outcome="Changed our mind", by="dora"),
        lambda: register.extend(taken.id, reason="Rows lie in four archives", by="dora"),
        lambda: register.confirm(taken.id, by="dora"),
    ):
        with pytest.raises(Conflict, match="has ended: answered"):
            again()
    with pytest.raises(InvalidInput, match="ends as"):
        register.end(received(register).id, "open", outcome="Nothing at all", by="dora")


def test_who_must_act_next_stands_first(register: RequestRegister) -> None:
    slow = received(register)
    quick = received(register, kind="opt_out", law="ccpa", subject=BERT)
    middle = received(register, law="ccpa")
    assert [one.id for one in register.open()] == [middle.id, quick.id, slow.id]


def test_records_stay_two_years_and_then_go(register: RequestRegister, db: Database, clock: FixedClock) -> None:
    ended = register.end(received(register).id, "answered", outcome="Copy handed over by post", by="dora")
    open_one = received(register, subject=BERT)
    assert ended.kept_until() == date(2028, 3, 2)
    clock.advance(datetime(2028, 3, 2, 23, 0, tzinfo=UTC) - clock())
    assert register.dispose(by="job") == 0
    clock.advance(timedelta(hours=2))
    assert register.dispose(by="job", project="another") == 0  # T-14: somebody who disposes there touches nothing here
    assert register.dispose(by="job") == 1
    assert [one.id for one in register.all()] == [open_one.id]


def test_every_step_is_in_the_ledger_and_no_word_of_it(register: RequestRegister, ledger: Ledger) -> None:
    taken = received(register, identity="passport of Anna Muster")
    register.extend(taken.id, reason="Anna Muster moved twice", by="dora")
    register.end(taken.id, "answered", outcome="Sent to Anna Muster", by="dora")
    entries = [one for one in ledger.entries() if one.subject == taken.id]
    assert [one.action for one in entries] == ["request.received", "request.extended", "request.answered"]
    assert all(b"Muster" not in one.leaf for one in entries)
    assert entries[0].detail["person"] == ANNA


def test_what_cannot_be_a_request_is_refused(register: RequestRegister, clock: FixedClock) -> None:
    with pytest.raises(InvalidInput, match="one of access, correct"):
        received(register, kind="delete")
    with pytest.raises(InvalidInput, match="yet to come"):
        received(register, received_at=clock() + timedelta(days=1))
    with pytest.raises(InvalidInput, match="usable project name"):
        received(register, projects=["No Such"])
    with pytest.raises(InvalidInput, match="a ticket, not the document"):
        received(register, identity="x" * 201)


def test_a_row_changed_behind_our_back_is_noticed(register: RequestRegister, db: Database) -> None:
    taken = received(register)
    with db.write() as tx:
        tx.run("UPDATE subject_requests SET detail = :detail WHERE id = :id", detail='{"id":"x"}', id=taken.id)
    with pytest.raises(VerificationFailed, match="not as it was written"):
        register.all()
