"""Contracts of platforms that run our container and stand in front of it: Amazon SageMaker and Azure Machine Learning.

Answers: which addresses does the platform ask, with which bodies, and how are callers called whom it let in?
Does not answer: who they are. The platform checked that (IAM; keys or Entra ID), in front of the container, and tells us nothing of it. So this
mode has to be asked for twice, the ledger says at each start that it was on, and nothing else of ours answers in it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from sealwright.serving.protocol_forms import ARROW, CSV
from sealwright.serving.reply import JSON
from sealwright.serving.tokens import Caller

__all__ = ["EVERY_HOST", "PLATFORMS", "Platform", "PlatformName"]

PlatformName = Literal["sagemaker", "azureml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What one platform asks of a container."""

    name: PlatformName
    port: int
    health: str  # address it asks whether requests may come
    ask: str  # address of predictions
    bodies: frozenset[bytes]  # media types it hands on
    description: str = ""  # address of the OpenAPI document

    def caller(self, scope: str) -> Caller:
        """As whom everybody counts whom it let in; they may what this scope allows."""
        return Caller(self.name, "", frozenset({scope}))

    def described(self, openapi: bytes) -> bytes:
        """The model's description, at this platform's address and without our own tokens."""
        document: dict[str, Any] = msgspec.json.decode(openapi)
        (operations,) = document["paths"].values()
        operations["post"].pop("security", None)
        document["components"].pop("securitySchemes", None)
        return msgspec.json.encode(document | {"paths": {self.ask: operations}})


PLATFORMS: dict[str, Platform] = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    "sagemaker": Platform(
        name="sagemaker", port=8080, health="/ping", ask="/invocations", bodies=frozenset({JSON, CSV, ARROW})
    ),
    # https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
    "azureml": Platform(
        name="azureml", port=5001, health="/", ask="/score", bodies=frozenset({JSON}), description="/swagger.json"
    ),
}


class _EveryHost(Collection[bytes]):
    """No name is foreign: a platform calls its containers by addresses that nobody knows before, and no browser is inside."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def __len__(self) -> int:
        return 0


EVERY_HOST = _EveryHost()
