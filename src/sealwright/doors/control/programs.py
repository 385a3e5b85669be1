"""Programs at the door: bearer tokens of this workspace, and their scopes as permissions.

Answers: is this program known, and does its token allow that? A token for the control server has an audience of its own, so
that one for predictions opens nothing here. Its scope "control:ledger.read" allows the action ledger.read; nothing allows all.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sealwright.doors.control.seams import Asked, Caller
from sealwright.kernel import Clock, InvalidInput, Refused, SealwrightError
from sealwright.pipeline import Workspace
from sealwright.serving import token_issuer
from sealwright.trust import Audit, Event, LedgerAudit, Principal, TrustRoot, issue_token, verify_token

__all__ = ["CONTROL_SCOPE", "ProgramGate", "ProgramTokens", "control_audience", "issue_control_token"]

_SCHEME = "bearer "
CONTROL_SCOPE = "control:"


def control_audience(workspace: str) -> str:
    """Whom a workspace's tokens for the control server are for."""
    return f"urn:sealwright:control:{workspace}"


class ProgramTokens:
    """Knows programs by their token; people are not known here."""

    def __init__(self, trust_root: Callable[[], TrustRoot], clock: Clock) -> None:
        """`trust_root` gives the keys of this moment: they move on while the server runs."""
        self._trust_root, self._clock = trust_root, clock
        workspace = trust_root().workspace
        self._issuer, self._audience = token_issuer(workspace), control_audience(workspace)

    def caller(self, asked: Asked) -> Caller | None:
        """As `Authenticator.caller`."""
        header = asked.authorization
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return None
        try:
            keys = self._trust_root().keys_of("tokens")
            claims = verify_token(
                header[len(_SCHEME) :], keys, issuer=self._issuer, audience=self._audience, now=self._clock()
            )
            return Caller(principal=Principal(kind="service", name=claims.subject, proof="token", scopes=claims.scopes))
        except SealwrightError:
            return None


class ProgramGate:
    """Allows what a scope names; people hold no scopes, so they may do nothing here."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def need(self, principal: Principal, action: str, resource: str, *, request: str, source: str) -> None:
        """As `Gate.need`."""
        if f"{CONTROL_SCOPE}{action}" in principal.scopes:
            return
        self._audit.record(
            Event(
                action=action,
                outcome="refused",
                actor=principal.name,
                resource=resource,
                reason="control.scope_missing",
                request=request,
                source=source,
            )
        )
        raise Refused(f"This token has no scope {CONTROL_SCOPE}{action}.")


def issue_control_token(workspace: Workspace, subject: str, actions: Sequence[str], *, hours: float, by: str) -> str:
    """A token for a program that asks the control server. The ledger keeps for whom, what and how long, never the token.

    Whoever calls has asked whether `by` may (`doors.access`).

    Raises
    ------
    InvalidInput
        No action, or one that cannot be a scope.
    """
    if not actions:
        raise InvalidInput("Say what the program may do, e.g. --may ledger.read.")
    now, scopes = workspace.clock(), [f"{CONTROL_SCOPE}{action}" for action in dict.fromkeys(actions)]
    raw = issue_token(
        workspace.keyring.signer("tokens"),
        issuer=token_issuer(workspace.id),
        audience=control_audience(workspace.id),
        subject=subject,
        scopes=scopes,
        lifetime=timedelta(hours=hours),
        now=now,
    )
    detail = {"scopes": scopes, "seconds": int(hours * 3600)}
    LedgerAudit(workspace.ledger, workspace.keyring).record(
        Event(action="token.issue", outcome="done", actor=by, resource=f"client:{subject}", detail=detail)
    )
    return raw
