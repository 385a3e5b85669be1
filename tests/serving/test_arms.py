"""Several verified models answer at one place: who gets which is signed, and none that may not answer takes traffic."""

import asyncio
import dataclasses
import io
import json
import struct
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sealwright import trust
from sealwright.kernel import VerificationFailed, digest_of
from sealwright.serving import (
    ArmCount,
    Contract,
    Manner,
    ServingSpec,
    answering_document,
    contract_of,
    milliseconds_of,
    told_in,
    why_not_beside,
    why_not_in_place_of,
)
from sealwright.serving.answering import Answering
from sealwright.serving.arm_counts import ArmCounts, time_step
from sealwright.serving.checking.bounds import widened
from sealwright.serving.checking.document import AnsweringDocument, Output
from sealwright.serving.config import Limits
from sealwright.serving.deciding import Decider
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.grpc.protocol import GrpcProtocol
from sealwright.serving.holder import Holder
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.outcome import outcome_of
from sealwright.serving.problems import NotReady
from sealwright.serving.protocol_forms import ARROW, CSV, form_asked
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipBinary, OipProtocol
from sealwright.serving.served import Served
from sealwright.serving.shadowing import _copied
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


_MODES = ("refuse", "clip", "abstain")


def _manner(interface: dict[str, Any], mode: str = "refuse", **changes: Any) -> Manner:
    contract = contract_of(interface)
    made = Manner(
        asked=contract if mode == "refuse" else widened(contract),
        mode=mode,
        rules=frozenset(),
        explains=False,
        promises=False,
        labels_only=False,
    )
    return dataclasses.replace(made, **changes)


