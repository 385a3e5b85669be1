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

from sealwright.kernel import Clock, SealwrightError, VerificationFailed, private_folder, system_clock
from sealwright.serving.access import AccessWatch
from sealwright.serving.app import App
from sealwright.serving.arm_counts import ArmCounts
from sealwright.serving.budgets.budgets import Budgets
from sealwright.serving.budgets.counting import open_counters
from sealwright.serving.config import ServeConfig
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.following import Following
from sealwright.serving.holder import Holder
from sealwright.serving.places import ca_files, decision_origin
from sealwright.serving.platforms import PLATFORMS
from sealwright.serving.refusals import Refusals
from sealwright.serving.shadow_records import ShadowRecord, ShadowSealer
from sealwright.serving.shadowing import Shadowing
from sealwright.serving.state import StateFile
from sealwright.serving.tokens import TokenCheck
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.http_server import HttpServer
from sealwright.serving.usage import Usage
from sealwright.serving.watching import Watching
from sealwright.trust import (
    Entry,
    Ledger,
    PublicKey,
    RemoteSigner,
    TrustRoot,
    as_pseudonym,
    borrowed_signer,
    keyed_name,
)

if TYPE_CHECKING:
    from sealwright.serving.grpc.server import GrpcServer

__all__ = ["serve"]

_BUDGETS_EVERY = 0.5  # seconds
_COUNTS_TOLD_EVERY = 60.0  # seconds


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
    folder = private_folder(_made(config.folder))
    trust_root = TrustRoot.from_bytes(config.trust_root.encode())
    state = StateFile(folder / "state.json", config.project, config.channel)
    ledger, signer = _open_ledger(config, folder, state, trust_root, clock)
    with contextlib.closing(ledger):
        running = _Running(config, state, trust_root, ledger, signer, log, clock)
        gc.collect()
        gc.freeze()  # what is loaded now stays; the collector need not walk it under load
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(running.until_stopped(ready, lifeline))
        with contextlib.suppress(SealwrightError):
            running.write_the_last()
    log.tell("stopped", project=config.project, channel=config.channel)


