"""Rollouts and decisions in the console: a real server over a workspace with a rollout under way and decisions on record."""

import contextlib
import html
import http.client
import importlib.util
import json
import re
import ssl
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from people_house import Bank, Browser

from acting import operator
from sealwright.kernel import FixedClock, system_clock
from sealwright.pipeline import Workspace, enrol, open_workspace, seal_decisions, start_rollout, verify_bytes
from sealwright.trust import KeyFile, create_key_file

if "serving_house" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("serving_house", Path(__file__).parents[2] / "serving" / "house.py")
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["serving_house"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["serving_house"])
houses = sys.modules["serving_house"]
PROJECT = houses.PROJECT
PLAN = {
    "steps": [20, 60, 100], "minutes": 0.001, "most_minutes": 60, "least_requests": 30, "planned_requests": 200,
    "limits": {"errors": 0.5, "latency_ratio": 3, "psi": 10, "ks": 0.9},
}  # fmt: skip
PEOPLE = {
    "mia": "ml_engineer", "cora": "compliance_officer", "una": "auditor@elsewhere", "ada": "administrator",
}  # fmt: skip
WHY = "Complaint 71, about a refusal"


class Served(Bank):
    """A bank whose model answers: version 2 takes over from version 1, and 120 persons asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, people=False)
        self.home, self.key = root / "served", root / "served" / "key"
        house = houses.House(self.home)
        house.register()
        house.rollout = PLAN
        house.register(houses.credit_model(houses.credit_interface(), middle=3.4))
        house.promote(1)
        house.ledger.close()
        about = {"format": 1, "id": "ws_1", "name": "Bank", "created_at": "2026-11-02T00:00:00Z", "database": None}
        (self.home / "workspace.json").write_text(json.dumps(about))
        (self.home / "people").mkdir(mode=0o700, exist_ok=True)
        self.id = "ws_1"
        with contextlib.closing(house):
            site = Workspace(
                home=self.home, id="ws_1", name="Bank", keyring=house.keyring, db=house.db, clock=house.clock
            )
            start_rollout(
                site, PROJECT, 2, kind="canary", channel="live", by=operator("ops"),
                reason="Learned from <the winter>", days=7, share=50.0,
            )  # fmt: skip
            site.let_go()
            with house.launch() as running:
                self.decision = _asked(house, running.port)
            for name, role in PEOPLE.items():
                enrol(site, name, [role], create_key_file(root / f"{name}.key"), by=operator("ops"))
            site.let_go()


def _asked(house: Any, port: int) -> str:
    """The id of the last decision."""
    tls, row = ssl.create_default_context(cafile=str(house.tls.ca)), houses.credit_row()
    with contextlib.closing(http.client.HTTPSConnection("localhost", port, context=tls, timeout=20)) as link:
        for number in range(120):
            headers = {
                "Authorization": f"Bearer {house.token()}", "Content-Type": "application/json",
                "Sealwright-Person": f"p{number}",
            }  # fmt: skip
            body = json.dumps({"row": row | {"age": 18 + number % 80}}).encode()
            link.request("POST", f"/v1/models/{PROJECT}/predict", body, headers)
            reply = json.loads(link.getresponse().read())
    return str(reply["answer"]["decision"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    bank = Served(tmp_path_factory.mktemp("served") / "home")
    with bank.running():
        for name in ("mia", "cora", "una"):
            bank.join(name, bank.link_for(name))
        yield bank


@pytest.fixture(scope="module")
def mia(served: Served) -> Browser:
    return served.signed_in("mia")


@pytest.fixture(scope="module")
def cora(served: Served) -> Browser:
    return served.signed_in("cora")


def test_a_rollout_is_shown_with_its_limits_and_moved_by_who_may_and_nobody_else(
    served: Served, mia: Browser, cora: Browser
) -> None:
    places = mia.get("/rollouts").text
    assert f'href="/rollouts/{PROJECT}/live"' in places
    page = mia.get(f"/rollouts/{PROJECT}/live")
    assert page.status_code == 200
    for words in ("Canary of version 2 beside version 1", "1 of 3", "challenger, version 2", "It may be moved by mia."):
        assert words in page.text
    assert "Learned from &lt;the winter&gt;" in page.text
    assert re.search(r'<svg class="limits"[^>]*aria-label="errors', page.text)
    assert "style=" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    _moves_by_who_may(served, mia, cora)


def _moves_by_who_may(served: Served, mia: Browser, cora: Browser) -> None:
    address = f"/rollouts/{PROJECT}/live"
    page = cora.get(address)
    refused = cora.send(page, address, {"move": "back", "reason": "just so"})
    assert refused.status_code == 403
    assert "1 of 3" in cora.get(address).text
    odd = mia.send(mia.get(address), address, {"move": "erase", "reason": "just so"})
    assert odd.status_code == 400
    moved = mia.send(mia.get(address), address, {"move": "back", "reason": "Complaints from the branches"})
    assert (moved.status_code, moved.headers["location"]) == (303, address)
    after = mia.get(address).text
    assert "Version 1 answers everything." in after
    assert "Complaints from the branches" in after
    with open_workspace(served.home, KeyFile(served.key)) as workspace:
        assert workspace.registry_to_read.current(PROJECT, "live").number == 1


def test_decisions_are_found_and_read_with_a_reason_that_is_on_record_first(served: Served, cora: Browser) -> None:
    assert f'href="/decisions/{PROJECT}"' in cora.get("/decisions").text
    address = f"/decisions/{PROJECT}"
    before = len(_readings(served))
    assert cora.send(cora.get(address), address, {"reason": "why"}).status_code == 422
    found = cora.send(cora.get(address), address, {"reason": WHY, "person": "p119"})
    assert found.status_code == 200
    assert re.findall(r'name="decision" value="([^"]+)"', found.text) == [served.decision]
    assert cora.send(cora.get(address), address, {"reason": WHY, "label": "nothing"}).text.count("Nothing fits.") == 1
    many = cora.send(cora.get(address), address, {"reason": WHY})
    assert "100 are shown, the newest first, and there are more" in many.text
    one = cora.send(found, f"{address}/one", {"decision": served.decision, "reason": WHY})
    assert one.status_code == 200
    assert "records just this" in one.text
    receipt = re.search(r"<summary>Show the receipt</summary><pre>(.*?)</pre>", one.text, re.DOTALL)
    assert receipt is not None
    with open_workspace(served.home, KeyFile(served.key)) as workspace:
        verified = verify_bytes(html.unescape(receipt[1]).encode(), workspace.trust_root, now=workspace.clock())
        assert verified.kind == "receipt"
    told = _readings(served)[before:]
    assert len(told) == 4
    assert all(WHY.encode() not in entry.leaf and b"p119" not in entry.leaf for entry in told)
    missing = cora.send(cora.get(address), f"{address}/one", {"decision": "dec_none", "reason": WHY})
    assert missing.status_code == 404


def _readings(served: Served) -> list[Any]:
    return [entry for entry in served.ledger() if entry.action == "decisions.read"]


def test_a_decision_is_read_from_the_file_of_its_hour_and_its_receipt_still_verifies(
    served: Served, cora: Browser
) -> None:
    clock = FixedClock(system_clock() + timedelta(hours=2))
    with open_workspace(served.home, KeyFile(served.key), clock=clock) as workspace:
        assert seal_decisions(workspace, PROJECT, by=operator("ops"))
    address = f"/decisions/{PROJECT}"
    one = cora.send(cora.get(address), f"{address}/one", {"decision": served.decision, "reason": WHY})
    assert "in the sealed file of" in one.text
    assert "records just this" in one.text


def test_who_may_not_read_decisions_is_shown_none(served: Served, mia: Browser) -> None:
    address = f"/decisions/{PROJECT}"
    assert served.browser().get(address).status_code == 401
    before = len(_readings(served))
    una = served.signed_in("una")
    assert una.get(address).status_code == 404
    assert una.get(f"/rollouts/{PROJECT}/live").status_code == 404
    assert mia.get(address).status_code == 200
    assert len(_readings(served)) == before
