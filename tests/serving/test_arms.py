"""Several verified models answer at one place: who gets which is signed, and none that may not answer takes traffic."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import VerificationFailed
from sealwright.serving import ArmCount, Contract, contract_of, milliseconds_of, told_in, why_not_beside
from sealwright.serving.arm_counts import ArmCounts, time_step
from sealwright.serving.config import Limits
from sealwright.serving.deciding import Decider
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.holder import Holder
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.outcome import outcome_of
from sealwright.serving.problems import NotReady
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol
from sealwright.serving.served import Served
from sealwright.serving.state import StateFile
from sealwright.serving.tokens import Caller
from sealwright.serving.usage import Usage
from sealwright.trust import PointerArm

SPLIT = "0123456789abcdef" * 2


class Place:
    """A house with three versions, and what holds its models."""

    def __init__(self, house: Any, folder: Path) -> None:
        self.house = house
        folder.mkdir(mode=0o700)
        self.noted: list[tuple[str, str, dict[str, Any]]] = []
        self.holder = Holder(
            home=house.home, project=house.project, channel="live", trust_root=house.keyring.trust_root,
            state=StateFile(folder / "state.json", house.project, "live"), clock=house.clock, most_rows=10,
            note=lambda action, subject, detail: self.noted.append((action, subject, dict(detail))),
        )  # fmt: skip

    def arm(self, number: int, share: int, role: str, package: str = "") -> PointerArm:
        package = package or self.house.version(number).package
        return PointerArm(name=f"v{number}", package=package, number=number, share=share, role=role)  # type: ignore[arg-type]

    def arrange(self, *arms: PointerArm) -> None:
        self.house.registry.arrange(self.house.project, "live", arms, split=SPLIT, by="ada", reason="a rollout")
        self.holder.refresh()

    def answers(self, count: int = 2_000) -> Counter[int]:
        arms = self.holder.arms()
        return Counter(arms.choose(f"person {at}", b"").number for at in range(count))

    def refused(self) -> list[dict[str, Any]]:
        return [detail for action, _, detail in self.noted if action == "serving.arm_refused"]


@pytest.fixture
def place(new_house: Callable[..., Any], tmp_path: Path) -> Place:
    made = Place(new_house(), tmp_path / "state")
    made.holder.start()
    return made


def test_a_pointer_of_before_there_were_arms_is_served_by_the_champion_alone(place: Place) -> None:
    arms = place.holder.arms()
    assert (arms.champion.number, arms.champion.arm, arms.split, arms.several) == (1, "champion", None, False)


def test_each_arm_answers_its_part_and_nothing_is_loaded_twice(place: Place) -> None:
    engine = place.holder.serving().engine
    place.arrange(place.arm(1, 7_000, "champion"), place.arm(2, 2_000, "challenger"), place.arm(3, 1_000, "challenger"))
    found = place.answers()
    assert all(abs(found[number] / 2_000 - share) < 0.04 for number, share in ((1, 0.7), (2, 0.2), (3, 0.1)))
    assert place.holder.serving().engine is engine
    challengers = place.holder.arms().answering[1:]
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 4_000, "challenger"), place.arm(3, 1_000, "challenger"))
    assert [one.engine for one in place.holder.arms().answering[1:]] == [one.engine for one in challengers]
    assert [detail.get("arms") is not None for action, _, detail in place.noted if action == "serving.release_taken"] == [
        False, True, True,
    ]  # fmt: skip


def test_green_waits_warm_and_takes_over_by_one_pointer_and_blue_is_warm_for_the_way_back(place: Place) -> None:
    place.arrange(place.arm(1, 10_000, "champion"), place.arm(2, 0, "challenger"))
    blue, green = place.holder.arms().answering
    assert place.answers(200) == {1: 200}
    place.arrange(place.arm(2, 10_000, "champion"), place.arm(1, 0, "challenger"))
    assert place.answers(200) == {2: 200}
    assert [one.engine for one in place.holder.arms().answering] == [green.engine, blue.engine]
    place.house.registry.rollback(place.house.project, "live", 1, "ada", "back to blue")
    place.holder.refresh()
    assert place.answers(200) == {1: 200}
    assert place.holder.serving().engine is blue.engine


def test_a_shadow_answers_nobody(place: Place) -> None:
    place.arrange(place.arm(1, 10_000, "champion"), place.arm(2, 0, "shadow"))
    assert place.answers(200) == {1: 200}
    assert [one.number for one in place.holder.arms().shadows] == [2]
    assert place.holder.arms().numbered("2") is None


def test_a_named_version_answers_only_while_it_has_a_part(place: Place) -> None:
    place.arrange(place.arm(1, 9_999, "champion"), place.arm(2, 1, "challenger"), place.arm(3, 0, "challenger"))
    found = {number: place.holder.arms().numbered(number) for number in ("1", "2", "3", "4", "")}
    assert {number: one.number for number, one in found.items() if one} == {"1": 1, "2": 2}


def test_a_revoked_challenger_takes_no_traffic_and_its_part_falls_to_the_champion(place: Place) -> None:
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 3_000, "challenger"), place.arm(3, 2_000, "challenger"))
    third = {at for at in range(300) if place.holder.arms().choose(f"p{at}", b"").number == 3}
    place.house.registry.revoke(place.house.version(2).package, by="ada", reason="wrong data")
    place.holder.refresh()
    assert set(place.answers()) == {1, 3}
    assert third == {at for at in range(300) if place.holder.arms().choose(f"p{at}", b"").number == 3}
    assert [(one["arm"], one["reason"].split(":")[0]) for one in place.refused()] == [
        ("v2", "serving.withdrawn revocations")
    ]
    assert place.holder.not_ready() == ""


def test_a_revoked_challenger_is_dropped_even_where_the_pointer_cannot_be_read_any_more(place: Place) -> None:
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 5_000, "challenger"))
    place.house.registry.revoke(place.house.version(2).package, by="ada", reason="wrong data")
    place.house.pointer.write_bytes(b"{}")
    place.holder.refresh()
    assert place.holder.not_ready()
    assert set(place.answers()) == {1}


def test_a_revoked_champion_withdraws_everything_as_ever(place: Place) -> None:
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 5_000, "challenger"))
    place.house.registry.revoke(place.house.version(1).package, by="ada", reason="wrong data")
    place.holder.refresh()
    with pytest.raises(NotReady):
        place.holder.arms()


def test_a_challenger_that_cannot_be_loaded_never_takes_traffic(place: Place) -> None:
    arms = (place.arm(1, 1, "champion"), place.arm(2, 9_999, "challenger"))
    model = place.house.home / "packages" / arms[1].package[7:] / "model.onnx"
    whole = model.read_bytes()
    place.house.registry.arrange(place.house.project, "live", arms, split=SPLIT, by="ada", reason="a rollout")
    model.chmod(0o600)
    model.write_bytes(whole[:-1] + b"\0")
    place.holder.refresh()
    assert set(place.answers()) == {1}
    assert [one["arm"] for one in place.refused()] == ["v2"]
    assert place.holder.not_ready() == ""


def test_a_challenger_that_answers_everybody_is_kept_apart_from_nobody(place: Place) -> None:
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 5_000, "challenger"))
    assert [one.aside for one in place.holder.arms().answering] == [False, True]
    place.arrange(place.arm(1, 0, "champion"), place.arm(2, 10_000, "challenger"))
    assert [one.aside for one in place.holder.arms().answering] == [False, False]


def test_an_expired_pointer_ends_all_its_arms(place: Place) -> None:
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(2, 5_000, "challenger"))
    late = place.house.clock() + timedelta(days=8)
    place.holder._clock = lambda: late  # the only clock it has
    with pytest.raises(NotReady):
        place.holder.arms()


def test_forged_arms_change_nothing_in_service(place: Place) -> None:
    """A pointer file with arms that nobody signed: refused, reported, and what was verified goes on."""
    place.arrange(place.arm(1, 9_000, "champion"), place.arm(2, 1_000, "challenger"))
    before = place.answers()
    envelope = json.loads(place.house.pointer.read_bytes())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAAA"
    place.house.pointer.write_bytes(json.dumps(envelope).encode())
    place.holder.refresh()
    assert place.holder.not_ready()
    assert place.answers() == before


def test_a_slow_challenger_keeps_nobody_waiting_who_has_the_champion(
    place: Place, tmp_path: Path, interface: dict[str, Any], row: dict[str, Any]
) -> None:
    """The champion is asked later and answers first."""
    number = place.house.register(sys.modules["serving_house"].credit_model(interface, slow=2_500)).number
    place.arrange(place.arm(1, 5_000, "champion"), place.arm(number, 5_000, "challenger"))
    champion, challenger = place.holder.arms().answering
    signer = place.house.stolen("decision-checkpoints")  # of a log of another name
    body = json.dumps({"row": row}).encode()

    async def first() -> Served:
        log = DecisionLog(ledger, bytes(32), channel="live", clock=place.house.clock, name_of=str)
        decider = Decider(log, Usage(log.note, str), None, Limits(waiting=10))  # type: ignore[arg-type]

        def ask(served: Served) -> asyncio.Task[bytes]:
            done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            caller = Caller("bank", "token", frozenset())
            one = Inquiry(served=served, protocol=served.named, body=body, caller=caller, source="", done=done)
            return asyncio.create_task(decider.decide(one))

        slow = ask(challenger)
        await asyncio.sleep(0.02)  # it runs
        quick = ask(champion)
        done, _ = await asyncio.wait([slow, quick], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([slow, quick])
        return champion if done == {quick} else challenger

    with trust.Ledger.open(tmp_path / "ledger", origin="tests/arms", signer=signer, create=True) as ledger:
        ledger.prepare_to_keep()
        assert asyncio.run(first()).number == champion.number


def test_nobody_is_waited_for_while_others_are_written_down(place: Place, tmp_path: Path, row: dict[str, Any]) -> None:
    """Three came together, so more are looked for; but whoever comes while those three wait for the disk is decided at once."""
    served, body = place.holder.serving(), json.dumps({"row": row}).encode()
    signer = place.house.stolen("decision-checkpoints")  # of a log of another name

    async def late() -> tuple[bool, bool]:
        log = DecisionLog(ledger, bytes(32), channel="live", clock=place.house.clock, name_of=str)
        decider = Decider(log, Usage(log.note, str), None, Limits(waiting=10))  # type: ignore[arg-type]

        def begin() -> Inquiry:
            done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            caller = Caller("bank", "token", frozenset({f"predict:{place.house.project}"}))
            one = Inquiry(served=served, protocol=served.named, body=body, caller=caller, source="", done=done)
            decider.begin(one)
            return one

        with ledger._hand._hand:  # somebody else is writing
            together = [begin() for _ in range(3)]
            await asyncio.sleep(0)
            assert log.waiting == 3
            alone = begin()
            await asyncio.sleep(0)
            decided, told = bool(alone.answer), alone.done.done()
        await asyncio.gather(*[one.done for one in (*together, alone)])
        return decided, told

    with trust.Ledger.open(tmp_path / "ledger", origin="tests/arms", signer=signer, create=True) as ledger:
        assert asyncio.run(late()) == (True, False)


# ---- which models may stand beside each other


def _changed(interface: dict[str, Any], name: str, **changes: Any) -> Contract:
    groups = ("numbers", "strings")
    return contract_of(
        interface
        | {group: [one | changes if one["name"] == name else one for one in interface[group]] for group in groups}
    )


def test_a_challenger_must_take_every_row_that_the_champion_takes(
    interface: dict[str, Any], contract: Contract
) -> None:
    assert why_not_beside(contract, contract_of(interface)) == ""
    wide = _changed(interface, "age", min=0, max=200, nullable=True)
    assert why_not_beside(contract, wide) == ""
    assert "'age'" in why_not_beside(wide, contract)
    assert "'rate'" in why_not_beside(contract, _changed(interface, "rate", nullable=False))
    assert "'c2'" in why_not_beside(contract, _changed(interface, "c2", categories=["a11"]))
    assert "another form" in why_not_beside(contract, contract_of(interface | {"classes": ["bad", "good"]}))
    assert "another project" in why_not_beside(contract, contract_of(interface | {"project": "hiring"}))
    fewer = interface | {"numbers": interface["numbers"][1:], "order": [n for n in interface["order"] if n != "age"]}
    assert "other features" in why_not_beside(contract, contract_of(fewer))


# ---- counts, and what was told


def test_counts_of_many_writings_add_up_and_what_could_not_be_written_is_counted_again(place: Place) -> None:
    written: list[dict[str, Any]] = []
    broken = True

    def note(_action: str, _subject: str, detail: Any) -> None:
        if broken:
            raise VerificationFailed("the disk is full")
        written.append(json.loads(json.dumps(detail)))

    counts, one = ArmCounts(note), place.holder.serving()
    for seconds in (0.001, 0.002, 0.004):
        counts.answered(one, seconds)
    counts.failed(one)
    with pytest.raises(VerificationFailed):
        counts.write()
    broken = False
    counts.refused(one)
    counts.write()
    counts.write()
    (detail,) = written
    assert (detail["answered"], detail["failed"], detail["refused"], detail["arm"]) == (3, 1, 1, "champion")
    total = ArmCount.from_json(detail)
    total.add(ArmCount.from_json(detail))
    assert (total.answered, sum(total.times.values())) == (6, 6)
    for milliseconds in (0.01, 1.0, 5.0, 900.0):
        assert milliseconds <= milliseconds_of(time_step(milliseconds / 1e3)) <= milliseconds * 1.1


@pytest.mark.parametrize("protocol", [NamedProtocol, OipProtocol])
def test_what_an_answer_said_is_read_again_from_its_bytes(
    protocol: Any, contract: Contract, row: dict[str, Any]
) -> None:
    import numpy as np

    outcome = outcome_of(contract, 2, np.array([[0.75, 0.25], [0.125, 0.875]], dtype=np.float32))
    spoken = protocol(contract, most_rows=5)
    if protocol is NamedProtocol:
        asked = spoken.read(json.dumps({"rows": [row, row]}).encode())
    else:
        from sealwright.serving.options import NO_OPTIONS
        from sealwright.serving.protocol_oip import OipRequest

        asked = OipRequest(
            count=2, rows=[()] * 2, batch=None, options=NO_OPTIONS, id="", outputs=("label", "probabilities")
        )
    told = told_in(
        spoken.answer(asked, outcome, decision="dec_1", model={"project": "p", "number": 1, "package": "x"}),
    )
    assert [(one.label, one.scores, one.value) for one in told] == [
        ("good", (0.75, 0.25), None),
        ("bad", (0.125, 0.875), None),
    ]
    with pytest.raises(VerificationFailed):
        told_in(b"[]")
