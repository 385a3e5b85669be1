"""Refusals on the way in. What a stranger sees is the same whether the account exists or not."""

from sealwright.kernel import Conflict, InvalidInput, OperationFailed, Refused

__all__ = [
    "FreshProofNeeded",
    "LastFactor",
    "LinkRefused",
    "LoginRefused",
    "PasswordUnsuitable",
    "ProofRefused",
    "SessionOver",
    "SignInBusy",
    "TooManyTries",
]


class LoginRefused(Refused):
    """Signing in did not work. Deliberately says no more: the ledger knows why."""

    code = "identity.login_refused"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            "Signing in did not work: name, password or second factor is not right, or there were too many tries.\n"
            "Begin again. After several tries wait a few minutes, or use a passkey or a recovery code."
        )


class TooManyTries(Refused):
    """Too many tries from here. HTTP clients see 429 with Retry-After."""

    code = "identity.too_many_tries"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after  # whole seconds, at least 1
        super().__init__(f"Too many tries. Try again in {retry_after} s.")


class SignInBusy(OperationFailed):
    """Too many passwords are being checked at this moment; each costs memory, so they wait their turn."""

    code = "identity.busy"
    retry_after = 2  # seconds

    def __init__(self) -> None:
        super().__init__("Too many people sign in at this moment. Nothing was tried. Try again in a few seconds.")


class PasswordUnsuitable(InvalidInput):
    """The password is too short, too long, or among what everybody guesses first."""

    code = "identity.password_unsuitable"


class LinkRefused(Refused):
    """The enrolment link is unknown, used, over, or used from elsewhere. Deliberately says no more."""

    code = "identity.link_refused"

    def __init__(self) -> None:
        super().__init__(
            "This enrolment link cannot be used: it is unknown, was used, is more than 15 minutes old, or is for another place.\n"
            "Ask for a new one; the first one is made by whoever starts the server, and is opened on that machine."
        )


class ProofRefused(Refused):
    """A code, passkey or password given by somebody who is signed in, or who enrols, is not right."""

    code = "identity.proof_refused"
    status = 401


class SessionOver(Refused):
    """There is no such session, or it ended."""

    code = "identity.session_over"
    status = 401

    def __init__(self) -> None:
        super().__init__("You are not signed in, or no longer. Sign in again.")


class FreshProofNeeded(Refused):
    """This needs a second factor proven within the last minutes."""

    code = "identity.fresh_proof_needed"

    def __init__(self, *, kept_here: bool = False) -> None:
        """`kept_here`: what the identity provider says was shown is not enough."""
        words = "This needs a fresh proof that it is you. Give your second factor again, then repeat it."
        if kept_here:
            words = (
                "You came by your organisation, and this changes what you sign in with here. Show a second factor that this\n"
                "account has here already, then repeat it. If it has none, ask for an enrolment link."
            )
        super().__init__(words)


class LastFactor(Conflict):
    """An account keeps at least one second factor."""

    code = "identity.last_factor"

    def __init__(self) -> None:
        super().__init__("This is the only second factor of the account. Add another one, then remove this one.")
