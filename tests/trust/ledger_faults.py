"""Kills a recording process again and again, on a disk that fills up and turns read-only. Run by test_ledger_faults.

python ledger_faults.py FOLDER ROUNDS SEED mount|limit     JSON on standard output

FOLDER/disk    the ledger; with "mount" a small tmpfs of its own (needs root and a mount namespace), else faults are RLIMIT_FSIZE
FOLDER/effects one empty file for each effect that happened: on another disk, which never fails

Each round forks a process with four threads. Two append and say what was acknowledged. Two record events through
`LedgerAudit` and then do something that lasts (a file): the audit first, the effect second. Then comes a fault, or none,
and then SIGKILL. The parent has no threads and imports nothing anew, so a round takes milliseconds. A forked process has no
connection to a signer, so the key is in memory here; kills of signers are tried in signing/test_heads.
"""

import hashlib
import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from sealwright.kernel import SealwrightError
from sealwright.trust import (
    Event,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LedgerUnavailable,
    LocalSigner,
    Secret,
    create_keyring,
)
from sealwright.trust.signing.vault import open_vault

ORIGIN = "sealwright/ws_test/ledger"
_PAUSE = 0.002  # seconds before a refused thread tries again
_PATIENCE = 3.0  # seconds the parent waits for a line


# ---- the process that is killed


def record(folder: Path, ring: Keyring, signer: LocalSigner, number: int, out: int) -> None:
    """Open the ledger and record until killed; ends by itself where it cannot even be opened."""

    def say(kind: str, *what: object) -> None:
        os.write(out, json.dumps([kind, *what]).encode() + b"\n")  # shorter than PIPE_BUF: written whole

    try:
        ledger = Ledger.open(folder / "disk" / "ledger", origin=ORIGIN, signer=signer, create=True)
    except SealwrightError as error:
        say("closed", error.code, str(error))
        os._exit(0)
    audit = LedgerAudit(ledger, ring)

    def append(worker: int) -> None:
        count = 0
        while True:
            try:
                done = ledger.append("load.made", f"{number}-{worker}-{count}", {"n": count}, os.urandom(count % 300))
                say("kept", done.index, hashlib.sha256(done.leaf).hexdigest(), done.checkpoint.decode())
            except LedgerUnavailable:
                say("refused")
                time.sleep(_PAUSE)
            count += 1

    def act(worker: int) -> None:
        count = 0
        while True:
            request = f"req_{number:04d}_{worker}_{count}"
            try:
                audit.record(Event(action="model.promote", outcome="done", actor="ada", request=request))
            except LedgerUnavailable:
                say("refused")
                time.sleep(_PAUSE)
            else:
                (folder / "effects" / request).touch()
                say("done", request)
            count += 1

    for place, work in enumerate((append, append, act, act)):
        threading.Thread(target=work, args=(place,), daemon=True).start()
    threading.Event().wait()


# ---- the one who kills