class _Running:
    """The parts that live as long as the event loop."""

    def __init__(
        self,
        config: ServeConfig,
        state: StateFile,
        trust_root: TrustRoot,
        ledger: Ledger,
        signer: RemoteSigner,
        log: EventLog,
        clock: Clock,
    ) -> None:
        """Put together what answers; nothing listens yet."""
        self._config, self._log, self._clock = config, log, clock
        self._decisions = DecisionLog(
            ledger,
            config.key_bytes,
            channel=config.channel,
            clock=clock,
            name_of=lambda person: as_pseudonym(keyed_name(bytes.fromhex(config.person_key), person)),
            on_disk=config.durability == "strict",
        )
        self._holder = Holder(
            home=Path(config.home),
            project=config.project,
            channel=config.channel,
            trust_root=trust_root,
            state=state,
            clock=clock,
            most_rows=config.limits.rows,
            note=self._decisions.note,
        )
        self._holder.start()
        self._access = AccessWatch(
            config.access_file,
            self._token_keys,
            config.workspace,
            state=state,
            clock=clock,
            note=self._decisions.note,
            at_least=config.access_at_least,
        )
        self._access.start()
        tokens = TokenCheck(
            self._token_keys,
            issuer=config.token_issuer,
            audience=config.token_audience,
            access=self._access,
            clock=clock,
            cache_seconds=config.limits.token_cache_seconds,
        )
        self._guard = ConnectionGuard(config.limits)
        self._refusals = Refusals(self._decisions.note, self._decisions.name_of)
        self._usage = Usage(self._decisions.note, self._decisions.name_of)
        name = f"{config.workspace}/{config.project}/{config.channel}"
        self._budgets = Budgets(
            config.budgets,
            open_counters(config.counting, folder=config.folder, name=name),
            name_of=self._decisions.name_of,
            tell=log.tell,
        )
        self._counts = ArmCounts(self._decisions.note)
        self._shadowing = Shadowing(self._keep_shadows, self._counts)
        self._app = App(
            project=config.project,
            hosts=config.hosts,
            limits=config.limits,
            holder=self._holder,
            tokens=tokens,
            decisions=self._decisions,
            guard=self._guard,
            refusals=self._refusals,
            usage=self._usage,
            budgets=self._budgets,
            watching=Watching(self._counts, self._shadowing),
            log=log,
            platform=PLATFORMS.get(config.platform),
        )
        self._keys = Following(config, self._holder.believed, tokens, self._decisions, ledger, signer, log)

    def _token_keys(self) -> Sequence[PublicKey]:
        return self._holder.believed.keys_of("tokens")

    async def until_stopped(self, ready: Callable[[int, int | None], None], lifeline: int | None) -> None:
        config, app = self._config, self._app
        own = config.client_ca == str(ca_files(Path(config.home))[0])
        client_keys = self._holder.believed.ca_keys if own else None
        grpc = self._grpc(client_keys)

        def stopping() -> None:
            app.draining = True
            if grpc is not None:
                grpc.drain()

        server = HttpServer(
            app,
            config.transport(),
            self._guard,
            self._log,
            self._clock,
            stopping=stopping,
            client_keys=client_keys,
            renews_too=[grpc.secured] if grpc is not None and grpc.secured is not None else (),
        )
        self._tell_platform(server.port)
        self._log.tell("serving", project=config.project, channel=config.channel, host=config.host, port=server.port)
        ports = server.port, None if grpc is None else grpc.port
        beside = [
            self._watch(server),
            self._watch_access(),
            self._keep_budgets(),
            self._tell_arms(),
            *([] if grpc is None else [grpc.run()]),
        ]
        with contextlib.closing(self._keys):
            await server.until_stopped(lambda: ready(*ports), lifeline=lifeline, beside=beside)
        await self._budgets.close()

    async def _keep_budgets(self) -> None:
        """Draw what runs low, give back what lies idle."""
        while True:
            await asyncio.sleep(_BUDGETS_EVERY)
            await self._budgets.look()

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
        )

    def _tell_platform(self, port: int) -> None:
        """That callers are let in by somebody else goes on record before the first of them comes."""
        if self._config.platform:
            detail = {"platform": self._config.platform, "host": self._config.host, "port": port}
            self._decisions.note("serving.platform_trusted", "", detail)

    async def _watch_access(self) -> None:
        """Take what was revoked, within a second."""
        while True:
            await asyncio.sleep(self._config.limits.access_seconds)
            if self._access.changed():
                try:
                    await asyncio.to_thread(self._access.refresh)
                except SealwrightError as error:  # the note about it could not be written
                    self._log.tell("watch_failed", kind=type(error).__name__)

    async def _tell_arms(self) -> None:
        """How each arm of a rollout does, every few seconds."""
        while True:
            await asyncio.sleep(self._config.limits.arm_seconds)
            try:
                await asyncio.to_thread(self._counts.write)
            except SealwrightError as error:
                self._log.tell("watch_failed", kind=type(error).__name__)

    def _keep_shadows(self, records: Sequence[ShadowRecord]) -> None:
        """What shadows would have said, beside what was said."""

        def made(key: bytes, place: str) -> list[Entry]:
            sealer = ShadowSealer(key, self._config.project, place)
            return [sealer.entry(one) for one in records]

        self._decisions.file_beside(made)

    async def _watch(self, server: HttpServer) -> None:
        """Look for a new release, new lists and certificates, for a ledger that takes records again; tell what was refused and asked."""
        told, since = dict(self._guard.refused), 0.0
        was = ""

        async def look() -> None:
            server.look()

        while True:
            await asyncio.sleep(self._config.limits.watch_seconds)
            failed = ""
            for step in (self._refresh, look, self._keys.look, self._write_refusals, self._try_to_record):
                try:
                    await step()
                except (SealwrightError, OSError) as error:  # the others go on
                    failed = type(error).__name__
            if failed:
                self._log.tell("watch_failed", kind=failed)
            now = self._holder.not_ready() or self._access.not_ready() or self._decisions.not_ready()
            if now != was:
                self._log.tell("ready" if not now else "not_ready", reason=now)
                was = now
            since += self._config.limits.watch_seconds
            if since < _COUNTS_TOLD_EVERY:
                continue
            since = 0.0
            await self._write_usage()
            if told != self._guard.refused:
                counts = {
                    f"status_{status}": count - told.get(status, 0) for status, count in self._guard.refused.items()
                }
                self._log.tell("refused", **counts)
                told = dict(self._guard.refused)

    async def _refresh(self) -> None:
        """Take a newer release and newer lists."""
        await asyncio.to_thread(self._holder.refresh)

    async def _try_to_record(self) -> None:
        """See whether a ledger that took nothing takes something again."""
        if self._decisions.not_ready():
            await asyncio.to_thread(self._decisions.note, "serving.recording_tried", "", {})

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

    async def _write_usage(self) -> None:
        """What was asked since the last time, into the ledger; kept for the next time if it takes nothing."""
        found = self._usage.take()
        try:
            await asyncio.to_thread(self._usage.write, found)
        except SealwrightError as error:
            self._usage.give_back(found)
            self._log.tell("watch_failed", kind=type(error).__name__)

    def write_the_last(self) -> None:
        """What was counted since the last time, and that serving ended. Raises `NotRecorded`."""
        self._shadowing.close()
        self._refusals.write(self._refusals.take())
        self._usage.write(self._usage.take())
        self._counts.write()
        self._decisions.note("serving.stopped", "", {"channel": self._config.channel})


def _made(folder: Path) -> Path:
    """The folder, its parents inside the workspace private too."""
    for parent in (folder.parent.parent, folder.parent):
        private_folder(parent)
    return folder


def _open_ledger(
    config: ServeConfig, folder: Path, state: StateFile, trust_root: TrustRoot, clock: Clock
) -> tuple[Ledger, RemoteSigner]:
    """The decision ledger, begun only where neither it nor its state was ever begun, and who signs its heads."""
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
    origin = decision_origin(config.workspace, config.project, config.channel)
    keys = trust_root.keys_of("decision-checkpoints")  # an earlier one may have signed the newest checkpoint
    signer = borrowed_signer(config.signer_fd, keys[-1], origin, home=Path(config.home))
    create = not state.now.ledger_begun  # also what a kill in the middle of the first start left of one
    ledger = Ledger.open(place, origin=origin, signer=signer, clock=clock, create=create, keys=keys)
    ledger.prepare_to_keep()
    state.change(ledger_begun=True)
    return ledger, signer
