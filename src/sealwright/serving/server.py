"""The serving process: everything put together, from its settings to the end of the last answer.

Started from one checked document; how it meets the network stands in `transport`.
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from sealwright.kernel import Clock, SealwrightError, system_clock
from sealwright.serving.access import AccessWatch
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.adapters.memory import hold_arena_to
from sealwright.serving.app import App
from sealwright.serving.believed import Believed
from sealwright.serving.book import Book
from sealwright.serving.channels import Channels
from sealwright.serving.config import ModelConfig, ServeConfig
from sealwright.serving.decision_key import DecisionKey
from sealwright.serving.ending import LOST, Ending, end_at_once, end_in_time, ender
from sealwright.serving.following import Following
from sealwright.serving.lists_seen import ListsSeen
from sealwright.serving.opening import Books, Opening
from sealwright.serving.places import ca_files
from sealwright.serving.platforms import PLATFORMS
from sealwright.serving.refusals import Refusals
from sealwright.serving.tokens import TokenCheck
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.http_server import HttpServer
from sealwright.serving.transport.process_hygiene import give_back_memory
from sealwright.serving.workers.far import FarBooks
from sealwright.trust import PublicKey, TrustRoot

if TYPE_CHECKING:
    from sealwright.serving.grpc.server import GrpcServer
    from sealwright.serving.transport.granian_server import GranianServer

__all__ = ["serve"]

_BUDGETS_EVERY = 0.5  # seconds
_MEMORY_EVERY = 0.25  # seconds
_REFUSED_TOLD_EVERY = 60  # looks


def serve(
    config: ServeConfig,
    *,
    ready: Callable[[int, int | None], None],
    lifeline: int | None = None,
    clock: Clock = system_clock,
) -> None:
    """Serve until SIGTERM, SIGINT or the end of the lifeline; then finish what was begun.

    Parameters
    ----------
    ready : callable
        Called once with the port, and that of gRPC if there is one, when requests are answered.
    lifeline : int, optional
        A descriptor whose end of file means: stop.

    Raises
    ------
    SealwrightError
        It could not start, and says why.
    """
    log = EventLog(sys.stderr, clock)
    ending = Ending(log)
    far = None if config.worker is None else FarBooks(config, clock, cut_off=lambda: ending.begin("keeper_lost"))
    limits = config.limits
    hold_arena_to(limits.model_mb)
    runs = ModelRuns(limits.model_seconds, limits.model_mb, tell=log.tell, end=ender(limits.drain_seconds))
    running = _Running(config, far or Opening(config, clock), runs, log, clock, ending)
    try:
        running.start()
        gc.collect()
        gc.freeze()  # what is loaded now stays; the collector need not walk it under load
    except BaseException:
        running.channels.first_book.close()
        raise
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if far is not None:
            runner.run(far.begin())
        runner.run(running.until_stopped(ready, lifeline))
    log.tell("stopped", models=len(config.models), project=config.first.project, channel=config.first.channel)
    if ending.lost or runs.lost or runs.stuck(aside=True):
        end_at_once(LOST if ending.lost or runs.lost else 0)  # the interpreter would wait for threads


class _Running:
    """The parts that live as long as the event loop."""

    def __init__(
        self, config: ServeConfig, books: Books, runs: ModelRuns, log: EventLog, clock: Clock, ending: Ending
    ) -> None:
        """Put together what answers; nothing listens yet, and nothing is loaded."""
        self._config, self._log, self._clock, self._ending = config, log, clock, ending
        trust_root = TrustRoot.from_bytes(config.trust_root.encode())
        home = Path(config.home)
        self._key = DecisionKey(home, config.workspace, config.decision_version, config.key_bytes)
        self._books = books
        self.channels = Channels(config, self._open_book, runs, trust_root, clock, log)
        decisions = self.channels.first_book.decisions
        state = self.channels.first_book.state
        self._lists = ListsSeen(state)
        self._believed = Believed(trust_root, home, self._lists)
        self._access = AccessWatch(
            config.access_file,
            self._token_keys,
            config.workspace,
            state=state,
            clock=clock,
            note=decisions.note,
            at_least=config.access_at_least,
        )
        self._tokens = TokenCheck(
            self._token_keys,
            issuer=config.token_issuer,
            audience=config.token_audience,
            access=self._access,
            clock=clock,
            cache_seconds=config.limits.token_cache_seconds,
        )
        self._guard = ConnectionGuard(config.limits)
        self._refusals = Refusals(decisions.note, decisions.name_of)
        self._app = App(
            hosts=config.hosts,
            limits=config.limits,
            channels=self.channels,
            tokens=self._tokens,
            guard=self._guard,
            refusals=self._refusals,
            log=log,
            platform=PLATFORMS.get(config.platform),
        )
        self._watched: tuple[object, ...] = ()

    def start(self) -> None:
        """Verify what must hold before anything listens. Raises SealwrightError."""
        self._read_keys()
        self.channels.start()
        self._access.start()
        self._keys = Following(
            self._config,
            self._believed,
            self._tokens,
            lambda: self.channels.books,
            self._key,
            self._log,
            name=f"predict.{self._config.first.name}" + self._suffix,
        )

    @property
    def _suffix(self) -> str:
        """What tells one of several workers from the others."""
        return "" if self._config.worker is None else f".{self._config.worker.number}"

    def _token_keys(self) -> Sequence[PublicKey]:
        return self._believed.keys_of("tokens")

    def _open_book(self, model: ModelConfig) -> Book:
        return self._books.book(model, self._key.in_use())

    async def until_stopped(self, ready: Callable[[int, int | None], None], lifeline: int | None) -> None:
        config, app = self._config, self._app
        own = config.client_ca == str(ca_files(Path(config.home))[0])
        client_keys = self._believed.ca_keys if own else None
        grpc = self._grpc(client_keys)

        def stopping() -> None:
            app.draining = self._ending.begun = True
            end_in_time(config.limits.drain_seconds)
            if grpc is not None:
                grpc.close()  # its connections are told by the guard

        server = self._http(stopping, client_keys, grpc)
        self._tell_platform(server.port)
        first = config.first
        self._log.tell("serving", project=first.project, channel=first.channel, host=config.host, port=server.port)
        ports = server.port, None if grpc is None else grpc.port
        minded = self._ending.unless_it_fails
        beside = [
            minded(self._watch, server),
            minded(self._watch_access),
            minded(self._keep_budgets),
            minded(self._tell_arms),
            minded(_give_back),
            *([] if grpc is None else [minded(grpc.run)]),
        ]
        with contextlib.closing(self._keys):
            await server.until_stopped(lambda: ready(*ports), lifeline=lifeline, beside=beside)
        with contextlib.suppress(SealwrightError):
            self._refusals.write(self._refusals.take())
        await self.channels.close()
        self._books.close()

    def _http(
        self,
        stopping: Callable[[], None],
        client_keys: Callable[[], Collection[str]] | None,
        grpc: "GrpcServer | None",
    ) -> "HttpServer | GranianServer":
        """What speaks HTTP, listening already."""
        config = self._config
        if config.server == "granian":
            from sealwright.serving.transport.granian_server import GranianServer

            return GranianServer(self._app, config.transport(), self._guard, self._log, stopping=stopping)
        return HttpServer(
            self._app,
            config.transport(),
            self._guard,
            self._log,
            self._clock,
            stopping=stopping,
            client_keys=client_keys,
            listening=None if config.worker is None else config.worker.http,
            renews_too=[grpc.secured] if grpc is not None and grpc.secured is not None else (),
        )

    def _grpc(self, client_keys: Callable[[], Collection[str]] | None) -> "GrpcServer | None":
        """The second listener, where one is asked for."""
        config = self._config
        if config.grpc_port is None:
            return None
        from sealwright.serving.grpc.server import GrpcServer
        from sealwright.serving.grpc.service import GrpcService

        service = GrpcService(self._app)
        return GrpcServer(
            service.answer,
            self._app.refusal_of,
            config.transport(),
            config.grpc_port,
            self._guard,
            self._clock,
            client_keys=client_keys,
            listening=None if config.worker is None else config.worker.grpc,
        )

    def _tell_platform(self, port: int) -> None:
        """That callers are let in by somebody else goes on record before the first of them comes."""
        if self._config.platform:
            detail = {"platform": self._config.platform, "host": self._config.host, "port": port}
            self.channels.first_book.decisions.note("serving.platform_trusted", "", detail)

    # ---- what runs as long as the server does

    async def _keep_budgets(self) -> None:
        """Draw what runs low, give back what lies idle."""
        while True:
            await asyncio.sleep(_BUDGETS_EVERY)
            for channel in self.channels.open:
                await channel.budgets.look()

    async def _watch_access(self) -> None:
        """Take what was revoked, within a second."""
        while True:
            await asyncio.sleep(self._config.limits.access_seconds)
            if self._access.changed():
                try:
                    await asyncio.to_thread(self._access.refresh)
                except (SealwrightError, OSError) as error:  # the note about it could not be written
                    self._log.tell("watch_failed", kind=type(error).__name__)

    async def _tell_arms(self) -> None:
        """How each arm of a rollout does, every few seconds."""
        while True:
            await asyncio.sleep(self._config.limits.arm_seconds)
            for channel in self.channels.open:
                try:
                    await channel.tell_arms()
                except (SealwrightError, OSError) as error:
                    self._log.tell("watch_failed", kind=type(error).__name__)

    async def _watch(self, server: "HttpServer | GranianServer") -> None:
        """Look for new keys, releases, lists and certificates, for memory and for ledgers that take records again; tell what was
        refused."""
        looks, told, was = 0, dict(self._guard.refused), ""

        async def look() -> None:
            server.look()

        while True:
            await asyncio.sleep(self._config.limits.watch_seconds)
            failed: list[str] = []
            for step in (self._look_at_keys, look, self._keys.look, self._write_refusals, self.channels.make_room):
                try:
                    await step()
                except (SealwrightError, OSError) as error:  # the others go on
                    failed.append(type(error).__name__)
            for channel in self.channels.open:
                failed += await channel.look()
            if failed:
                self._log.tell("watch_failed", kind=failed[-1])
            now = self._app.not_ready()
            if now != was:
                self._log.tell("ready" if not now else "not_ready", reason=now)
                was = now
            looks += 1
            if looks % _REFUSED_TOLD_EVERY == 0 and told != self._guard.refused:
                counts = {
                    f"status_{status}": count - told.get(status, 0) for status, count in self._guard.refused.items()
                }
                self._log.tell("refused", **counts)
                told = dict(self._guard.refused)

    async def _look_at_keys(self) -> None:
        """Read the list of withdrawn keys again if it changed. Where it does not hold, each model withdraws for itself."""
        now = tuple(_changed(path) for path in self._believed.files)
        if now != self._watched:
            await asyncio.to_thread(self._read_keys)
            self._watched = now  # not before: what could not be read or remembered is tried again

    def _read_keys(self) -> None:
        """Believe what the list of withdrawn keys leaves, then have its number remembered. Raises SealwrightError, OSError."""
        self._believed.look()
        self._lists.write()

    async def _write_refusals(self) -> None:
        """What was refused since the last time, into the ledger; kept for the next time if it takes nothing."""
        found = self._refusals.take()
        if found:
            try:
                await asyncio.to_thread(self._refusals.write, found)
            except SealwrightError:
                for reason, sources in found.items():
                    for source in sources:
                        self._refusals.add(reason, source)
                raise


async def _give_back() -> None:
    """Keep no more memory than what is being answered needs."""
    while True:
        await asyncio.sleep(_MEMORY_EVERY)
        give_back_memory()


def _changed(path: Path) -> tuple[int, int, int] | None:
    """What tells that a file was replaced."""
    with contextlib.suppress(OSError):
        found = path.lstat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