class Rounds:
    """All rounds, and what was seen in them."""

    def __init__(self, folder: Path, seed: int, *, mount: bool) -> None:
        self.folder, self.disk, self.mount, self.rng = folder, folder / "disk", mount, random.Random(seed)
        unlock = InsecurePassphraseForTests(Secret("for tests only"))
        self.ring = create_keyring(folder / "keys", "ws_test", unlock)
        self.signer = open_vault(folder / "keys", unlock).signers["checkpoints"]
        self.kept: dict[int, str] = {}
        self.notes: list[str] = []
        self.done: list[str] = []
        self.faults: dict[str, int] = {}
        self.refused = self.closed = self.contradicted = 0

    def one(self, number: int) -> None:
        kinds = ["kill", "kill", "full", "full, then room", "full at the start"]
        kind = self.rng.choice([*kinds, "read-only at the start"] if self.mount else kinds)
        self.faults[kind] = self.faults.get(kind, 0) + 1
        if kind == "full at the start":
            self.fill()
        if kind == "read-only at the start":
            self.remount("ro")
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            if kind == "full at the start" and not self.mount:
                self.limit(0)
            record(self.folder, self.ring, self.signer, number, write)
        os.close(write)
        with os.fdopen(read, "rb") as lines:
            self.watch(lines, child, kind)
        os.waitpid(child, 0)
        if kind == "read-only at the start":
            self.remount("rw")
        self.room()

    def watch(self, lines: IO[bytes], child: int, kind: str) -> None:
        self.hear(lines, self.rng.randrange(1, 60))
        if kind.startswith("full") and "start" not in kind:
            self.fill(child)
            self.hear(lines, self.rng.randrange(1, 60))
            if "room" in kind:
                self.room(child)
                self.hear(lines, self.rng.randrange(1, 60))
        time.sleep(self.rng.random() * 0.003)
        os.kill(child, signal.SIGKILL)
        for line in lines:  # what the dead process had still said
            self.take(line)

    def hear(self, lines: IO[bytes], count: int) -> None:
        for _ in range(count):
            # A buffered reader may hold a line already, so ask it first.
            if not lines.peek(1) and not select.select([lines], [], [], _PATIENCE)[0]:  # type: ignore[attr-defined]
                raise SystemExit("the recording process fell silent")
            line = lines.readline()
            if not line:
                return
            self.take(line)

    def take(self, line: bytes) -> None:
        kind, *what = json.loads(line)
        if kind == "kept":
            self.contradicted += self.kept.setdefault(what[0], what[1]) != what[1]
            self.notes = [*self.notes[-400:], what[2]]
        elif kind == "done":
            self.done.append(what[0])
        else:
            self.refused += kind == "refused"
            self.closed += kind == "closed"

    # ---- faults

    def fill(self, child: int = 0) -> None:
        if not self.mount:
            if child:
                self.limit(child)
            return
        with (self.disk / "ballast").open("wb", buffering=0) as stream:
            try:
                while stream.write(bytes(1 << 18)):
                    pass
            except OSError:
                pass
            stream_end = stream.tell()
        if self.rng.random() < 0.5:  # leave a little, so that it runs full in the middle of something
            os.truncate(self.disk / "ballast", max(0, stream_end - self.rng.randrange(1, 12_000)))

    def limit(self, process: int) -> None:
        """No file of the process may grow by more than a little."""
        sizes = [path.stat().st_size for path in (self.disk / "ledger").glob("*.log")]
        soft = max(sizes, default=0) + self.rng.randrange(4000)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def room(self, child: int = 0) -> None:
        (self.disk / "ballast").unlink(missing_ok=True)
        if not self.mount and child:
            resource.prlimit(child, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.disk)], check=True)

    def result(self) -> dict[str, object]:
        with Ledger.open(
            self.disk / "ledger", origin=ORIGIN, signer=self.signer
        ) as ledger:  # mends what the last kill left
            entries = list(ledger.entries())
        leaves = [hashlib.sha256(entry.leaf).hexdigest() for entry in entries]
        told = {entry.detail.get("request") for entry in entries}
        effects = {path.name for path in (self.folder / "effects").iterdir()}
        return {
            "entries": len(leaves),
            "acknowledged": len(self.kept),
            "lost": [i for i, leaf in self.kept.items() if i >= len(leaves) or leaves[i] != leaf],
            "contradicted": self.contradicted,
            "effects": len(effects),
            "effects without an entry": sorted(effects - told)[:5],
            "done without an effect": sorted(set(self.done) - effects)[:5],
            "recovered": sum(entry.action == "ledger.recovered" for entry in entries),
            "refused": self.refused,
            "closed": self.closed,
            "faults": self.faults,
            "notes": self.notes[:: max(1, len(self.notes) // 60)],
            "public": self.signer.public().pem,
        }


def main() -> None:
    folder, rounds, seed, how = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    disk = folder / "disk"
    disk.mkdir(mode=0o700)
    (folder / "effects").mkdir()
    if how == "mount":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "none", str(disk)], check=True)
    made = Rounds(folder, seed, mount=how == "mount")
    for number in range(rounds):
        made.one(number)
    found = made.result()
    if how == "mount":
        subprocess.run(["cp", "-r", str(disk / "ledger"), str(folder / "after")], check=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
