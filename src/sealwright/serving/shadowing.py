"""Shadows: after an answer was given, the same rows are run on another model, and both are written down side by side.

Answers: what would that model have said? On a thread of its own, off the path of answers.
Does not answer: anybody. A shadow that fails, is slow or is refused by its own contract changes no answer.

What waits is bounded in requests and bytes. Beyond that a request is not copied, and that is counted: the counts say, for each
shadow, how many were compared, failed and left out, and they add up to what was answered.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sealwright.kernel import InvalidInput, SealwrightError
from sealwright.serving.arm_counts import ArmCounts
from sealwright.serving.contract import Batch
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.outcome import outcome_of
from sealwright.serving.problems import HttpRefusal, ModelFailed
from sealwright.serving.protocol_oip import OipBinary
from sealwright.serving.shadow_records import ShadowRecord
from sealwright.serving.told import told_by

if TYPE_CHECKING:
    from sealwright.serving.served import Served

__all__ = ["Shadowing"]

_MOST_WAITING = 512  # requests
_MOST_BYTES = 16 << 20  # of their bodies
_AT_ONCE = 256  # records in one writing to the ledger
_GATHER_SECONDS = 0.05  # so that one writing serves many; nobody waits for a shadow

_Keep = Callable[[Sequence[ShadowRecord]], None]


class Shadowing:
    """Copies of one server. `offer` on the event loop; the rest on the thread it starts with the first copy."""

    def __init__(self, keep: _Keep, counts: ArmCounts) -> None:
        """`keep`: writes records down, durably; raises SealwrightError if it cannot."""
        self._keep, self._counts = keep, counts
        self._waiting: deque[tuple[Inquiry, Served]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def offer(self, one: Inquiry, shadows: "Sequence[Served]") -> None:
        """Copy an answered request, if there is room."""
        for shadow in shadows:
            with self._changed:
                full = len(self._waiting) >= _MOST_WAITING or self._bytes + len(one.body) > _MOST_BYTES
                if not full and not self._closing:
                    self._waiting.append((one, shadow))
                    self._bytes += len(one.body)
                    self._changed.notify()
                    self._start()
                    continue
            self._counts.left_out(shadow)

    def close(self) -> None:
        """Finish what runs, and count what still waits as left out."""
        with self._changed:
            self._closing = True
            left, self._waiting = list(self._waiting), deque()
            self._changed.notify()
        for _, shadow in left:
            self._counts.left_out(shadow)
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="shadows", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while copies := self._take():
            done = [_copied(one, shadow) for one, shadow in copies]
            try:
                self._keep(done)
            except SealwrightError:
                for _, shadow in copies:
                    self._counts.left_out(shadow)
                continue
            for (_, shadow), record in zip(copies, done, strict=True):
                if record.failed == "refused":
                    self._counts.refused(shadow)
                elif record.failed:
                    self._counts.failed(shadow)
                else:
                    self._counts.answered(shadow, record.milliseconds / 1e3)

    def _take(self) -> "list[tuple[Inquiry, Served]]":
        """What to copy next; nothing once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: self._closing, timeout=_GATHER_SECONDS)
            if self._closing:
                return []
            taken = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            self._bytes -= sum(len(one.body) for one, _ in taken)
            return taken


def _copied(one: Inquiry, shadow: "Served") -> ShadowRecord:
    """The same request, read and run as this shadow would have done it."""
    began, failed, said = time.perf_counter(), "", []
    try:
        rows = one.asked.count
        batch, found = shadow.answering.checked(_rows_for(one, shadow))
        outcome = outcome_of(shadow.contract, rows, shadow.engine.run(batch))
        said = told_by(shadow.answering.judged(found, outcome).of(0, rows))
    except HttpRefusal as refusal:
        failed = "failed" if isinstance(refusal, ModelFailed) else "refused"
    except Exception:  # noqa: BLE001 - whatever a shadow does, it is written down, and nobody else is touched
        failed = "failed"
    return ShadowRecord(
        decision=one.decision,
        project=shadow.contract.project,
        arm=shadow.arm,
        number=shadow.number,
        package=shadow.package,
        sequence=shadow.sequence,
        answered_by=one.served.package,
        told=told_by(one.outcome),
        shadow=said,
        failed=failed,
        milliseconds=(time.perf_counter() - began) * 1e3,
    )


def _rows_for(one: Inquiry, shadow: "Served") -> Batch:
    """The rows as the shadow takes them: as they were read, where both read the same, else read as it would have read them."""
    ours, theirs = one.served.answering.asked, shadow.answering.asked
    same = (ours.features, ours.numbers, ours.strings) == (theirs.features, theirs.numbers, theirs.strings)
    asked = one.asked if same else _read_by(one, shadow)
    batch: Batch | None = asked.batch
    return shadow.contract.pack(asked.rows) if batch is None else batch


def _read_by(one: Inquiry, shadow: "Served") -> Any:
    """The body, read as the shadow reads the form it came in. Raises `HttpRefusal`."""
    from sealwright.serving import protocol_arrow, protocol_csv  # only now: most servers never read a table

    protocol = one.protocol
    match protocol.media:
        case "named":
            return shadow.named.read(one.body)
        case "named-arrow":
            return protocol_arrow.read_table(shadow.named, one.body)
        case "named-csv":
            return protocol_csv.read_table(shadow.named, one.body)
        case "oip":
            return shadow.oip.read(one.body)
        case "oip-binary" if isinstance(protocol, OipBinary):
            return OipBinary(shadow.oip, protocol._head).read(one.body)  # noqa: SLF001 (how long its JSON is stands nowhere else)
        case "oip-grpc":
            kind: Any = type(protocol)  # not imported: its room knows channels, and those know shadows
            # under the champion's number: a caller who named a version named that one
            return kind(shadow.oip, project=shadow.contract.project, number=one.served.number).read(one.body)
    raise InvalidInput(f"Shadows do not read the form {protocol.media!r}.")