def _with(interface: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    groups = ("numbers", "strings")
    return interface | {
        group: [one | changes if one["name"] == name else one for one in interface[group]] for group in groups
    }


@pytest.mark.parametrize("champion", _MODES)
@pytest.mark.parametrize("other", _MODES)
def test_who_is_answered_outside_the_contract_is_so_by_every_arm(
    interface: dict[str, Any], champion: str, other: str
) -> None:
    """A champion that clips or abstains beside one that refuses gave 422 by chance."""
    why = why_not_in_place_of(_manner(interface, champion), _manner(interface, other))
    assert bool(why) == (_MODES.index(other) < _MODES.index(champion))


def test_a_category_that_nobody_knows_is_refused_by_one_that_clips_where_nothing_may_stand_for_it(
    interface: dict[str, Any],
) -> None:
    fewer = {name: _with(interface, name, categories=["a11"]) for name in ("c0", "c2")}
    assert why_not_in_place_of(_manner(interface, "clip"), _manner(fewer["c0"], "clip")) == ""  # may be missing
    assert "'c2'" in why_not_in_place_of(_manner(interface, "clip"), _manner(fewer["c2"], "clip"))
    assert why_not_in_place_of(_manner(interface, "clip"), _manner(fewer["c2"], "abstain")) == ""
    narrow = _with(interface, "age", min=20, max=30)
    assert why_not_in_place_of(_manner(interface), _manner(narrow, "clip")) == ""
    assert "'age'" in why_not_in_place_of(_manner(interface), _manner(narrow))


def test_what_a_caller_may_ask_of_one_arm_they_may_ask_of_every_other(interface: dict[str, Any]) -> None:
    usual = _manner(interface)
    for changes, word in (
        ({"explains": True}, "reasons"), ({"promises": True}, "intervals"), ({"rules": frozenset({b"one"})}, ""),
        ({"labels_only": True}, ""),
    ):  # fmt: skip
        why = why_not_in_place_of(_manner(interface, **changes), usual)
        assert (word in why) if word else (why == "")
    assert "rule" in why_not_in_place_of(usual, _manner(interface, rules=frozenset({b"one"})))
    assert "labels only" in why_not_in_place_of(usual, _manner(interface, labels_only=True))
    assert why_not_in_place_of(usual, _manner(interface, explains=True, promises=True)) == ""
    moved = interface | {"order": [*interface["order"][1:], interface["order"][0]]}
    assert "order" in why_not_in_place_of(usual, _manner(moved))


def test_a_challenger_that_refuses_what_the_champion_clips_takes_no_traffic(place: Place) -> None:
    house = place.house
    interface = sys.modules["serving_house"].credit_interface()
    model = sys.modules["serving_house"].credit_model(interface, middle=4.0)
    spec = ServingSpec.model_validate({"out_of_range": "clip"})
    house.answering = answering_document(None, digest_of(model), interface, spec)
    clips = house.register(model, interface).number
    house.answering = None
    place.arrange(place.arm(clips, 5_000, "champion"), place.arm(2, 5_000, "challenger"))
    assert set(place.answers()) == {clips}
    assert "every value" in place.refused()[-1]["reason"]
    place.arrange(place.arm(2, 5_000, "champion"), place.arm(clips, 5_000, "challenger"))
    assert set(place.answers()) == {2, clips}


# ---- what shadows read


def _bodies(row: dict[str, Any], served: Served) -> dict[str, tuple[Any, bytes]]:
    """One row in each form: how it is asked, and its bytes."""
    kinds = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "date": "BYTES", "category": "BYTES"}
    told = {one.name: kinds[one.kind] if row[one.name] is not None else "FP64" for one in served.contract.features}
    plain = [
        {"name": name, "shape": [1, 1], "datatype": kind, "data": [float("nan") if row[name] is None else row[name]]}
        for name, kind in told.items()
    ]
    some = [one for one in plain if row[one["name"]] is not None]
    rate = {"name": "rate", "shape": [1, 1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}
    head = json.dumps({"inputs": [*some, rate]}).encode()
    message = message_class("ModelInferRequest")(model_name=served.contract.project, model_version=str(served.number))
    fields = {"INT64": "int64_contents", "FP64": "fp64_contents", "BOOL": "bool_contents", "BYTES": "bytes_contents"}
    for one in plain:
        tensor = message.inputs.add(name=one["name"], datatype=one["datatype"], shape=[1, 1])
        values = [value.encode() if isinstance(value, str) else value for value in one["data"]]
        getattr(tensor.contents, fields[one["datatype"]]).extend(values)
    table = pa.table({name: pa.array([value]) for name, value in row.items()})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    cells = [
        "" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in row.values()
    ]
    arrow, text = (form_asked(media, b"", csv=True) for media in (ARROW, CSV))
    assert arrow is not None
    assert text is not None
    return {
        "named": (served.named, json.dumps({"row": row}).encode()),
        "named-arrow": (arrow.of(served.named), sink.getvalue()),
        "named-csv": (text.of(served.named), (",".join(row) + "\r\n" + ",".join(cells) + "\r\n").encode()),
        "oip-binary": (OipBinary(served.oip, len(head)), head + struct.pack("<d", float("nan"))),
        "oip-grpc": (
            GrpcProtocol(served.oip, project=served.contract.project, number=served.number),
            message.SerializeToString(),
        ),
    }


@pytest.mark.parametrize("media", ["named", "named-arrow", "named-csv", "oip-binary", "oip-grpc"])
def test_a_shadow_with_another_contract_reads_every_form_a_request_came_in(
    place: Place, row: dict[str, Any], media: str
) -> None:
    """All but two of them went to the reader of JSON, counted as refused, and nothing was compared."""
    interface = _with(sys.modules["serving_house"].credit_interface(), "age", max=120)
    wider = place.house.register(sys.modules["serving_house"].credit_model(interface), interface).number
    place.arrange(place.arm(1, 10_000, "champion"), place.arm(wider, 0, "shadow"))
    (shadow,), champion = place.holder.arms().shadows, place.holder.serving()
    protocol, body = _bodies(row, champion)[media]
    assert protocol.media == media
    one: Any = Inquiry(champion, protocol, body, Caller("bank", "token", frozenset()), "", None)  # type: ignore[arg-type]
    one.asked, one.decision = protocol.read(body), "dec_1"
    batch = one.asked.batch or champion.contract.pack(one.asked.rows)
    one.outcome = outcome_of(champion.contract, 1, champion.engine.run(batch))
    found = _copied(one, shadow)
    assert found.failed == ""
    assert found.agreed == 1


def test_a_shadow_refuses_what_a_champion_that_clips_let_through(place: Place, row: dict[str, Any]) -> None:
    """Both have the same contract, but they do not read the same."""
    served = place.holder.serving()
    clips = Answering(served.contract, _clipping())
    champion = dataclasses.replace(served, answering=clips, named=NamedProtocol(clips.asked, most_rows=5))
    body = json.dumps({"row": row | {"age": 200}}).encode()
    one: Any = Inquiry(champion, champion.named, body, Caller("bank", "token", frozenset()), "", None)  # type: ignore[arg-type]
    one.asked, one.decision = champion.named.read(body), "dec_1"
    one.outcome = outcome_of(served.contract, 1, served.engine.run(served.contract.pack(one.asked.rows)))
    assert _copied(one, served).failed == "refused"


def _clipping() -> AnsweringDocument:
    return AnsweringDocument(
        format=1, model="", mode="clip", output=Output(), below={}, threshold=None, ambiguous=False, above_ood=None,
        tell_ood=False, coverage=0.9, calibrate=None, usual=None, calibration=None, conformal=None,
    )  # fmt: skip


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
