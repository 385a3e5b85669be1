"""What one caller, one connection and a whole server may use of this machine."""

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["TransportLimits"]

_Seconds = Annotated[float, Meta(gt=0, le=3600)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class TransportLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds and bytes. None of them can be switched off; the reasons stand in docs/reference/transport.md."""

    body_bytes: Annotated[int, Meta(ge=1024, le=4 << 20)] = 1 << 20
    header_bytes: Annotated[int, Meta(ge=1024, le=65_536)] = 16_384
    connections: _Count = 1024
    connections_per_client: _Count = 512
    handshake_seconds: _Seconds = 5.0
    header_seconds: _Seconds = 10.0
    idle_seconds: _Seconds = 30.0
    body_seconds: _Seconds = 10.0
    answer_seconds: _Seconds = 30.0
    drain_seconds: _Seconds = 20.0  # for answers under way after SIGTERM
