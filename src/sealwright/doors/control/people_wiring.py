"""People, programs and the policies, put in front of one workspace: what makes a control server one that lets people in.

Answers: which parts go together, and how are they closed again?
The workspace's ledger is shared: it is opened when there is something to record and let go at once, so commands write beside
the server. What strangers are refused stays in the door's own ledger.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sealwright.doors.control.account_pages import AccountPages
from sealwright.doors.control.anchored import anchored
from sealwright.doors.control.authenticator import OneProof
from sealwright.doors.control.console import Console
from sealwright.doors.control.console_routes import console_routes
from sealwright.doors.control.decision_pages import DecisionPages
from sealwright.doors.control.first_person import FirstPerson
from sealwright.doors.control.gate import PolicyGate
from sealwright.doors.control.oauth import oauth_endpoints
from sealwright.doors.control.people_now import PeopleNow
from sealwright.doors.control.process import ControlParts
from sealwright.doors.control.programs import ProgramGate, control_audience
from sealwright.doors.control.provider_pages import ProviderPages
from sealwright.doors.control.provider_sessions import ProviderSessions
from sealwright.doors.control.provider_settings import provider_login
from sealwright.doors.control.rollout_pages import RolloutPages, RolloutViews
from sealwright.doors.control.router import ControlRouter
from sealwright.doors.control.settings import ControlSettings
from sealwright.doors.control.sign_in_pages import SignInPages
from sealwright.doors.control.tended import tended
from sealwright.doors.control.views import Views
from sealwright.doors.machines import machines_of, token_service_of
from sealwright.kernel import SealwrightError
from sealwright.pipeline import StandingKeys, Workspace, certificates_of, ledger_origin, peers_of
from sealwright.serving import EventLog, token_issuer
from sealwright.trust import (
    Audit,
    BreakGlass,
    FloodGuard,
    Identity,
    IdentityRules,
    Ledger,
    LedgerAudit,
    Machines,
    Permissions,
    Roster,
    ServiceCertificates,
    SharedAudit,
    SharedLedger,
    TokenService,
    open_identity,
)

__all__ = ["PeopleParts", "identity_of", "people_parts"]

_TIDY_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleParts:
    """The parts of a server with people, the way to a first account, and what has to be done every few minutes."""

    parts: ControlParts
    identity: Identity
    first: FirstPerson
    machines: Machines = field(repr=False)
    certificates: ServiceCertificates = field(repr=False)
    anchored: Callable[[EventLog], contextlib.AbstractContextManager[None]] = field(repr=False)
    tended: Callable[[EventLog], contextlib.AbstractContextManager[None]] = field(repr=False)

    def tidy(self) -> None:
        """Remove what is over; write the lists other processes read.

        Raises
        ------
        SealwrightError, OSError
            Something could not be written; it is tried again next time.
        """
        self.identity.tidy()
        self.machines.publish()
        self.certificates.publish()

    @contextlib.contextmanager
    def going_on(self, log: EventLog) -> Iterator[None]:
        """What is done for as long as the block lasts: tidying, taking checkpoints to the anchors, sealing decisions by the hour."""
        with self._tidied(log), self.anchored(log), self.tended(log):
            yield

    @contextlib.contextmanager
    def _tidied(self, log: EventLog) -> Iterator[None]:
        """Tidy now, and every two minutes for as long as the block lasts."""
        self.tidy()
        over = threading.Event()

        def go_on() -> None:
            while not over.wait(_TIDY_SECONDS):
                try:
                    self.tidy()
                except (SealwrightError, OSError) as error:
                    log.tell("tidy_failed", error=type(error).__name__)

        thread = threading.Thread(target=go_on, name="tidy", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)


@contextlib.contextmanager
def people_parts(workspace: Workspace, door: LedgerAudit, settings: ControlSettings) -> Iterator[PeopleParts]:
    """Everything, opened; closed again at the end of the block.

    Parameters
    ----------
    door : LedgerAudit
        The door's own ledger, for what strangers are refused.

    Raises
    ------
    SealwrightError
        An address, a setting or a file that cannot be used, and why.
    """
    shared = SharedLedger(lambda: _opened(workspace))
    people = PeopleNow(workspace)
    with (
        contextlib.closing(shared),
        contextlib.closing(people),
        FloodGuard(SharedAudit(shared, workspace.keyring)) as audit,
        FloodGuard(door) as strangers,
    ):
        rules = IdentityRules(origin=settings.origin, workspace=workspace.name)
        provider = ProviderSessions(workspace.clock, rules.absolute_limit)
        identity = identity_of(workspace, audit, rules, people, provider)
        machines, certificates = machines_of(workspace, audit), certificates_of(workspace, audit)
        first = FirstPerson(workspace, identity, people, shared)
        tokens = token_service_of(workspace, settings.origin, audit=audit)
        routes = console_routes(Views(workspace, door.name_of))
        login = provider_login(workspace, people, audit)
        _add_pages(routes, identity, first, tokens)
        AccountPages(identity, login is not None).add_to(routes)
        RolloutPages(RolloutViews(workspace)).add_to(routes)
        DecisionPages(workspace).add_to(routes)
        if login is not None:
            ProviderPages(identity, login, provider).add_to(routes)
        emergencies = BreakGlass(workspace.db, people.ledger, audit, workspace.clock)

        def permissions() -> Permissions:
            roster = Roster(people.members())
            return Permissions(roster, audit, clock=workspace.clock, open_glass=emergencies.open_at)

        parts = ControlParts(
            authenticator=_authenticator(workspace, identity, provider, machines, strangers),
            gate=PolicyGate(permissions, ProgramGate(audit)),
            audit=door,
            routes=routes,
            console=_console(workspace, settings, provider=login is not None),
        )
        yield PeopleParts(
            parts=parts,
            identity=identity,
            first=first,
            machines=machines,
            certificates=certificates,
            anchored=partial(anchored, workspace, audit),
            tended=partial(tended, workspace, audit),
        )


def _authenticator(
    workspace: Workspace, identity: Identity, provider: ProviderSessions, machines: Machines, strangers: Audit
) -> OneProof:
    """Who knows people by their sessions and programs by their credentials."""
    standing = StandingKeys(workspace)
    return OneProof(
        identity,
        provider,
        machines,
        lambda: standing.root().keys_of("tokens"),
        peers_of(workspace),
        strangers,
        issuer=token_issuer(workspace.id),
        audience=control_audience(workspace.id),
    )


def identity_of(
    workspace: Workspace,
    audit: Audit,
    rules: IdentityRules,
    people: PeopleNow,
    provider: ProviderSessions | None = None,
) -> Identity:
    """Signing in to a workspace. Enrolled is whoever a signed statement says, or whom the provider brought just now."""

    def enrolled(name: str) -> object:
        found = people.grants(name)
        return found if found is not None or provider is None else provider.grants(name)

    return open_identity(
        workspace.db,
        audit,
        workspace.keyring,
        rules,
        enrolled=enrolled,  # type: ignore[arg-type]
        clock=workspace.clock,
    )


def _opened(workspace: Workspace) -> Ledger:
    return Ledger.open(
        workspace.home / "ledger",
        origin=ledger_origin(workspace.id),
        signer=workspace.keyring.signer("checkpoints"),
        clock=workspace.clock,
        discretion=workspace.discretion,
        keys=workspace.trust_root.keys_of("checkpoints"),  # an earlier one may have signed the newest checkpoint
    )


def _add_pages(routes: ControlRouter, identity: Identity, first: FirstPerson, tokens: TokenService) -> None:
    SignInPages(identity, first.vouch).add_to(routes)
    for method, path, handle in oauth_endpoints(tokens):
        routes.add(method, path, handle, kind="api", open_to="anyone")


def _console(workspace: Workspace, settings: ControlSettings, *, provider: bool) -> Console:
    return Console(
        organisation=workspace.name,
        clock=workspace.clock,
        security_contact=settings.security_contact,
        login_path="/login",
        logout_path="/logout",
        account_path="/account",
        step_up_path="/step-up",
        provider_path="/login/provider" if provider else "",
    )
