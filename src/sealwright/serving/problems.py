"""What a caller is told when a request is refused: RFC 9457 problem details, and nothing else.

A problem names the rule, and the field where there is one. It never repeats what was
sent, and never holds a path, a trace or a version. An unforeseen fault becomes one
fixed sentence and a random id that also stands in the server's log.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from sealwright.kernel import SealwrightError

__all__ = [
    "AnswerTooLarge",
    "AnswerTooLate",
    "BadRequest",
    "BodyIncomplete",
    "BodyMalformed",
    "BodyTooLarge",
    "DuplicateKey",
    "FieldProblem",
    "Forbidden",
    "HttpRefusal",
    "InternalFault",
    "LengthRequired",
    "MethodNotAllowed",
    "Misdirected",
    "ModelFailed",
    "ModelTooLarge",
    "ModelTooSlow",
    "NoPromise",
    "NoReasons",
    "NoSuchRoute",
    "NotReady",
    "NotRecorded",
    "Overloaded",
    "RowsRefused",
    "TableMalformed",
    "Unauthenticated",
    "UnsupportedBody",
    "problem_body",
    "told_in_one_line",
]


class FieldProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with one field. `pointer` is a JSON Pointer (RFC 6901) into the body; "" is the body."""

    pointer: str
    code: str
    detail: str
    field: str = ""


class HttpRefusal(SealwrightError):
    """A request that gets no answer. `closes` ends the connection after the refusal."""

    title: ClassVar[str] = "Refused"
    closes: ClassVar[bool] = False
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self, detail: str = "", *, problems: Sequence[FieldProblem] = (), reason: str = "") -> None:
        self.detail, self.problems = detail, tuple(problems)
        self.reason = reason  # for the record; never sent
        super().__init__(detail or self.title)


class BadRequest(HttpRefusal):
    """The HTTP around the body is not acceptable."""

    code, status, title, closes = "http.bad_request", 400, "The request is not acceptable HTTP", True


class BodyMalformed(HttpRefusal):
    """Not JSON in the strict sense: one value, UTF-8, finite numbers, modest nesting."""

    code, status, title = "body.malformed", 400, "The body is not valid JSON"


class TableMalformed(HttpRefusal):
    """Not a table in the strict sense of its format, or in a form of it that is not read here."""

    code, status, title = "body.malformed_table", 400, "The table in the body cannot be read"


class DuplicateKey(HttpRefusal):
    """Two parsers could read two different requests out of this body."""

    code, status, title = "body.duplicate_key", 400, "A key appears twice"


class Unauthenticated(HttpRefusal):
    """No token or API key, or one that does not hold. Never says which."""

    code, status, title = "auth.required", 401, "A valid bearer token is needed"
    headers = ((b"www-authenticate", b"Bearer"),)


class Forbidden(HttpRefusal):
    """The token holds, and does not allow this."""

    code, status, title = "auth.forbidden", 403, "This token does not allow that"


class NoSuchRoute(HttpRefusal):
    """Nothing answers here."""

    code, status, title = "http.not_found", 404, "Nothing answers at this address"


class MethodNotAllowed(HttpRefusal):
    """The address exists, the method does not."""

    code, status, title = "http.method_not_allowed", 405, "This method is not allowed here"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"Allowed: {', '.join(sorted(allowed))}.")
        self.headers = ((b"allow", ", ".join(sorted(allowed)).encode()),)


class NoReasons(HttpRefusal):
    """The version in service carries no explainer: made without one, or by a recipe that cannot be opened up."""

    code, status, title = "reasons.none", 409, "This version carries no explainer, so it gives no reasons"


class NoPromise(HttpRefusal):
    """The version in service kept too few rows apart to promise a set or an interval, or was made without them."""

    code, status, title = "interval.none", 409, "This version promises no set and no interval"


class BodyIncomplete(HttpRefusal):
    """The body did not arrive in time."""

    code, status, title, closes = "body.too_slow", 408, "The request did not arrive in time", True


