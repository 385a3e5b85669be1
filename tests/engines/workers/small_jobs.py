"""Jobs small enough to look through: what is asked for, on the bytes that were given."""

import os
import sys
import time

from sealwright.engines import Do, Material, serve
from sealwright.kernel import Refused


def prepare(material: Material) -> Do:
    print("a library says hello")  # must not mix with answers
    asked = 0

    def do(job: bytes) -> bytes:
        nonlocal asked
        asked += 1
        word, _, rest = job.partition(b" ")
        if word == b"refuse":
            raise Refused("Not this one.\nDo another.")
        if word == b"fail":
            raise ZeroDivisionError("a fault of ours")
        if word == b"die":
            print("last words", file=sys.stderr, flush=True)
            os._exit(9)
        if word == b"wait":
            time.sleep(float(rest))
        if word == b"variables":
            return "\n".join(f"{name}={value}" for name, value in sorted(os.environ.items())).encode()
        if word == b"process":
            return str(os.getpid()).encode()
        return b"%s:%d:%s" % (rest, asked, bytes(material[word.decode()])[-3:]) if word.decode() in material else rest

    return do


if __name__ == "__main__":
    serve(prepare)
