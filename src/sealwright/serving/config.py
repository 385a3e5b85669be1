"""What a serving process is told when it starts: one checked document, handed over a pipe.

It holds the decision key, so it never stands in an argument list, an environment variable or a file, and its repr
shows nothing. No key that signs is in it: tree heads are signed over a socket to the signer, which is inherited.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sealwright.kernel import InvalidInput, Refused, check_name
from sealwright.serving.budgets.counting import Counting
from sealwright.serving.budgets.limits import BudgetLimits
from sealwright.serving.places import access_file, decision_origin
from sealwright.serving.transport.config import ContainerTransport, Transport, is_loopback
from sealwright.serving.transport.limits import TransportLimits

__all__ = ["MOST_CONFIG_BYTES", "Limits", "ModelConfig", "ServeConfig", "WorkerPlace"]

MOST_CONFIG_BYTES = 1_000_000  # a pipe's buffer can be made to hold it, so handing it over never blocks

_Seconds = Annotated[float, Meta(gt=0, le=3600)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Limits(TransportLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is particular to predictions, of all models together. Seconds and counts."""

    rows: Annotated[int, Meta(ge=1, le=10_000)] = 1000  # at most, whatever a model's own settings allow
    waiting: _Count = 512  # decisions between decode and answer; more are refused with 503
    wait_seconds: _Seconds = 1.0  # refused with 503, too, who would wait longer than this for their turn
    model_seconds: Annotated[float, Meta(ge=0.05, le=600)] = 2.0  # of one run of a model; longer ones are stopped
    model_mb: Annotated[int, Meta(ge=16, le=1 << 20)] = 1024  # mebibytes of all runs at a time; weights not counted
    watch_seconds: _Seconds = 1.0  # between looks at pointer and revocations
    access_seconds: Annotated[float, Meta(gt=0, le=0.5)] = (
        0.2  # between looks at the access list: revoked within a second
    )
    arm_seconds: _Seconds = 5.0  # between writings of how each arm of a rollout does
    token_cache_seconds: Annotated[float, Meta(ge=0, le=60)] = 60.0
    models_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 2048  # of several models in one process: what stays loaded


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One project's channel, as a serving process is told of it."""

    project: str
    channel: str
    person_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]  # makes pseudonyms of this project
    durability: Literal["strict", "fast"] = "strict"
    rows: Annotated[int, Meta(ge=1, le=10_000)] = 1000  # of one request
    body_bytes: Annotated[int, Meta(ge=1, le=16 << 20)] = 1 << 20
    budgets: BudgetLimits = BudgetLimits()  # what callers may ask

    @property
    def name(self) -> str:
        """What no other one has, e.g. "credit+live"."""
        return f"{self.project}+{self.channel}"

    def folder(self, home: Path) -> Path:
        """Where this channel keeps its decision ledger and its state."""
        return home / "serving" / self.project / self.channel


class WorkerPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several workers: its number, and the descriptors it inherits from its keeper."""

    number: Annotated[int, Meta(ge=1, le=256)]
    http: int  # listens
    grpc: int  # listens; -1: nobody speaks gRPC here
    decisions: int
    questions: int


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the serving process knows. Paths are absolute; keys are hex text."""

    format: Literal[1] = 1
    workspace: str
    models: Annotated[list[ModelConfig], Meta(min_length=1, max_length=1000)]
    home: str
    trust_root: str  # the JSON text of trust.TrustRoot
    decision_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    decision_version: Annotated[int, Meta(ge=1, le=1_000_000)] = 1  # of the branch that key is derived from
    token_issuer: str
    token_audience: str
    host: str
    port: Annotated[int, Meta(ge=0, le=65_535)]
    hosts: list[str]
    tls_certificate: str | None
    tls_key: str | None
    access_at_least: Annotated[int, Meta(ge=0)] = 0  # sequence of the access list that the starter knows of
    client_certificates: Literal["none", "optional", "required"] = "none"
    client_ca: str | None = None
    client_revocations: str | None = None
    server: Literal["uvicorn", "granian"] = "uvicorn"  # what speaks HTTP
    platform: Literal["", "sagemaker", "azureml"] = ""  # whose container this is; "" for nobody's
    behind_platform: bool = False  # said once more: callers are let in by the platform alone
    grpc_port: Annotated[int, Meta(ge=0, le=65_535)] | None = None  # of the Open Inference Protocol over gRPC
    limits: Limits = Limits()
    counting: Counting = Counting()  # where callers' budgets are counted
    lifeline: bool = False  # stop when the other end of the pipe closes
    signer_fd: Annotated[int, Meta(ge=-1, le=1 << 20)] = -1  # the inherited socket to the signer
    workers: Annotated[int, Meta(ge=1, le=256)] = (
        1  # processes that answer; beside several of them, one keeps the ledgers
    )
    worker: WorkerPlace | None = None  # this is one of them

    def __repr__(self) -> str:
        return f"ServeConfig({', '.join(one.name for one in self.models)}, keys=<hidden>)"

    __str__ = __repr__

    @property
    def origins(self) -> list[str]:
        """The names of the decision ledgers of all models."""
        return [decision_origin(self.workspace, one.project, one.channel) for one in self.models]

    @property
    def first(self) -> ModelConfig:
        """The model whose ledger takes what concerns the server as a whole."""
        return self.models[0]

    @property
    def access_file(self) -> Path:
        """The signed list of API keys and of what was taken back."""
        return access_file(Path(self.home))

    @property
    def key_bytes(self) -> bytes:
        return bytes.fromhex(self.decision_key)

    def checked(self) -> "ServeConfig":
        """The same document, if it is safe to start with.

        Raises
        ------
        InvalidInput
            A name, path or host is not usable.
        Refused
            It asks for plain HTTP on an address other machines can reach, or for half of TLS.
        """
        for model in self.models:
            check_name(model.project, what="project")
            check_name(model.channel, what="channel")
        if len({model.project for model in self.models}) < len(self.models):
            raise InvalidInput(
                "One process serves one channel of a project. Start another process for the other channel."
            )
        if not Path(self.home).is_absolute():
            raise InvalidInput("The workspace path handed to the server must be absolute.")
        if bool(self.platform) != self.behind_platform:
            raise Refused(
                "In a platform's container nobody shows a token of ours: callers are let in by the platform alone.\n"
                "Ask for that with both --contract and --behind-platform, or leave both out."
            )
        if self.platform and (self.grpc_port is not None or self.tls_certificate is not None):
            raise Refused(
                f"In a container of {self.platform} only its own addresses answer: leave out gRPC and certificates."
            )
        if self.platform and len(self.models) > 1:
            raise Refused(f"A container of {self.platform} holds one model. Name one.")
        if self.counting.where == "memory" and self.workers > 1:
            raise Refused("Several workers count callers' budgets together: in a file or in Redis, not in memory.")
        if self.grpc_port is not None and self.grpc_port == self.port != 0:
            raise Refused("HTTP and gRPC need a port each.")
        self._check_server()
        self.transport().checked()
        if (self.counting.where == "redis") != Path(self.counting.redis).is_absolute():
            raise InvalidInput(
                "Counting in Redis, and only that, takes the absolute path of the file that says where Redis is."
            )
        return self

    def _check_server(self) -> None:
        """granian has no place for what guards a connection, so it stands behind what has."""
        needs = {
            "an address that other machines reach": not is_loopback(self.host),
            "TLS": self.tls_certificate is not None or self.tls_key is not None,
            "client certificates": self.client_certificates != "none",
            "gRPC": self.grpc_port is not None,
            "the container of a platform": bool(self.platform),
            "several workers": self.workers > 1,
        }
        asked = [name for name, wanted in needs.items() if wanted]
        if self.server == "granian" and asked:
            raise Refused(
                f"serving.server: granian does not go with {', '.join(asked)}: it ends no slow body and caps no connections.\n"
                "Put a proxy that does both in front of it on this machine, or leave serving.server out."
            )

    def transport(self) -> Transport:
        """Its side toward the network."""
        return (ContainerTransport if self.platform else Transport)(
            host=self.host,
            port=self.port,
            hosts=self.hosts,
            tls_certificate=self.tls_certificate,
            tls_key=self.tls_key,
            client_certificates="off" if self.client_certificates == "none" else self.client_certificates,
            client_ca=self.client_ca,
            client_crl=self.client_revocations,
            limits=self.limits,
        )

    def to_bytes(self) -> bytes:
        """The JSON to hand over.

        Raises
        ------
        InvalidInput
            It would not fit a pipe.
        """
        data = msgspec.json.encode(self)
        if len(data) > MOST_CONFIG_BYTES:
            raise InvalidInput(
                f"The server's settings take {len(data):,} bytes; {MOST_CONFIG_BYTES:,} can be handed over."
            )
        return data

    @staticmethod
    def from_bytes(data: bytes) -> "ServeConfig":
        """Read and check what `to_bytes` wrote.

        Raises
        ------
        InvalidInput
            Not such a document. The message holds no value of it.
        """
        try:
            return _DECODER.decode(data).checked()
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise InvalidInput("The settings handed to the server cannot be read.") from None


_DECODER = msgspec.json.Decoder(ServeConfig)
