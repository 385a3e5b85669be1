"""Decisions in a workspace, recorded as a server does, at a time of one's own. `from deciding import decide`."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sealwright.kernel import FixedClock
from sealwright.pipeline import Workspace, name_in
from sealwright.serving import DECISION_KEY_PURPOSE, decision_ledger_folder, decision_origin
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.tokens import Caller
from sealwright.trust import Ledger

__all__ = ["PACKAGE", "decide"]

PACKAGE = "sha256:" + "ab" * 32


class _Named:
    media = "named"


class _Contract(NamedTuple):
    project: str = "loans"


class _Served(NamedTuple):
    """What the log needs to know of the model in service."""

    contract: Any = _Contract()
    number: int = 3
    package: str = PACKAGE
    sequence: int = 7
    arm: str = "champion"


def decide(
    workspace: Workspace, clock: FixedClock, names: list[str], at: datetime, *, row: Callable[[], dict[str, Any]] = dict
) -> None:
    """Record a decision each, as a server does; `p…` at the end of a name is whom it is about."""
    folder = decision_ledger_folder(workspace.home, "loans", "live")
    folder.parent.mkdir(parents=True, exist_ok=True)
    clock.advance(at - clock())
    signer = workspace.keyring.signer("decision-checkpoints")
    origin = decision_origin(workspace.id, "loans", "live")

    async def record() -> None:
        log = DecisionLog(
            ledger,
            workspace.keyring.key("decisions", DECISION_KEY_PURPOSE),
            channel="live",
            clock=clock,
            name_of=lambda person: name_in(workspace, "loans", person),
        )
        for name in names:
            done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            label = "yes" if name.endswith("1") else "no"
            body = json.dumps({"row": {"name": name} | row()}).encode()
            inquiry = Inquiry(
                served=_Served(), protocol=_Named, body=body, caller=Caller("shop", "tok_1", frozenset()), source="",
                done=done,
            )  # fmt: skip
            inquiry.person = name.partition("-")[2]
            inquiry.decision = f"dec_{name.replace('-', '_')}"
            inquiry.answer = json.dumps({"label": label, "probabilities": {"yes": 0.25, "no": 0.75}}).encode()
            log.record([inquiry])
            await done

    with Ledger.open(folder, origin=origin, signer=signer, clock=clock, create=not folder.exists()) as ledger:
        ledger.append("serving.release_taken", PACKAGE, {})
        asyncio.run(record())
