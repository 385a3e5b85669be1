"""What the control server is given from outside: who somebody is, and what they may do.

Answers: which questions does the door ask, and what may an answer look like?
Does not answer them. Accounts, tokens and policies live in `trust`; `doors` plugs them in when a server starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sealwright.trust import Principal

__all__ = ["Asked", "Authenticator", "Caller", "Gate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request shows of whoever sent it. Nothing of it is believed before it is verified."""

    method: str
    path: str
    request: str  # id of the request, "req_…"
    source: str  # network address
    authorization: str = field(default="", repr=False)  # the header as it is
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)  # empty where cookies do not count
    client_certificate: bytes | None = field(default=None, repr=False)  # DER, verified against CA and revocation list


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody known. `session` binds forms to their session; it is needed where the proof is one."""

    principal: Principal
    session: str = field(default="", repr=False)  # names the session; changes when the session does


class Authenticator(Protocol):
    """Who asks."""

    def caller(self, asked: Asked) -> Caller | None:
        """The caller whose proof holds now; None where there is no proof, or none that holds. Called on a thread.

        A request with an Authorization header is known by it or not at all: its cookies are not in `asked`.
        """


class Gate(Protocol):
    """What somebody may do."""

    def need(self, principal: Principal, action: str, resource: str, *, request: str, source: str) -> object:
        """Return where it is allowed; called on a thread.

        Parameters
        ----------
        resource : str
            As "kind:name", e.g. "project:credit" or "workspace:ws_1".

        Raises
        ------
        Refused
            It is not allowed. The gate has recorded that before it raises.
        SealwrightError
            It cannot be decided: then it is not allowed either.
        """
