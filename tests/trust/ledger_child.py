"""A process that records until it is killed or the disk is full. Run by test_ledger_crash; not a test itself.

python ledger_child.py load FOLDER              8 threads; one line per acknowledged entry on stdout
python ledger_child.py fill FOLDER LIMIT ROOM   record until it fails, make room, go on; JSON on stdout
"""

import json
import os
import resource
import sys
import threading
from pathlib import Path

from sealwright.trust import Entry, Ledger, LedgerUnavailable, LocalSigner

ORIGIN = "example.org/ws_1/crash"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)


def load(folder: Path) -> None:
    ledger = Ledger.open(folder, origin=ORIGIN, signer=SIGNER, create=True)

    def work(worker: int) -> None:
        number = 0
        while True:
            attachment = os.urandom(200) if number % 2 else None
            done = ledger.append("load.made", f"{os.getpid()}-{worker}-{number}", {"n": number}, attachment)
            line = {"i": done.index, "leaf": done.leaf.decode(), "note": done.checkpoint.decode()}
            os.write(1, json.dumps(line).encode() + b"\n")  # shorter than PIPE_BUF: written whole
            number += 1

    for worker in range(8):
        threading.Thread(target=work, args=(worker,), daemon=True).start()
    threading.Event().wait()


def fill(folder: Path, limit: int, room: str) -> None:
    """`limit` > 0: RLIMIT_FSIZE in bytes, lifted afterwards; else `room` is a file on a full disk, deleted afterwards."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    acknowledged, refusals = [], []
    with Ledger.open(folder, origin=ORIGIN, signer=SIGNER, create=True) as ledger:
        for size in (2000, 700, 10):  # ever smaller, so that entries.log or checkpoints.log meets the limit first
            for number in range(2000):
                entry = Entry(action="fill.made", subject=f"{size}-{number}", detail={}, attachment=b"x" * size)
                try:
                    acknowledged += [[done.index, done.leaf.decode()] for done in ledger.append_many([entry, entry])]
                except LedgerUnavailable as error:
                    refusals.append(str(error))
                    break
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            Path(room).unlink()
        done = ledger.append("fill.again", "after", {})
        acknowledged.append([done.index, done.leaf.decode()])
    print(json.dumps({"acknowledged": acknowledged, "refusals": refusals}))


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(Path(sys.argv[2]))
    else:
        fill(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
