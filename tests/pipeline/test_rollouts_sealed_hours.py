"""What a shadow said still counts when its hour has gone into a file: a rollout that broke a limit stays held."""

import asyncio
import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from acting import operator
from sealwright.kernel import FixedClock, VerificationFailed
from sealwright.pipeline import (
    RolloutHeld,
    RolloutStatus,
    RolloutWatch,
    Workspace,
    promote_rollout,
    rollout_status,
    seal_decisions,
    start_rollout,
)
from sealwright.pipeline.decision_hour_rows import HourRow, shadow_rows_of
from sealwright.pipeline.decision_hours import Hour
from sealwright.pipeline.rollouts_seen import Seen
from sealwright.registry import PointerFacts
from sealwright.serving import (
    COUNTS,
    DECISION_KEY_PURPOSE,
    ArmCount,
    ShadowRecord,
    decision_ledger_folder,
    decision_origin,
    told_in,
)
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.shadow_records import ShadowSealer
from sealwright.serving.tokens import Caller
from sealwright.trust import Ledger

if "serving_house" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "serving_house", Path(__file__).parent.parent / "serving" / "house.py"
    )
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["serving_house"] = _module
    _spec.loader.exec_module(_module)
houses = sys.modules["serving_house"]

BEGIN = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
BY = operator("ada")
PLANNED = {
    "minutes": 1, "most_minutes": 1_440, "least_requests": 30,
    "limits": {
        "errors": 0.8, "latency_ratio": 100, "psi": 10, "ks": 1, "agreement": 0.9,
        "fairness": {"column": "c2", "favourable": "good", "at_least": 0.1},
    },
}  # fmt: skip
GOOD, BAD = (
    b'{"label":"good","probabilities":{"good":0.75,"bad":0.25}}',
    b'{"label":"bad","probabilities":{"good":0.25,"bad":0.75}}',
)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed workspace: version 1, and 2 with a plan in its charter."""
    made = houses.House(tmp_path_factory.mktemp("sealed_rollouts") / "home", FixedClock(BEGIN))
    made.register()
    made.rollout = PLANNED
    made.register(houses.credit_model(houses.credit_interface(), middle=4.0))
    made.close()
    home: Path = made.home
    return home


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN)


@pytest.fixture
def site(tmp_path: Path, stocked: Path, clock: FixedClock) -> Iterator[Workspace]:
    """A shadow rollout that has just begun."""
    house = houses.House(tmp_path / "home", clock, like=stocked)
    house.promote(1)
    house.ledger.close()  # the workspace opens it
    made = Workspace(home=house.home, id="ws_1", name="Tests", keyring=house.keyring, db=house.db, clock=clock)
    start_rollout(made, houses.PROJECT, 2, kind="shadow", channel="live", by=BY, reason="for the tests", days=7)
    yield made
    made.ledger.close()
    house.close()


class _Named:
    media = "named"


class _Contract(NamedTuple):
    project: str = houses.PROJECT


class _Answering(NamedTuple):
    """What the log needs to know of the champion."""

    number: int
    package: str
    sequence: int
    arm: str = "champion"
    contract: Any = _Contract()


def answer(site: Workspace, clock: FixedClock, count: int, at: datetime, *, shadow: bytes) -> None:
    """Answer requests with "good", as a server does; a shadow would have said `shadow` to each."""
    facts = site.registry_to_read.current(houses.PROJECT, "live")
    clock.advance(at - clock())
    names = [f"dec_{at:%H%M}x{one}" for one in range(count)]
    sealer = ShadowSealer(_key(site), houses.PROJECT, f"live/{at:%Y-%m-%d}")
    counted = ArmCount(answered=count, times=Counter({40: count})).to_json()
    with _ledger(site) as ledger:
        asyncio.run(_decide(site, ledger, names, facts))
        ledger.append_many([sealer.entry(_compared(name, facts, shadow)) for name in names])
        for arm in facts.arms:
            detail = {"arm": arm.name, "number": arm.number, "sequence": facts.sequence, **counted}
            ledger.append(COUNTS, arm.package, detail)


def _key(site: Workspace) -> bytes:
    return site.keyring.key("decisions", DECISION_KEY_PURPOSE)


def _ledger(site: Workspace) -> Ledger:
    folder = decision_ledger_folder(site.home, houses.PROJECT, "live")
    folder.parent.mkdir(parents=True, exist_ok=True)
    origin, signer = (
        decision_origin(site.id, houses.PROJECT, "live"),
        site.keyring.signer("decision-checkpoints"),
    )
    return Ledger.open(folder, origin=origin, signer=signer, clock=site.clock, create=not folder.exists())


async def _decide(site: Workspace, ledger: Ledger, names: list[str], facts: PointerFacts) -> None:
    champion = _Answering(facts.number, facts.package, facts.sequence)
    log = DecisionLog(ledger, _key(site), channel="live", clock=site.clock, name_of=str)
    for at, name in enumerate(names):
        row = houses.credit_row() | {"c2": houses.CATEGORIES[at % 2], "age": 18 + at % 80}
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        inquiry = Inquiry(
            served=champion, protocol=_Named, body=json.dumps({"row": row}).encode(),
            caller=Caller("shop", "tok_1", frozenset()), source="", done=done,
        )  # fmt: skip
        inquiry.decision, inquiry.answer = name, GOOD
        log.record([inquiry])
        await done


def _compared(name: str, facts: PointerFacts, said: bytes) -> ShadowRecord:
    beside = facts.arms[1]
    return ShadowRecord(
        decision=name, project=houses.PROJECT, arm=beside.name, number=beside.number, package=beside.package,
        sequence=facts.sequence, answered_by=facts.package, told=told_in(GOOD), shadow=told_in(said),
    )  # fmt: skip


def three_hours(site: Workspace, clock: FixedClock) -> None:
    """The shadow disagrees for two hours, and agrees in the third, which is not over."""
    answer(site, clock, 32, BEGIN + timedelta(minutes=5), shadow=BAD)
    answer(site, clock, 32, BEGIN + timedelta(hours=1), shadow=BAD)
    answer(site, clock, 64, BEGIN + timedelta(hours=2), shadow=GOOD)


def fresh_look(site: Workspace) -> RolloutStatus:
    return rollout_status(site, houses.PROJECT, channel="live", by=BY)


def figures(status: RolloutStatus) -> dict[str, Any]:
    """All that was found, the scores one by one."""
    return status.to_json() | {one.arm: (list(one.scores), one.groups, one.drawn) for one in (status.old, status.new)}


def test_a_fresh_look_finds_the_same_after_hours_were_sealed_and_a_promotion_stays_held(
    site: Workspace, clock: FixedClock
) -> None:
    three_hours(site, clock)
    before = fresh_look(site)
    assert (before.new.compared, before.new.agreed, before.verdict.word) == (128, 64, "roll_back")
    assert before.new.groups == {"a11": (32, 64), "a12": (32, 64)}
    assert len(seal_decisions(site, houses.PROJECT, by=BY)) == 2
    assert figures(fresh_look(site)) == figures(before)
    with pytest.raises(RolloutHeld, match="rows with the same label"):
        promote_rollout(site, houses.PROJECT, channel="live", by=BY, reason="it looks good")


def test_looking_sealing_and_looking_again_counts_each_shadow_once(site: Workspace, clock: FixedClock) -> None:
    watching, compared = RolloutWatch(houses.PROJECT, "live"), []
    for hour in range(3):
        answer(site, clock, 8, BEGIN + timedelta(hours=hour, minutes=5), shadow=BAD)
        for _ in range(2):
            compared.append(watching.look(site, BY).new.compared)
            seal_decisions(site, houses.PROJECT, by=BY)
    assert compared == [8, 8, 16, 16, 24, 24]
    assert figures(watching.look(site, BY)) == figures(fresh_look(site))


def test_shadows_whose_hour_was_half_read_when_it_was_sealed_count_once(site: Workspace, clock: FixedClock) -> None:
    watching = RolloutWatch(houses.PROJECT, "live")
    answer(site, clock, 8, BEGIN + timedelta(minutes=5), shadow=BAD)
    assert watching.look(site, BY).new.compared == 8
    answer(site, clock, 8, BEGIN + timedelta(minutes=25), shadow=BAD)
    clock.advance(timedelta(hours=1))
    assert len(seal_decisions(site, houses.PROJECT, by=BY)) == 1
    assert watching.look(site, BY).new.compared == 16
    assert figures(watching.look(site, BY)) == figures(fresh_look(site))


def test_an_hour_that_is_sealed_during_a_look_is_read_to_its_end(
    site: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_hours(site, clock)
    before, real, sealed = figures(fresh_look(site)), Seen._take_shadow, []

    def taken(seen: Seen, record: ShadowRecord) -> None:
        real(seen, record)
        if not sealed:
            sealed.extend(seal_decisions(site, houses.PROJECT, by=BY))

    monkeypatch.setattr(Seen, "_take_shadow", taken)
    assert figures(fresh_look(site)) == before
    assert len(sealed) == 2


def test_what_comes_during_a_look_counts_with_its_group_at_the_next(
    site: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions are read first: the shadow of one that came after them waits until it was read, too."""
    answer(site, clock, 8, BEGIN + timedelta(minutes=5), shadow=BAD)
    watching, real = RolloutWatch(houses.PROJECT, "live"), Seen._read_shadows

    def read(seen: Seen, workspace: Workspace, end: int) -> None:
        answer(site, clock, 8, BEGIN + timedelta(minutes=25), shadow=GOOD)
        real(seen, workspace, end)

    with monkeypatch.context() as patch:
        patch.setattr(Seen, "_read_shadows", read)
        assert watching.look(site, BY).new.compared == 8
    clock.advance(timedelta(hours=1))
    seal_decisions(site, houses.PROJECT, by=BY)
    assert watching.look(site, BY).new.groups == {"a11": (4, 8), "a12": (4, 8)}
    assert figures(watching.look(site, BY)) == figures(fresh_look(site))