class LengthRequired(HttpRefusal):
    """A body without a Content-Length, or chunked."""

    code, status, title, closes = "body.length_required", 411, "The body needs a Content-Length", True


class BodyTooLarge(HttpRefusal):
    """More bytes than one request may hold; they are not read."""

    code, status, title, closes = "body.too_large", 413, "The body is too large", True


class AnswerTooLarge(HttpRefusal):
    """Request and answer together are more than one record may hold, so it was not decided."""

    code, status, title = "answer.too_large", 413, "The answer would be too large"


class UnsupportedBody(HttpRefusal):
    """Another media type than this address reads, or a compressed body."""

    code, status, title, closes = "body.unsupported", 415, "This kind of body is not read here", True


class Misdirected(HttpRefusal):
    """The Host header names somebody else (DNS rebinding)."""

    code, status, title, closes = "http.misdirected", 421, "This server does not answer to that name", True


class RowsRefused(HttpRefusal):
    """JSON, but outside the model's contract. Every reason found is listed, up to a limit."""

    code, status, title = "contract.refused", 422, "The request does not keep the model's contract"


class InternalFault(HttpRefusal):
    """Something we did not foresee. The cause is in the log under the same id."""

    code, status, title = "internal.fault", 500, "The server could not complete this request"


class NotReady(HttpRefusal):
    """No model may be served now: expired, revoked or not verifiable."""

    code, status, title = "serving.not_ready", 503, "No released model can answer now"
    headers = ((b"retry-after", b"10"),)


class NotRecorded(HttpRefusal):
    """The decision could not be written down durably, so it is not given."""

    code, status, title = "decision.not_recorded", 503, "The decision could not be recorded, so it is not answered"
    headers = ((b"retry-after", b"10"),)


class Overloaded(HttpRefusal):
    """More requests wait than may wait."""

    code, status, title = "serving.overloaded", 503, "Too many requests wait"
    headers = ((b"retry-after", b"1"),)


class ModelFailed(HttpRefusal):
    """A model did not keep to what a run of it may take. Counted as a failure of its version, unlike other refusals."""


class ModelTooSlow(ModelFailed):
    """The model did not come to an end in the seconds a run of it may take (`serving.model_seconds`); it was stopped."""

    code, status, title = "model.too_slow", 503, "The model took too long over this request"


class ModelTooLarge(ModelFailed):
    """The model wanted more memory for this request than all runs of it may take together (`serving.model_mb`)."""

    code, status, title = "model.too_large", 503, "The model needs too much memory for this request"


class AnswerTooLate(HttpRefusal):
    """The answer was not there in the time that a request may take (`answer_seconds`), so it is not given any more."""

    code, status, title = "serving.too_late", 503, "The answer was not ready in time"
    headers = ((b"retry-after", b"1"),)


class _Document(msgspec.Struct, omit_defaults=True):
    """RFC 9457, and "error" where clients of the Open Inference Protocol look for it."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: tuple[FieldProblem, ...] = ()
    error: str = ""


_ENCODER = msgspec.json.Encoder()


def problem_body(refusal: HttpRefusal, *, instance: str = "", oip: bool = False) -> bytes:
    """The application/problem+json body of a refusal; `oip` puts it in the words of that protocol, too."""
    return _ENCODER.encode(
        _Document(
            type=f"urn:sealwright:problem:{refusal.code}",
            title=refusal.title,
            status=refusal.status,
            detail=refusal.detail,
            instance=instance,
            errors=refusal.problems,
            error=told_in_one_line(refusal) if oip else "",
        )
    )


def told_in_one_line(refusal: HttpRefusal) -> str:
    """A refusal where there is room for one sentence: its title and the first reason."""
    first = refusal.problems[0] if refusal.problems else None
    reason = refusal.detail or (f"{first.field or first.pointer}: {first.detail}" if first else "")
    return f"{refusal.title}. {reason}".strip()
