"""All channels of one server: each is opened when it is first asked for, and put away when others need its memory.

Answers: is this model at hand, and if not, can it be? One that cannot be opened is refused alone and tried again later; the others
answer as if it were not there.
Does not answer: may this caller ask it? Nobody gets here who may not.

The first model's book stays open as long as the server does: what concerns the server as a whole is written there. Memory is judged by
what the process took when a model was opened, so the limit is one of what is kept at hand, not of what answers at this moment:
a model that answers is never put away.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sealwright.kernel import Clock, SealwrightError
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.book import Book
from sealwright.serving.channel import Channel
from sealwright.serving.config import ModelConfig, ServeConfig
from sealwright.serving.problems import NoSuchRoute, NotReady
from sealwright.serving.transport.events import EventLog
from sealwright.trust import TrustRoot

__all__ = ["Channels"]

_AGAIN_SECONDS = 5.0  # a model that could not be opened is not tried more often
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Channels:
    """Used on the event loop, but for `start`."""

    def __init__(
        self,
        config: ServeConfig,
        open_book: Callable[[ModelConfig], Book],
        runs: ModelRuns,
        trust_root: TrustRoot,
        clock: Clock,
        log: EventLog,
    ) -> None:
        """Open the book of the first model. Raises as `open_book`."""
        self._config, self._open_book, self._runs = config, open_book, runs
        self._trust_root, self._clock, self._log = trust_root, clock, log
        self._models = {model.project: model for model in config.models}
        self.first_book = open_book(config.first)
        self._open: dict[str, Channel] = {}  # whoever was asked last stands last
        self._refused: dict[str, float] = {}  # until when
        self._one_at_a_time = asyncio.Lock()

    @property
    def projects(self) -> Iterable[str]:
        return self._models.keys()

    @property
    def several(self) -> bool:
        return len(self._models) > 1

    @property
    def open(self) -> list[Channel]:
        """Those that are at hand."""
        return list(self._open.values())

    @property
    def books(self) -> list[Book]:
        """Every book that is open."""
        return [self.first_book, *(one.book for one in self.open if one.book is not self.first_book)]

    def start(self) -> None:
        """Open what is served alone; what is served beside others is opened when it is asked for.

        Raises
        ------
        SealwrightError
            It cannot be served.
        """
        if not self.several:
            channel = self._opened(self._config.first)
            self._open[channel.project] = channel

    # ---- on the path

    def at_hand(self, project: str) -> Channel | None:
        """A channel that is open."""
        found = self._open.get(project)
        if found is not None:
            found.asked = True
        return found

    async def of(self, project: str) -> Channel:
        """A channel, opened if need be.

        Raises
        ------
        NoSuchRoute
            It is not served here.
        NotReady
            It cannot be opened now.
        """
        model = self._models.get(project)
        if model is None:
            raise NoSuchRoute
        while (found := self.at_hand(project)) is None:
            if time.monotonic() < self._refused.get(project, 0.0):
                raise NotReady
            async with self._one_at_a_time:
                if project not in self._open and time.monotonic() >= self._refused.get(project, 0.0):
                    await self._bring(model)
        return found

    def not_ready(self, project: str) -> str:
        """Why a model of this server gets no traffic, or "". One that is not open yet is not known to be bad."""
        found = self._open.get(project)
        if found is not None:
            return found.not_ready()
        return "it could not be opened" if time.monotonic() < self._refused.get(project, 0.0) else ""

    # ---- beside it

    async def make_room(self) -> None:
        """Put away who was not asked for longest, until the others keep to the limit. Called once a second."""
        async with self._one_at_a_time:
            await self._put_away_for(None)

    async def close(self) -> None:
        """Close all of them, and the first one's book."""
        async with self._one_at_a_time:
            for channel in self.open:
                await self._put_away(channel)
        await asyncio.to_thread(self.first_book.close)

    async def _bring(self, model: ModelConfig) -> None:
        before = _resident()
        try:
            channel = await asyncio.to_thread(self._opened, model)
        except (SealwrightError, OSError) as error:
            self._refused[model.project] = time.monotonic() + _AGAIN_SECONDS
            code = error.code if isinstance(error, SealwrightError) else type(error).__name__
            self._log.tell("model_refused", project=model.project, kind=code, link=str(getattr(error, "link", "")))
            return
        channel.bytes = max(_resident() - before, 0)
        self._open[model.project] = channel
        self._log.tell("model_opened", project=model.project, megabytes=channel.bytes >> 20)
        await self._put_away_for(channel)

    def _opened(self, model: ModelConfig) -> Channel:
        book = self.first_book if model is self._config.first else self._open_book(model)
        try:
            channel = Channel(book, self._config, self._runs, self._trust_root, self._clock, self._log)
            channel.start()
        except BaseException:
            if book is not self.first_book:
                book.close()
            raise
        return channel

    async def _put_away_for(self, newest: Channel | None) -> None:
        for channel in self.open:  # whoever was asked since the last time goes to the end
            if channel.asked:
                channel.asked = False
                self._open[channel.project] = self._open.pop(channel.project)
        most = self._config.limits.models_mb << 20
        for channel in self.open:
            if sum(one.bytes for one in self._open.values()) <= most:
                return
            if channel.idle and channel is not newest:
                await self._put_away(channel)
                self._log.tell("model_put_away", project=channel.project, megabytes=channel.bytes >> 20)

    async def _put_away(self, channel: Channel) -> None:
        """Nobody is let in any more from here on; whoever asks for it again waits until it is closed."""
        del self._open[channel.project]
        await channel.budgets.close()
        await asyncio.to_thread(channel.close)
        if channel.book is not self.first_book:
            await asyncio.to_thread(channel.book.close)


def _resident() -> int:
    """Bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE
