"""The `serving:` section of a project file: how the released model answers.

Answers: which channel is served, for how long a pointer holds, what a caller may send.
Does not answer: where it listens and with which certificate. That is chosen when it is started.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sealwright.kernel import InvalidInput, check_name
from sealwright.serving.rollout_spec import RolloutSpec

__all__ = ["ServingSpec"]


class ServingSpec(BaseModel):
    """What a project says about its served model. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Annotated[
        str, Field(description="Which release channel is served. One pointer is current per channel.")
    ] = "live"
    pointer_days: Annotated[
        int,
        Field(ge=1, le=90, description="Days a release stays in service before it must be confirmed again."),
    ] = 7
    out_of_range: Annotated[
        Literal["refuse"],
        Field(
            description="What happens to a value outside the range or categories of the data contract: 422, no answer."
        ),
    ] = "refuse"
    durability: Annotated[
        Literal["strict", "fast"],
        Field(
            description="strict: an answer leaves when its record is on disk. fast: when the record was handed to the disk; "
            "a power cut can lose the last second. Every receipt says which."
        ),
    ] = "strict"
    most_rows: Annotated[int, Field(ge=1, le=10_000, description="Rows one request may hold.")] = 1000
    most_body_kb: Annotated[int, Field(ge=4, le=4096, description="Kibibytes one request body may hold.")] = 1024
    hosts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=253)], ...],
        Field(
            max_length=32,
            description="Names callers may use for this server (the Host header), besides this machine's own.",
        ),
    ] = ()
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
