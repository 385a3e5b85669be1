"""What the control server says no with. One class, one stable code, the same words for everyone."""

from sealwright.serving import HttpRefusal

__all__ = [
    "AddressUnreadable",
    "BodyUnsupported",
    "CrossSite",
    "FormRefused",
    "LoginNeeded",
    "NotAllowed",
    "NothingHere",
    "TokenMissing",
    "TwoProofs",
]


class AddressUnreadable(HttpRefusal):
    """No address of ours: escapes, dots, backslashes. Ours hold names, never paths."""

    code, status, title = "control.address", 400, "This is no address of this server"


class TwoProofs(HttpRefusal):
    """A session and a credential of a program in one request. One of them is not the sender's own idea."""

    code, status, title = "control.two_proofs", 400, "Show one proof, not two"


class LoginNeeded(HttpRefusal):
    """Nobody known asks. Said for every address but the public ones, whether it exists or not."""

    code, status, title = "control.login_needed", 401, "Log in first"
    headers = ((b"www-authenticate", b"Bearer"),)


class NotAllowed(HttpRefusal):
    """They are known, and may not do this."""

    code, status, title = "control.not_allowed", 403, "You may not do this"


class CrossSite(HttpRefusal):
    """A request that changes something came from a page that is not ours, or does not say from where."""

    code, status, title = "control.cross_site", 403, "This request did not come from a page of this server"


class TokenMissing(HttpRefusal):
    """A form without the token of its session."""

    code, status, title = "control.form_token", 403, "This form is no longer good"


class NothingHere(HttpRefusal):
    """It does not exist, or not for you; nobody can tell which."""

    code, status, title = "control.not_found", 404, "There is nothing here"


class FormRefused(HttpRefusal):
    """A body that is not one plain form or one JSON value."""

    code, status, title = "control.body", 400, "The body cannot be read"


class BodyUnsupported(HttpRefusal):
    """Compressed, multipart, of another type or charset, or a body where none belongs."""

    code, status, title, closes = "control.body_unsupported", 415, "Only plain forms and JSON are read", True
