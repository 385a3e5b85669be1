"""The serving process: everything put together, from its settings to the end of the last answer.

uvicorn with httptools and uvloop, started from one checked document. TLS 1.3 or nothing on an address
that others can reach.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
import uvloop

from sealwright.kernel import Clock, OperationFailed, SealwrightError, VerificationFailed, private_folder, system_clock
from sealwright.serving.app import App
from sealwright.serving.config import Limits, ServeConfig
from sealwright.serving.connection import ConnectionGuard, guarded_protocol
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.events import EventLog
from sealwright.serving.holder import Holder
from sealwright.serving.places import decision_origin
from sealwright.serving.state import StateFile
from sealwright.serving.tokens import TokenCheck
from sealwright.trust import Ledger, TrustRoot, as_pseudonym, import_signer, keyed_name

__all__ = ["serve"]

_BACKLOG = 2048
_REFUSALS_TOLD_EVERY = 60.0  # seconds


class _Server(uvicorn.Server):
    """uvicorn on one socket of ours, with deadlines for the handshake; signals are handled by `serve`."""

    def __init__(
        self, config: uvicorn.Config, listening: socket.socket, limits: Limits, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._listening, self._limits, self._announce = listening, limits, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        config = self.config

        def connection() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state={}, _loop=loop
            )
            return made

        secured = config.ssl is not None
        server = await loop.create_server(
            connection,
            sock=self._listening,
            ssl=config.ssl,
            backlog=_BACKLOG,
            ssl_handshake_timeout=self._limits.handshake_seconds if secured else None,
            ssl_shutdown_timeout=self._limits.answer_seconds if secured else None,
        )
        self.servers = [server]
        self.started = True
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    config: ServeConfig, *, ready: Callable[[int], None], lifeline: int | None = None, clock: Clock = system_clock
) -> None:
    """Serve until SIGTERM, SIGINT or the end of the lifeline; then finish what was begun.

    Parameters
    ----------
    ready : callable
        Called once with the port, when requests are answered.
    lifeline : int, optional
        A descriptor whose end of file means: stop.

    Raises
    ------
    SealwrightError
        It could not start, and says why.
    """
    log = EventLog(sys.stderr, clock)
    folder = private_folder(_made(config.folder))
    trust_root = TrustRoot.from_bytes(config.trust_root.encode())
    state = StateFile(folder / "state.json", config.project, config.channel)
    with contextlib.closing(_open_ledger(config, folder, state, trust_root, clock)) as ledger:
        decisions = DecisionLog(
            ledger,
            config.key_bytes,
            channel=config.channel,
            clock=clock,
            name_of=lambda person: as_pseudonym(keyed_name(bytes.fromhex(config.person_key), person)),
        )
        holder = Holder(
            home=Path(config.home),
            project=config.project,
            channel=config.channel,
            trust_root=trust_root,
            state=state,
            clock=clock,
            most_rows=config.limits.rows,
            note=decisions.note,
        )
        holder.start()
        tokens = TokenCheck(
            holder.standing_root.keys_of("tokens"),
            issuer=config.token_issuer,
            audience=config.token_audience,
            clock=clock,
            cache_seconds=config.limits.token_cache_seconds,
        )
        guard = ConnectionGuard(config.limits)
        app = App(
            project=config.project,
            hosts=config.hosts,
            limits=config.limits,
            holder=holder,
            tokens=tokens,
            decisions=decisions,
            guard=guard,
            log=log,
        )
        gc.collect()
        gc.freeze()  # what is loaded now stays; the collector need not walk it under load
        running = _Running(config, app, holder, decisions, guard, log)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(running.until_stopped(ready, lifeline))
        with contextlib.suppress(SealwrightError):
            decisions.note("serving.stopped", "", {"channel": config.channel})
    log.tell("stopped", project=config.project, channel=config.channel)


class _Running:
    """The parts that live as long as the event loop."""

    def __init__(
        self,
        config: ServeConfig,
        app: App,
        holder: Holder,
        decisions: DecisionLog,
        guard: ConnectionGuard,
        log: EventLog,
    ) -> None:
        self._config, self._app, self._holder = config, app, holder
        self._decisions, self._guard, self._log = decisions, guard, log

    async def until_stopped(self, ready: Callable[[int], None], lifeline: int | None) -> None:
        config, loop = self._config, asyncio.get_running_loop()
        listening = _listen(config.host, config.port)
        port = listening.getsockname()[1]
        settings = _uvicorn_settings(config, self._app, self._guard)
        server = _Server(settings, listening, config.limits, lambda: ready(port))

        def stop() -> None:
            self._app.draining = server.should_exit = True

        loop.set_exception_handler(lambda _, context: self._log.fault("loop", context.get("exception") or OSError()))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_certificate, settings)
        if lifeline is not None:
            loop.add_reader(lifeline, _on_lifeline, lifeline, loop, stop)
        beside = [loop.create_task(self._guard.sweep()), loop.create_task(self._watch())]
        self._log.tell("serving", project=config.project, channel=config.channel, host=config.host, port=port)
        try:
            await server.serve()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _watch(self) -> None:
        """Look for a new release, for a ledger that takes records again, and tell what was refused."""
        told, since = dict(self._guard.refused), 0.0
        was = ""
        while True:
            await asyncio.sleep(self._config.limits.watch_seconds)
            try:
                await asyncio.to_thread(self._holder.refresh)
                if self._decisions.not_ready():
                    await asyncio.to_thread(self._decisions.note, "serving.recording_tried", "", {})
            except (SealwrightError, OSError) as error:
                self._log.tell("watch_failed", kind=type(error).__name__)
            now = self._holder.not_ready() or self._decisions.not_ready()
            if now != was:
                self._log.tell("ready" if not now else "not_ready", reason=now)
                was = now
            since += self._config.limits.watch_seconds
            if since >= _REFUSALS_TOLD_EVERY and told != self._guard.refused:
                counts = {
                    f"status_{status}": count - told.get(status, 0) for status, count in self._guard.refused.items()
                }
                self._log.tell("refused", **counts)
                told, since = dict(self._guard.refused), 0.0

    def _reload_certificate(self, settings: uvicorn.Config) -> None:
        """Take a renewed certificate into the live context: new handshakes get it, open connections stay."""
        config = self._config
        if settings.ssl is None or config.tls_certificate is None:
            return
        try:
            _tls(config.tls_certificate, config.tls_key)  # tried apart: a pair that fails must not reach the live one
            settings.ssl.load_cert_chain(config.tls_certificate, config.tls_key)
            self._log.tell("certificate_loaded")
        except (OSError, SealwrightError) as error:
            self._log.tell("certificate_refused", kind=type(error).__name__)


def _made(folder: Path) -> Path:
    """The folder, its parents inside the workspace private too."""
    for parent in (folder.parent.parent, folder.parent):
        private_folder(parent)
    return folder


def _open_ledger(config: ServeConfig, folder: Path, state: StateFile, trust_root: TrustRoot, clock: Clock) -> Ledger:
    """The decision ledger, begun only where neither it nor its state was ever begun."""
    place = folder / "ledger"
    exists = place.exists() and any(place.iterdir())
    if exists and not state.existed:
        raise VerificationFailed(
            f"There are decisions in {place}, but the state beside them is gone, so an older release could pass.\n"
            "Restore state.json from a backup, or move the folder away to begin anew.",
            link="serving/state.json",
        )
    if state.now.ledger_begun and not exists:
        raise VerificationFailed(
            f"The decision ledger at {place} is gone. Restore it from a backup,\n"
            "or move its folder away to begin anew; that is visible to every auditor.",
            link="serving/ledger",
        )
    state.change(ledger_begun=state.now.ledger_begun)
    ledger = Ledger.open(
        place,
        origin=decision_origin(config.workspace, config.project, config.channel),
        signer=import_signer(config.signer_bytes),
        clock=clock,
        create=not exists,
        keys=trust_root.keys_of("decision-checkpoints"),  # an earlier key may have signed the newest checkpoint
    )
    state.change(ledger_begun=True)
    return ledger


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OperationFailed(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another with --port."
        ) from None
    return listening


def _uvicorn_settings(config: ServeConfig, app: App, guard: ConnectionGuard) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").disabled = True  # it logs callers' mistakes; ours are counted
    settings = uvicorn.Config(
        app,
        http=guarded_protocol(guard),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=max(1, round(config.limits.idle_seconds)),
        timeout_graceful_shutdown=max(1, round(config.limits.drain_seconds)),
    )
    settings.load()
    if config.tls_certificate is not None:
        settings.ssl = _tls(config.tls_certificate, config.tls_key)
    return settings


def _tls(certificate: str, key: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise OperationFailed(
            "The server's certificate and key cannot be used: missing, unreadable, or not belonging together."
        ) from None
    return context


def _on_lifeline(lifeline: int, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Whoever started us is gone (or wrote what we do not read): stop in good order."""
    loop.remove_reader(lifeline)
    stop()
