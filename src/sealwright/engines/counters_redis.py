"""Counters that servers on many machines share in Redis or Valkey.

A draw is one Lua script, so it is indivisible, by the clock of the Redis server. How to reach it stands in a file only we can
read, with its password; nothing of that is ever told. What fails or takes longer than `SILENT_AFTER` is silence: the caller
of `draw` then spends what it holds and no more. A Redis that may throw keys away gives spent budgets back, so it is refused.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from sealwright.engines.counters import SILENT_AFTER, Amount, Ask, CountersSilent, Grant
from sealwright.engines.counters_rules import LEASE, MARGIN, UNDER_WAY
from sealwright.kernel import InvalidInput, MissingExtra, Refused, new_id, read_limited

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["RedisCounters", "RedisPlace", "read_redis_place"]

_MOST_BYTES = 16_384
_SCRIPT = Path(__file__).with_name("counters.lua")


class RedisPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Redis is. TLS unless it is on this machine."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 6379
    database: Annotated[int, Meta(ge=0, le=1024)] = 0
    username: str | None = None
    password: str | None = None
    tls: bool = True
    ca: str | None = None  # PEM file; left out: the CAs this machine trusts
    certificate: str | None = None  # ours, where Redis asks for one
    key: str | None = None

    def __repr__(self) -> str:
        return f"RedisPlace({self.host!r}, {self.port}, password=<hidden>)"

    __str__ = __repr__


def read_redis_place(path: Path) -> RedisPlace:
    """The JSON file that says where Redis is.

    Raises
    ------
    InvalidInput
        Not such a file. The message holds no value of it.
    Refused
        Others can read it or it is not ours; or it asks for a connection without TLS to another machine.
    """
    data = read_limited(path, _MOST_BYTES)
    found = path.stat()
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise Refused(f"{path} holds a password and can be read by others.\nMake it yours alone: chmod 600 {path}")
    try:
        place = msgspec.json.decode(data, type=RedisPlace)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise InvalidInput(
            f'{path} does not say where Redis is. Expected JSON like {{"host": "redis.example.org", "password": "…"}}.'
        ) from None
    if not place.tls and place.host not in {"127.0.0.1", "::1", "localhost"}:
        raise Refused(f"{path} asks for Redis on another machine without TLS. Leave `tls` out.")
    return place


class RedisCounters:
    """One process's connections to Redis."""

    threads = 4

    def __init__(self, place: RedisPlace, *, prefix: str) -> None:
        """Connect, and see that it keeps what it is given.

        Parameters
        ----------
        prefix : str
            Goes before every key, so that many can share one Redis.

        Raises
        ------
        MissingExtra
            redis-py is not installed.
        Refused
            That Redis throws keys away when its memory is full.
        CountersSilent
            It does not answer, or not to us.
        """
        try:
            import redis
            import redis.backoff
            import redis.retry
        except ModuleNotFoundError:
            raise MissingExtra("Counting in Redis", "redis") from None
        self._errors: tuple[type[Exception], ...] = (redis.RedisError, OSError, ValueError)
        self._where, self._prefix, self._holder = f"{place.host}:{place.port}", prefix, new_id("hld").encode()
        try:
            self._redis = _connected(redis, place)
            self._draw = self._redis.register_script(_SCRIPT.read_bytes())
            memory: dict[str, Any] = self._redis.info("memory")
        except self._errors as error:
            raise self._silent(error) from None
        policy = str(memory.get("maxmemory_policy", "unknown"))
        if policy != "noeviction":
            self.close()
            raise Refused(
                f"Redis at {self._where} may throw keys away (maxmemory-policy {policy}): a spent budget would be new.\n"
                "Set maxmemory-policy noeviction there, or use a Redis of its own."
            )

    def draw(self, asks: Sequence[Ask]) -> list[Grant]:
        """As `Counters.draw`: each counter in one step."""
        try:
            return [_grant_of(self._draw(keys=[self._prefix + ask.key], args=self._args_of(ask))) for ask in asks]
        except self._errors as error:
            raise self._silent(error) from None

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _args_of(self, ask: Ask) -> list[bytes | float | str]:
        quota = ask.quota
        numbers = (
            *(quota.per_second, quota.burst, quota.units_a_day, quota.extras_a_day, quota.slots),
            *ask.left,
            *ask.back[:2],
            *ask.least,
            *ask.most,
            *(ask.number, ask.ends, LEASE, MARGIN, UNDER_WAY),
        )
        return [self._holder, *(repr(number) for number in numbers)]

    def _silent(self, error: Exception) -> CountersSilent:
        """The kind of error only: a message of the library may repeat what we sent."""
        return CountersSilent(f"Redis at {self._where} does not answer as it should ({type(error).__name__}).")


def _connected(redis: Any, place: RedisPlace) -> "Redis":
    secure = {"ssl": True, "ssl_ca_certs": place.ca, "ssl_certfile": place.certificate, "ssl_keyfile": place.key}
    made: Redis = redis.Redis(
        host=place.host,
        port=place.port,
        db=place.database,
        username=place.username,
        password=place.password,
        socket_timeout=SILENT_AFTER,
        socket_connect_timeout=SILENT_AFTER,
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        **(secure | {"ssl_min_version": _tls_1_2(), "ssl_check_hostname": True} if place.tls else {}),
    )
    return made


def _tls_1_2() -> Any:
    import ssl

    return ssl.TLSVersion.TLSv1_2


def _grant_of(answer: Any) -> Grant:
    units, extras, slots, kept, there, today, extras_today, day_ends, short, wait = answer
    return Grant(
        more=Amount(units, extras, slots),
        kept=bool(kept),
        seconds=min(LEASE, float(day_ends)),
        units=there,
        units_today=today,
        extras_today=extras_today,
        day_ends=float(day_ends),
        short=short.decode(),
        wait=float(wait),
    )
