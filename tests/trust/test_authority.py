"""A change names the policies that let it through, its request, and never those of another's doing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest

from sealwright.trust import Discretion, InsecurePassphraseForTests, Ledger, Secret, create_keyring
from sealwright.trust.authority import Authority, acts_by, as_request, request_here

BY = Authority(names=frozenset({"ada"}), action="model.promote", policies=("role.ml_engineer",), break_glass="bg_1")


@pytest.fixture(autouse=True)
def a_context_of_its_own() -> Iterator[None]:
    """What an earlier test was allowed counts for nothing here."""
    with as_request(""):
        yield


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    with (
        create_keyring(tmp_path / "keys", "ws_test", unlock) as ring,
        Ledger.open(
            tmp_path / "ledger",
            origin="sealwright/ws_test/ledger",
            signer=ring.signer("checkpoints"),
            discretion=Discretion(ring),
            create=True,
        ) as one,
    ):
        yield one


def last(ledger: Ledger) -> dict[str, object]:
    return dict(ledger.entry(ledger.size - 1).detail)


def test_a_change_names_what_allowed_it_and_its_request(ledger: Ledger) -> None:
    with as_request("req_1"):
        acts_by(BY)
        ledger.append("model.promoted", "m", {"sequence": 1}, actor="ada")
        assert last(ledger) == {
            "sequence": 1,
            "request": "req_1",
            "policies": ["role.ml_engineer"],
            "permission": "model.promote",
            "break_glass": "bg_1",
        }
        ledger.append("model.promote", "m", {}, actor="ada")
        assert "permission" not in last(ledger)  # the entry says it already
    ledger.append("model.promote", "m", {}, actor="ada")
    assert last(ledger) == {}


@pytest.mark.parametrize(
    ("action", "detail", "actor"),
    [
        ("model.promote", {}, "ben"),
        ("model.promote", {}, ""),
        ("model.promote", {"outcome": "refused"}, "ada"),
        ("model.promote", {"outcome": "failed"}, "ada"),
        ("approval.refused", {}, "ada"),
    ],
)
def test_what_was_not_done_by_the_decision_does_not_name_it(
    ledger: Ledger, action: str, detail: dict[str, object], actor: str
) -> None:
    with as_request(""):
        acts_by(BY)
        ledger.append(action, "m", detail, actor=actor)
        assert last(ledger) == detail


def test_what_an_entry_says_itself_stays(ledger: Ledger) -> None:
    with as_request("req_1"):
        acts_by(BY)
        ledger.append("a.b", "m", {"policies": ["own"], "request": "rq_7"}, actor="ada")
        assert last(ledger) == {
            "policies": ["own"], "request": "rq_7", "permission": "model.promote", "break_glass": "bg_1"
        }  # fmt: skip


def test_no_request_sees_the_decision_of_another(ledger: Ledger) -> None:
    """Two at once in their own contexts, and one after the other in one thread."""
    ready = threading.Barrier(2)

    def handle(request: str, policies: tuple[str, ...]) -> None:
        with as_request(request):
            acts_by(Authority(names=frozenset({"ada"}), action="a.b", policies=policies))
            ready.wait(10)
            ledger.append("a.b", request, {}, actor="ada")

    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(copy_context().run, handle, f"req_{n}", (f"policy.{n}",)) for n in range(2)]:
            ended.result()
        after = pool.submit(request_here).result()
    assert {one.subject: one.detail["policies"] for one in ledger.entries()} == {
        "req_0": ["policy.0"],
        "req_1": ["policy.1"],
    }
    assert after == ""
    with as_request("req_2"):
        acts_by(BY)
        with as_request("req_3"):
            ledger.append("a.b", "req_3", {}, actor="ada")
            assert last(ledger) == {"request": "req_3"}
