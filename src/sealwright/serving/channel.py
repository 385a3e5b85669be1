"""One project's channel, open for requests: who answers, what callers may ask, and how all of it goes on record.

Answers: everything about one model that a server needs, and nothing of another's: a process that serves many opens one of these for each,
and no part of it is shared with a second one.
Does not answer: who asks. `reception` has settled that.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sealwright.kernel import Clock, SealwrightError
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.arm_counts import ArmCounts
from sealwright.serving.book import Book
from sealwright.serving.budgets.budgets import Admitted, Budgets
from sealwright.serving.budgets.counting import open_counters
from sealwright.serving.config import ServeConfig
from sealwright.serving.deciding import Decider
from sealwright.serving.holder import Holder
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.places import timing_scope
from sealwright.serving.problems import NoSuchRoute
from sealwright.serving.reply import AskedOf
from sealwright.serving.served import Served
from sealwright.serving.shadow_records import ShadowRecord, ShadowSealer
from sealwright.serving.shadowing import Shadowing
from sealwright.serving.timing import Times
from sealwright.serving.tokens import Caller
from sealwright.serving.transport.events import EventLog
from sealwright.serving.usage import Usage
from sealwright.serving.watching import Watching
from sealwright.trust import Entry, TrustRoot

__all__ = ["Channel"]

_USAGE_EVERY = 60  # looks


class Channel:
    """Used on the event loop, but for `start` and `close`, which take a moment."""

    def __init__(
        self, book: Book, config: ServeConfig, runs: ModelRuns, trust_root: TrustRoot, clock: Clock, log: EventLog
    ) -> None:
        """Nothing is verified yet: `start` does."""
        model, home = book.model, Path(config.home)
        self.model, self.project, self.book, self.decisions = model, model.project, book, book.decisions
        self.timing = timing_scope(model.project)
        self._log = log
        self.decisions.bound(config.limits)
        note, name_of = self.decisions.note, self.decisions.name_of
        self.holder = Holder(
            home=home,
            project=model.project,
            channel=model.channel,
            trust_root=trust_root,
            state=book.state,
            clock=clock,
            most_rows=model.rows,
            note=note,
            runs=runs,
        )
        self._usage = Usage(note, name_of)
        self.budgets = Budgets(
            model.budgets,
            open_counters(
                config.counting,
                folder=model.folder(home),
                name=f"{config.workspace}/{model.project}/{model.channel}",
            ),
            name_of=name_of,
            tell=log.tell,
        )
        self._counts = ArmCounts(note)
        self._shadowing = Shadowing(self._keep_shadows, self._counts)
        self._watching = Watching(self._counts, self._shadowing)
        self.decider = Decider(self.decisions, self._usage, self.budgets, config.limits)
        self.under_way = 0  # requests that were let in and have not ended
        self.asked = True  # since somebody looked
        self.bytes = 0  # of memory, as far as that can be told
        self._looks = 0

    def start(self) -> None:
        """Verify and load what was released. Raises as `Holder.start`."""
        self.holder.start()

    # ---- answering

    def inquiry(
        self,
        version: str,
        body: bytes,
        protocol_of: Callable[[Served], AskedOf],
        caller: Caller,
        source: str,
        done: Any,
        *,
        person: str = "",
        gpc: bool = False,
        times: Times | None = None,
        admitted: Admitted | None = None,
        seconds: float | None = None,
    ) -> Inquiry:
        """A request begun: for the version that was named, else for the arm that this person falls to. The rest as `Inquiry`.

        Raises
        ------
        NoSuchRoute, NotReady
        """
        arms = self.holder.arms()
        served = arms.numbered(version) if version else arms.choose(person, body)
        if served is None:
            raise NoSuchRoute
        inquiry = Inquiry(
            served,
            protocol_of(served),
            body,
            caller,
            source,
            done,
            person,
            gpc,
            times,
            admitted,
            bool(version),
            seconds,
        )
        if arms.several:
            self._watching.watch(inquiry, arms.shadows)
        return inquiry

    def served(self, version: str) -> Served:
        """The model that answers now, of this version ("" for the champion). Raises `NoSuchRoute`, `NotReady`."""
        arms = self.holder.arms()
        served = arms.numbered(version) if version else arms.champion
        if served is None:
            raise NoSuchRoute
        return served

    def not_ready(self) -> str:
        """Why no traffic should come here now, or ""."""
        return self.holder.not_ready() or self.decisions.not_ready()

    @property
    def idle(self) -> bool:
        """Whether nobody waits for anything here."""
        return not (self.under_way or self.decider.waiting)

    # ---- beside the path of requests

    async def look(self) -> list[str]:
        """Take what was released or withdrawn, and see whether a ledger that took nothing takes something again.

        Returns the names of what failed; the rest was done. Called once a second.
        """
        steps = [self._refresh, self._write_late, self._try_to_record]
        self._looks += 1
        if self._looks % _USAGE_EVERY == 0:
            steps.append(self._write_usage)
        failed = []
        for step in steps:
            try:
                await step()
            except (SealwrightError, OSError) as error:
                failed.append(type(error).__name__)
        return failed

    async def tell_arms(self) -> None:
        """How each arm of a rollout does. Raises `NotRecorded`."""
        await asyncio.to_thread(self._counts.write)

    async def _refresh(self) -> None:
        await asyncio.to_thread(self.holder.refresh)

    async def _try_to_record(self) -> None:
        if self.decisions.not_ready():
            await asyncio.to_thread(self.decisions.note, "serving.recording_tried", "", {})

    async def _write_late(self) -> None:
        """Which recorded decisions nobody was told, into the ledger: their record alone looks like any other."""
        late = self.decisions.take_late()
        if late:
            await asyncio.to_thread(self.decisions.note_late, late)

    async def _write_usage(self) -> None:
        """What was asked since the last time, into the ledger; kept for the next time if it takes nothing."""
        found = self._usage.take()
        try:
            await asyncio.to_thread(self._usage.write, found)
        except SealwrightError:
            self._usage.give_back(found)
            raise

    def _keep_shadows(self, records: Sequence[ShadowRecord]) -> None:
        """What shadows would have said, beside what was said."""

        def made(key: bytes, place: str) -> list[Entry]:
            sealer = ShadowSealer(key, self.project, place)
            return [sealer.entry(one) for one in records]

        self.decisions.file_beside(made)

    # ---- the end

    def close(self) -> None:
        """Write what was counted since the last time, and that serving ended. The book stays open."""
        self._shadowing.close()
        self.decider.close()
        with contextlib.suppress(SealwrightError):  # a ledger that takes nothing has said so
            self._usage.write(self._usage.take())
            self.decisions.note_late(self.decisions.take_late())
            self._counts.write()
            self.decisions.note("serving.stopped", "", {"channel": self.model.channel})
