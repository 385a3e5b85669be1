"""What each form of the console may hold. A field too many is refused, never skipped: nobody sets what was not asked for."""

import re
from typing import Annotated, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealwright.doors.control.csrf import FORM_FIELD
from sealwright.doors.control.refusals import FormRefused
from sealwright.kernel import SealwrightError, strict_json
from sealwright.trust import PasskeyAnswer, RecoveryCode, TotpCode

__all__ = [
    "AppForm",
    "DecisionForm",
    "DecisionsForm",
    "EndSessionForm",
    "EnrolForm",
    "NothingForm",
    "PasskeyForm",
    "PasskeyGoneForm",
    "PasswordForm",
    "ProofForm",
    "RolloutForm",
    "SecondForm",
    "StepUpForm",
    "TogetherForm",
    "answer_of",
    "local_path",
    "read_form",
]

_PATH = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)?")
_Short = Annotated[str, Field(max_length=200, repr=False)]
_Secret = Annotated[str, Field(max_length=1000, repr=False)]
_Answer = Annotated[str, Field(max_length=16_000, repr=False)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class NothingForm(_Form):
    """A button."""


class TogetherForm(_Form):
    """Name and password."""

    name: _Short
    password: _Secret
    next: _Short = ""


class ProofForm(_Form):
    """One second factor of three kinds; what is not used stays empty."""

    code: _Short = ""
    recovery: _Short = ""
    answer: _Answer = ""

    def proof(self) -> TotpCode | RecoveryCode | PasskeyAnswer:
        """What was given. Nothing at all is a wrong code."""
        if self.answer:
            return PasskeyAnswer(answer_of(self.answer))
        return RecoveryCode(self.recovery) if self.recovery else TotpCode(self.code)


class SecondForm(ProofForm):
    """The second half of a login."""

    ticket: _Short
    next: _Short = ""


class StepUpForm(ProofForm):
    """A second factor within a session."""

    next: _Short = ""


class EnrolForm(_Form):
    """Password and first second factor of a new account."""

    password: _Secret
    again: _Secret
    ticket: _Short
    code: _Short = ""
    answer: _Answer = ""
    label: _Short = ""


class EndSessionForm(_Form):
    """One session of one's own, by its handle."""

    handle: _Short


class PasswordForm(_Form):
    """Another password."""

    old: _Secret
    new: _Secret
    again: _Secret


class AppForm(_Form):
    """A code of the authenticator app that was offered."""

    ticket: _Short
    code: _Short


class PasskeyForm(_Form):
    """A new passkey, and what its owner calls it."""

    answer: _Answer
    label: _Short


class PasskeyGoneForm(_Form):
    """A passkey of one's own, by its id."""

    passkey: Annotated[str, Field(max_length=1400)]


class RolloutForm(_Form):
    """What shall become of a rollout, and why."""

    move: Literal["advance", "promote", "back", "stop"]
    reason: Annotated[str, Field(min_length=3, max_length=500)]


_Moment = Annotated[
    str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?)?$")
]  # as a date field sends it
_Reason = Annotated[str, Field(max_length=500)]


class DecisionsForm(_Form):
    """Which decisions are looked for, and what for."""

    reason: _Reason
    since: _Moment = ""
    until: _Moment = ""
    channel: _Short = ""
    person: _Short = ""
    label: _Short = ""
    version: Annotated[str, Field(pattern=r"^[0-9]{0,6}$")] = ""


class DecisionForm(_Form):
    """Which decision, and what for."""

    decision: _Short
    reason: _Reason


_Kind = TypeVar("_Kind", bound=BaseModel)


def read_form(request: Request, kind: type[_Kind]) -> _Kind:
    """The form a request sent, without the token the door has looked at.

    Raises
    ------
    FormRefused
        Fields missing, unknown or too long. What stood in them is not repeated.
    """
    fields = {name: value for name, value in request.state.form.items() if name != FORM_FIELD}
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        known = set(kind.model_fields)
        named = {str(one["loc"][0]) if one["loc"] else "" for one in error.errors(include_input=False)}
        told = sorted(name if name in known else "one that does not belong" for name in named)
        raise FormRefused(f"These fields are missing or not as expected: {', '.join(told)}.") from None


def answer_of(text: str) -> dict[str, object]:
    """A passkey's answer as the browser gave it; {} for what is none, which proves nothing."""
    try:
        found = strict_json(text.encode())
    except (SealwrightError, UnicodeError):
        return {}
    return found if isinstance(found, dict) else {}


def local_path(text: str, *, otherwise: str = "/") -> str:
    """Where to go afterwards: an address of ours, or `otherwise`. Never another host, whatever a link said."""
    return text if _PATH.fullmatch(text) else otherwise
