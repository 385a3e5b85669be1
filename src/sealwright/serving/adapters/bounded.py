"""Model runs within bounds: none lasts longer than it may, and one that wants too much memory fails alone.

Answers: how does a run end that would not end by itself, and what becomes of a process in which one does not?
Does not answer: how long may a request take? That is more than its run: `answer_seconds` of the transport.

A run over its seconds is told to stop and stops before its next operator. A single operator that does not return cannot be stopped by
anybody but the kernel, so the process then says that it is not ready and, a while later, ends: answers under way first, if there still
are any. Half a process that answers some requests and holds the others for ever would look alive to its supervisor; one that has ended is started anew.
Runs beside the answers, on the threads named in `ASIDE`, never end the process: their arm has failed, and the champion goes on.

How much memory they take is bounded in `memory`; here a run that wanted more gets its name.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import get_ident
from time import perf_counter, sleep
from typing import Any

import onnxruntime

from sealwright.kernel import OperationFailed
from sealwright.serving.adapters.memory import load_within
from sealwright.serving.problems import ModelTooLarge, ModelTooSlow

__all__ = ["ASIDE", "ModelRuns", "Run", "free_run"]

ASIDE = ("challengers", "shadows")
"""How the threads are named on which models run whose answers nobody waits for but their own callers."""

_STUCK, _LOST = 2, 5  # times what a run may take: it does not stop when told; it never will
_LOOKS = 8  # in the time a run may take
_FATAL_ONLY = 4
_LONG = 0.05  # seconds; a run that took so long may have taken memory that is not needed again
_OUT_OF_MEMORY = ("bfc_arena", "bad_alloc", "Failed to allocate memory", "MemoryError")

Run = Callable[[Any, Sequence[str], Mapping[str, Any]], Sequence[Any]]
"""Runs a session: its outputs by name, what it is fed."""


def free_run(session: Any, outputs: Sequence[str], feeds: Mapping[str, Any]) -> Sequence[Any]:
    """Without bounds: where a model is run outside of a server."""
    found: Sequence[Any] = session.run(outputs, feeds)
    return found


class _UnderWay:
    """One run: since when (0.0: over), on which thread, and the handle that stops it."""

    __slots__ = ("began", "kept", "options", "thread")

    def __init__(self, *, shrinks: bool) -> None:
        """`shrinks`: the arena gives back what it holds unused when this run is over, and the handle is used once."""
        self.began, self.thread, self.kept = 0.0, 0, not shrinks
        self.options = onnxruntime.RunOptions()
        self.options.log_severity_level = _FATAL_ONLY
        if shrinks:
            self.options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")


class ModelRuns:
    """The runs of one process, and the thread that watches them. It sleeps while none lasts."""

    def __init__(
        self, seconds: float, megabytes: int, *, tell: Callable[..., None], end: Callable[[bool], None]
    ) -> None:
        """
        Parameters
        ----------
        seconds : float
            What one run may take.
        megabytes : int
            What it may take to load a model, beside its weights.
        tell : callable
            Takes events: a name, and plain facts.
        end : callable
            Ends the process in good order, or at once where True is given: its main thread itself is held. Called once, on the watching thread.
        """
        self._seconds, self._megabytes, self._tell, self._end = seconds, megabytes, tell, end
        self._free: list[_UnderWay] = []
        self._all: set[_UnderWay] = set()
        self._changing = threading.Lock()  # of `_all`
        self._asleep, self._wake = True, threading.Event()
        self._swollen = False  # the last long run may have left memory behind
        self._told: set[_UnderWay] = set()
        self._lost = False
        self._unhurried: set[int] = set()  # threads
        threading.Thread(target=self._watch, name="model-runs", daemon=True).start()

    def run(self, session: Any, outputs: Sequence[str], feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run a session, as far as its bounds go. The bounds cost half a microsecond.

        Raises
        ------
        ModelTooSlow, ModelTooLarge
            It took too long, or wanted too much memory.
        OperationFailed
            It failed. What the library says about it may hold values of rows, so it is dropped.
        """
        one = self._free.pop() if self._free and not self._swollen else self._another()
        one.thread = get_ident()
        one.began = began = perf_counter()
        if self._asleep:
            self._asleep = False
            self._wake.set()
        try:
            found: Sequence[Any] = session.run(outputs, feeds, one.options)
        except Exception as error:  # noqa: BLE001 - the library raises many types
            one.kept = False
            if one.options.terminate and perf_counter() - began < self._seconds:
                return self.run(session, outputs, feeds)  # it was meant for the run before, on the same handle
            raise self._reason(one, error) from None
        finally:
            took, one.began = perf_counter() - began, 0.0
            if one.kept:
                self._free.append(one)
            else:
                self._drop(one)
        if took > _LONG:
            self._swollen = True
        return found

    def loading(self, size: int) -> contextlib.AbstractContextManager[None]:
        """While a model of that many bytes is loaded. Raises `MemoryError` inside, or makes the library raise."""
        return load_within(size, self._megabytes)

    @contextlib.contextmanager
    def unhurried(self) -> Iterator[None]:
        """On this thread runs may take as long as they do: where a model is looked at with many rows, and nobody waits for an answer."""
        self._unhurried.add(get_ident())
        try:
            yield
        finally:
            self._unhurried.discard(get_ident())

    @property
    def lost(self) -> bool:
        """Whether this process ends because of a run."""
        return self._lost

    def not_ready(self) -> str:
        """Why traffic should go elsewhere, or ""."""
        return "a model run does not end" if self.stuck() else ""

    def stuck(self, *, aside: bool = False) -> bool:
        """Whether some run does not stop that was told to; those beside the answers count where `aside` says so."""
        now = perf_counter()
        late = [one for one in tuple(self._all) if one.began and now - one.began > _STUCK * self._seconds]
        late = [one for one in late if one.thread not in self._unhurried]
        return any(aside or not _is_aside(one.thread) for one in late)

    def _another(self) -> _UnderWay:
        one = _UnderWay(shrinks=self._swollen)
        self._swollen = False
        with self._changing:
            self._all.add(one)
        return one

    def _drop(self, one: _UnderWay) -> None:
        with self._changing:
            self._all.discard(one)
            self._told.discard(one)

    def _reason(self, one: _UnderWay, error: Exception) -> Exception:
        text = f"{type(error).__name__} {error}"
        if any(word in text for word in _OUT_OF_MEMORY):
            self._swollen = True
            return ModelTooLarge()
        if one.options.terminate:
            return ModelTooSlow()
        return OperationFailed(f"The model could not run on this request ({type(error).__name__}).")

    # The watching thread.

    def _watch(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while not self._asleep:
                sleep(self._seconds / _LOOKS)
                self._asleep = True
                with self._changing:
                    lasting = [one for one in self._all if one.began]
                if lasting:  # else whoever begins from now on wakes this thread
                    self._asleep = False
                    self._look(lasting)

    def _look(self, lasting: Sequence[_UnderWay]) -> None:
        now = perf_counter()
        for one in lasting:
            took = now - one.began
            if not one.began or took < self._seconds or one.thread in self._unhurried:
                continue
            one.kept, one.options.terminate = False, True
            if took > _STUCK * self._seconds and one not in self._told:
                self._told.add(one)
                self._tell("model_run_stuck", seconds=round(took, 1))
            if took > _LOST * self._seconds and not self._lost and not _is_aside(one.thread):
                self._lost = True
                self._tell("model_run_lost", seconds=round(took, 1))
                self._end(one.thread == threading.main_thread().ident)


def _is_aside(thread: int) -> bool:
    named = next((one.name for one in threading.enumerate() if one.ident == thread), "")
    return named.startswith(ASIDE)
