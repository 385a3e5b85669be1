"""The `serving:` section of a project file: how the released model answers.

Answers: which channel is served, for how long a pointer holds, what a caller may send.
Does not answer: where it listens and with which certificate. That is chosen when it is started.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sealwright.kernel import InvalidInput, check_name
from sealwright.serving.answer_spec import AnswerSpec
from sealwright.serving.budgets.limits import BudgetLimits
from sealwright.serving.budgets.spec import LimitsSpec
from sealwright.serving.rollout_spec import RolloutSpec

__all__ = ["ReasonSpec", "ServingSpec"]

_MODEL_SECONDS, _MODEL_MB, _WAIT_SECONDS = 2.0, 1024, 1.0  # docs/reference/transport.md says why


class ReasonSpec(BaseModel):
    """How a feature is named to a person who was refused because of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[
        str,
        Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", description="Stable code, such as R04. Features may share one."),
    ]
    text: Annotated[
        str, Field(min_length=8, max_length=300, description="The reason in one sentence, as the person reads it.")
    ]
    inquiries: Annotated[
        bool, Field(description="true: counts credit enquiries, which come on top of four principal reasons.")
    ] = False


class ServingSpec(AnswerSpec):
    """What a project says about its served model. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Annotated[
        str, Field(description="Which release channel is served. One pointer is current per channel.")
    ] = "live"
    pointer_days: Annotated[
        int,
        Field(ge=1, le=90, description="Days a release stays in service before it must be confirmed again."),
    ] = 7
    durability: Annotated[
        Literal["strict", "fast"],
        Field(
            description="strict: an answer leaves when its record is on disk. fast: when the record was handed to the disk; "
            "a power cut can lose the last second. Every receipt says which."
        ),
    ] = "strict"
    server: Annotated[
        Literal["uvicorn", "granian"],
        Field(
            exclude_if=lambda value: value == "uvicorn",
            description="What speaks HTTP. granian is an experiment: plain HTTP on this machine only, behind a proxy of yours that ends "
            "slow requests and caps connections. It needs the extra `granian`.",
        ),
    ] = "uvicorn"
    keep_days: Annotated[
        int | None,
        Field(
            ge=1,
            le=36_500,
            exclude_if=lambda value: value is None,
            description="Days that records of decisions are kept, by `sealwright decisions end`; left out: until somebody says.",
        ),
    ] = None
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            exclude_if=lambda value: value == 1,
            description="Processes that answer, one for each core that is to be used. Beside several of them runs one that keeps their one ledger.",
        ),
    ] = 1
    most_rows: Annotated[int, Field(ge=1, le=10_000, description="Rows one request may hold.")] = 1000
    most_body_kb: Annotated[int, Field(ge=4, le=4096, description="Kibibytes one request body may hold.")] = 1024
    model_seconds: Annotated[
        float,
        Field(
            ge=0.05,
            le=600,
            exclude_if=lambda value: value == _MODEL_SECONDS,
            description="Seconds one run of the model may take; a longer one is stopped, and its request gets 503.",
        ),
    ] = _MODEL_SECONDS
    wait_seconds: Annotated[
        float,
        Field(
            gt=0,
            le=30,
            exclude_if=lambda value: value == _WAIT_SECONDS,
            description="Seconds a request may wait for its turn; who would wait longer gets 503 at once, and those let in keep their time.",
        ),
    ] = _WAIT_SECONDS
    model_mb: Annotated[
        int,
        Field(
            ge=16,
            le=1 << 20,
            exclude_if=lambda value: value == _MODEL_MB,
            description="Mebibytes that all runs under way may take, beside the model's weights; a run that wants more fails alone.",
        ),
    ] = _MODEL_MB
    hosts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=253)], ...],
        Field(
            max_length=32,
            description="Names callers may use for this server (the Host header), besides this machine's own.",
        ),
    ] = ()
    limits: Annotated[
        LimitsSpec,
        Field(description="How much a caller may ask: each credential, and all credentials of one principal."),
    ] = LimitsSpec()

    def budgets(self) -> BudgetLimits:
        """The limits of every caller, with everything that was left out."""
        return self.limits.resolved()

    @model_validator(mode="after")
    def _a_whole_request_fits(self) -> "ServingSpec":
        self.limits.check_fits(self.most_rows)
        return self

    reasons: Annotated[
        dict[str, ReasonSpec],
        Field(
            max_length=1000,
            exclude_if=lambda value: not value,
            description="For each feature, the code and sentence it is given as a reason of refusal with.",
        ),
    ] = {}  # noqa: RUF012 - pydantic copies it
    proxies: Annotated[
        tuple[str, ...],
        Field(
            max_length=1000,
            exclude_if=lambda value: not value,
            description="Features that stand in for a protected attribute: like one, never given as a reason.",
        ),
    ] = ()

    @model_validator(mode="after")
    def _one_sentence_for_a_code(self) -> "ServingSpec":
        known: dict[str, str] = {}
        for feature, reason in self.reasons.items():
            if known.setdefault(reason.code, reason.text) != reason.text:
                raise ValueError(f"reasons.{feature}: the code {reason.code} has another sentence already")
            if not reason.text.isprintable():
                raise ValueError(f"reasons.{feature}: the sentence stands on one line, in printable characters")
        return self

    rollout: RolloutSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="In which steps a new version takes over, and the limits that decide; the defaults where it is left out.",
    )

    @field_validator("channel")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        try:
            return check_name(name, what="channel")
        except InvalidInput as error:
            raise ValueError(str(error)) from None

    @field_validator("hosts")
    @classmethod
    def _plain_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if host != host.lower() or any(c in host for c in "/*@ \t\r\n,") or not host.isprintable():
                raise ValueError(
                    f"{host!r} is not a host name. Write it in lower case, without scheme, port, path or wildcard."
                )
        return hosts
