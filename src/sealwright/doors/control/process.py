"""The control server's process: an opened workspace, a hardened process, requests until SIGTERM.

Answers: in which order is it put together? Memory is closed to others before a key is read; the application is built and the
transport checked before anything listens; what is refused at the door goes into a ledger of its own, so that strangers can
neither hold up the workspace's ledger nor make it grow (docs/adr/0014-the-doors-ledger.md).

Once a second it looks whether certificates, CAs or keys were replaced or withdrawn, and goes on with what counts then.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvloop

from sealwright.doors.control.app import control_app
from sealwright.doors.control.console import Console
from sealwright.doors.control.console_routes import console_routes
from sealwright.doors.control.csrf import FormTokens
from sealwright.doors.control.door import Door
from sealwright.doors.control.outer import Outer
from sealwright.doors.control.programs import ProgramGate, ProgramTokens
from sealwright.doors.control.refusal_log import RefusalLog
from sealwright.doors.control.router import ControlRouter
from sealwright.doors.control.seams import Authenticator, Gate
from sealwright.doors.control.settings import ControlSettings
from sealwright.doors.control.views import Views
from sealwright.kernel import Conflict, private_folder
from sealwright.pipeline import StandingKeys, Workspace, door_log
from sealwright.serving import ConnectionGuard, EventLog, HttpServer, ca_files, raise_open_files
from sealwright.trust import KEPT_TO_READ, Audit, Event, KeyInbox, Ledger, LedgerAudit, guard_memory

__all__ = ["ControlParts", "control_parts", "door_ledger", "serve_control"]

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParts:
    """What a control server is made of. Whoever wires accounts and policies in replaces these before the start."""

    authenticator: Authenticator
    gate: Gate
    audit: Audit
    routes: ControlRouter
    console: Console


def control_parts(workspace: Workspace, audit: LedgerAudit, settings: ControlSettings) -> ControlParts:
    """The parts that need no accounts: programs with tokens, the first pages."""
    return ControlParts(
        authenticator=ProgramTokens(StandingKeys(workspace).root, workspace.clock),
        gate=ProgramGate(audit),
        audit=audit,
        routes=console_routes(Views(workspace, audit.name_of)),
        console=Console(organisation=workspace.name, clock=workspace.clock, security_contact=settings.security_contact),
    )


@contextlib.contextmanager
def door_ledger(workspace: Workspace) -> Iterator[LedgerAudit]:
    """The ledger of what was refused at the door, held by one control server at a time.

    Raises
    ------
    LedgerInUse
        Another control server of this workspace runs.
    """
    place = door_log(workspace.home, workspace.id)
    folder = private_folder(place.folder)
    ledger = Ledger.open(
        folder,
        origin=place.origin,
        signer=workspace.keyring.signer("checkpoints"),
        clock=workspace.clock,
        create=not any(
            one.stat().st_size for one in folder.iterdir() if one.is_file()
        ),  # or begun, and not one head yet
        keys=workspace.trust_root.keys_of("checkpoints"),
    )
    with ledger:
        yield _DoorAudit(ledger, workspace)


class _DoorAudit(LedgerAudit):
    """Events into the door's ledger, whose heads are signed with the key in use."""

    def __init__(self, ledger: Ledger, workspace: Workspace) -> None:
        super().__init__(ledger, workspace.keyring)
        self._own, self._keyring = ledger, workspace.keyring
        self._signer = workspace.keyring.signer("checkpoints")

    def record(self, event: Event) -> None:
        """As `Audit.record`."""
        signer = self._keyring.signer("checkpoints")
        if signer is not self._signer:
            self._own.sign_with(signer)
            self._signer = signer
        super().record(event)


def serve_control(
    workspace: Workspace,
    settings: ControlSettings,
    parts: ControlParts,
    *,
    ready: Callable[[int], None],
    beside: Callable[[EventLog], contextlib.AbstractContextManager[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun.

    Parameters
    ----------
    ready : callable
        Called once with the port, when requests are answered.
    beside : callable, optional
        What goes on for as long as it serves.

    Raises
    ------
    SealwrightError
        It could not start, and says why.
    """
    guard_memory()
    raise_open_files()
    log = EventLog(sys.stderr, workspace.clock)
    refusals = RefusalLog(parts.audit, workspace.clock)
    app = _application(workspace, settings, parts, refusals, log)
    guard = ConnectionGuard(settings.transport.limits)

    def stopping() -> None:
        parts.console.draining = True

    own = settings.transport.client_ca == str(ca_files(workspace.home.resolve())[0])
    server = HttpServer(
        app,
        settings.transport,
        guard,
        log,
        workspace.clock,
        stopping=stopping,
        client_keys=StandingKeys(workspace).cas if own else None,
    )
    log.tell("serving", host=settings.transport.host, port=server.port)
    try:
        going_on = beside(log) if beside is not None else contextlib.nullcontext()
        inbox = _inbox(workspace)
        with contextlib.closing(inbox), going_on, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.until_stopped(lambda: ready(server.port), beside=[_follow(server, inbox)]))
    finally:
        refusals.close()
        log.tell("stopped", unrecorded=refusals.failed)


async def _follow(server: HttpServer, inbox: KeyInbox) -> None:
    """Go on with what was replaced, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        server.look()
        await asyncio.to_thread(inbox.look)


def _inbox(workspace: Workspace) -> KeyInbox:
    """Where the next versions of keys are handed over. The ring was opened before it listens, so look whether one was missed.

    Raises
    ------
    Conflict
        A key was replaced in between.
    """
    ring = workspace.keyring
    inbox = KeyInbox(workspace.home, "control", lambda: ring.holds(*KEPT_TO_READ), ring.take_offer)
    if missed := [branch for branch in KEPT_TO_READ if ring.is_behind(branch)]:
        inbox.close()
        raise Conflict(f"The key branch {missed[0]!r} was rotated while the server started. Start it again.")
    return inbox


def _application(
    workspace: Workspace, settings: ControlSettings, parts: ControlParts, refusals: RefusalLog, log: EventLog
) -> Outer:
    tokens = FormTokens(lambda: workspace.keyring.keys("identity", "control/form-tokens/v1"))
    door = Door(parts.authenticator, parts.gate, refusals, tokens, workspace=workspace.id)
    return control_app(parts.routes, door, parts.console, settings.transport, log)
