"""Several versions share a place by one signed pointer, which names every one of them and what part of the requests it gets."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import Conflict, InvalidInput, VerificationFailed
from sealwright.registry import PackageRevoked, PointerFacts, read_pointer, verify_pointer
from sealwright.registry.pointer import make_pointer
from sealwright.trust import WHOLE, PointerArm, SignerRefused, check_arms, read_arms, shown_for

SPLIT = "0123456789abcdef" * 2


def arms_of(*versions: Any, shares: tuple[int, ...] = (9_000, 1_000), roles: tuple[str, ...] = ()) -> list[PointerArm]:
    roles = roles or ("champion", "challenger", "shadow")
    return [
        PointerArm(name=role, package=one.package, number=one.number, share=share, role=role)  # type: ignore[arg-type]
        for one, share, role in zip(versions, shares, roles, strict=False)
    ]


def arrange(house: Any, arms: list[PointerArm], **more: Any) -> PointerFacts:
    facts: PointerFacts = house.registry.arrange(
        "credit", "live", arms, split=more.pop("split", SPLIT), by="dora", reason="one in ten", **more
    )
    return facts


@pytest.fixture
def two(house: Any) -> tuple[Any, Any]:
    return house.version(), house.version(bias=0.1)


def test_a_pointer_with_arms_is_what_serving_reads_and_the_registry_remembers(house: Any, two: Any) -> None:
    house.registry.promote("credit", 1, "live", by="dora", reason="first")
    arms = arms_of(*two)
    facts = arrange(house, arms)
    assert (facts.arms, facts.split, facts.number, facts.package) == (tuple(arms), SPLIT, 1, two[0].package)
    data = Path(house.home / "pointers" / "credit" / "live.json").read_bytes()
    assert (
        verify_pointer(data, house.trust_root, project="credit", channel="live", now=house.clock(), at_least=1) == facts
    )
    assert house.registry.current("credit", "live") == facts
    assert [one.arms for one in house.registry.history("credit", "live")] == [(), tuple(arms)]
    told = [entry for entry in house.ledger.entries() if entry.action == "pointer.arranged"]
    assert [entry.detail["arms"] for entry in told] == [[arm.to_json() for arm in arms]]
    back = house.registry.rollback("credit", "live", 1, by="dora", reason="worse in the south")
    assert (back.sequence, back.arms, back.split) == (3, (), "")


def test_a_crash_between_ledger_and_database_is_finished_for_arms_too(house: Any, two: Any) -> None:
    facts = arrange(house, arms_of(*two))
    with house.db.write() as tx:
        tx.run("DELETE FROM pointers")
    (house.home / "pointers" / "_high-water.json").unlink()
    house.registry.check()
    assert house.registry.current("credit", "live") == facts


def test_whoever_saw_an_older_pointer_does_not_undo_a_newer_one(house: Any, two: Any) -> None:
    """A person rolled back; a program that was about to take the next step must not."""
    seen = arrange(house, arms_of(*two)).sequence
    house.registry.promote("credit", 1, "live", by="dora", reason="back by hand")
    with pytest.raises(Conflict, match="not 1"):
        arrange(house, arms_of(*two, shares=(5_000, 5_000)), expected=seen)
    for verb in (house.registry.promote, lambda *a, **k: house.registry.rollback(a[0], a[2], a[1], **k)):
        with pytest.raises(Conflict):
            verb("credit", 1, "live", by="dora", reason="too late", expected=seen)
    assert len(house.registry.history("credit", "live")) == 2


def test_no_arm_may_be_revoked(house: Any, two: Any) -> None:
    house.registry.revoke(two[1].package, by="dora", reason="wrong data")
    with pytest.raises(PackageRevoked):
        arrange(house, arms_of(*two))


def test_an_arm_with_another_versions_package_is_refused_t52(house: Any, two: Any) -> None:
    arms = arms_of(*two)
    swapped = [arms[0], PointerArm(**{**arms[1].to_json(), "package": "sha256:" + "0" * 64})]
    with pytest.raises(InvalidInput, match="another package"):
        arrange(house, swapped)


def test_forged_arms_are_never_signed(house: Any, two: Any) -> None:
    """Whoever holds the signer's socket, but no gate's decision on a package, gets it into no arm."""
    first, second = two
    facts = {
        "project": "credit", "channel": "live", "sequence": 1, "number": 1, "not_before": house.clock(),
        "expires": house.clock() + timedelta(days=1),
        "previous": None, "revocations": 0, "reason": "forged", "by": "mallory", "split": SPLIT,
    }  # fmt: skip
    gate = (house.package().folder / "statements" / "gate.json").read_bytes()
    signer = house.keyring.signer("releases")
    for shown, reason in (
        (b"", "pointer.gate_missing"),
        (gate, "pointer.gate_missing"),
        (shown_for([gate]), "pointer.gate_missing"),
        (shown_for([gate, gate]), "pointer.gate_of_another"),
        (shown_for([gate, b"{}"]), "pointer.gate_not_ours"),
    ):
        with pytest.raises(SignerRefused) as refused:
            make_pointer(facts | {"arms": tuple(arms_of(first, second))}, first.package, signer.showing(shown))
        assert refused.value.reason == reason


def test_a_signed_pointer_whose_arms_were_edited_does_not_verify(house: Any, two: Any) -> None:
    arrange(house, arms_of(*two))
    envelope = json.loads((house.home / "pointers" / "credit" / "live.json").read_bytes())
    payload = base64.b64decode(envelope["payload"]).replace(b'"share":9000', b'"share":8999')
    forged = json.dumps(envelope | {"payload": base64.b64encode(payload).decode()}).encode()
    with pytest.raises(VerificationFailed):
        read_pointer(forged, house.trust_root)


ARM = {"name": "champion", "package": "sha256:" + "1" * 64, "number": 1, "share": WHOLE, "role": "champion"}
OTHER = {"name": "challenger", "package": "sha256:" + "2" * 64, "number": 2, "share": 0, "role": "challenger"}


def test_a_challenger_without_a_share_waits_beside_the_champion() -> None:
    assert [arm.to_json() for arm in read_arms([ARM, OTHER])] == [ARM, OTHER]


@pytest.mark.parametrize(
    ("arms", "problem"),
    [
        ([], "not the champion"),
        ("x", "fields"),
        ([ARM | {"more": 1}], "fields"),
        ([OTHER, ARM], "not the champion"),
        ([ARM | {"share": True}], "whole number"),
        ([ARM | {"share": -1}], "whole number"),
        ([ARM | {"number": 0}], "whole number"),
        ([ARM | {"name": "../x"}], "usable arm"),
        ([ARM | {"name": 1}], "not text"),
        ([ARM | {"package": "sha256:1"}], "sha256"),
        ([ARM | {"role": "king"}], "role"),
        ([ARM | {"share": 9_999}], "add up"),
        ([ARM, OTHER | {"share": 1}], "add up"),
        ([ARM, OTHER | {"name": "champion"}], "name stands"),
        ([ARM, OTHER | {"package": ARM["package"]}], "package stands"),
        ([ARM, OTHER | {"number": 1}], "version stands"),
        ([ARM | {"share": 9_000}, OTHER | {"role": "shadow", "share": 1_000}], "shadow has a share"),
        ([ARM, OTHER | {"role": "champion"}], "too many"),
    ],
)
def test_arms_that_make_no_sense_are_refused(arms: Any, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read_arms(arms)


@given(st.lists(st.integers(0, WHOLE), max_size=2))
def test_arms_are_good_exactly_when_they_share_the_whole(shares: list[int]) -> None:
    arms = [
        PointerArm(name=f"arm{at}", package=f"sha256:{at:064x}", number=at + 1, share=share, role="challenger")
        for at, share in enumerate(shares, start=1)
    ]
    champion = PointerArm(**{**ARM, "share": max(0, WHOLE - sum(shares))})  # type: ignore[arg-type]
    if sum(shares) <= WHOLE:
        assert check_arms([champion, *arms]) == (champion, *arms)
    else:
        with pytest.raises(InvalidInput):
            check_arms([champion, *arms])