def test_no_hour_is_opened_again_for_shadows_that_were_counted(
    site: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def rows(workspace: Workspace, hour: Hour) -> Iterator[HourRow]:
        opened.append(hour.hour[-2:])
        return shadow_rows_of(workspace, hour)

    monkeypatch.setattr("sealwright.pipeline.decision_records.shadow_rows_of", rows)
    three_hours(site, clock)
    clock.advance(timedelta(hours=1))
    seal_decisions(site, houses.PROJECT, by=BY)
    watching = RolloutWatch(houses.PROJECT, "live")
    assert (watching.look(site, BY).new.compared, opened) == (128, ["06", "07", "08"])
    answer(site, clock, 8, BEGIN + timedelta(hours=4), shadow=GOOD)
    for _ in range(2):
        assert (watching.look(site, BY).new.compared, opened) == (136, ["06", "07", "08"])


def test_a_look_that_failed_halfway_is_gone_on_with(
    site: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(workspace: Workspace, hour: Hour) -> Iterator[HourRow]:
        yield from islice(shadow_rows_of(workspace, hour), 5)
        raise VerificationFailed("The disk is bad today.", link=hour.link)

    three_hours(site, clock)
    seal_decisions(site, houses.PROJECT, by=BY)
    watching = RolloutWatch(houses.PROJECT, "live")
    with monkeypatch.context() as patch:
        patch.setattr("sealwright.pipeline.decision_records.shadow_rows_of", failing)
        with pytest.raises(VerificationFailed, match="bad today"):
            watching.look(site, BY)
    assert figures(watching.look(site, BY)) == figures(fresh_look(site))
