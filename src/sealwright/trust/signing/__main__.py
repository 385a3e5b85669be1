"""The entry of a signer that belongs to one command: `python -I -c … --line-fd N`, what opens the keys on standard input.

It serves the one socket it was started with, and those that come in over it, and ends with the last of them: with
whoever started it, or with the server it was lent to.
"""

import contextlib
import os
import socket
import sys
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.trust.signing.courier import part_dispatcher
from sealwright.trust.signing.couriers import Couriers
from sealwright.trust.signing.hygiene import guard_memory, shut_doors
from sealwright.trust.signing.messages import Failed, encode
from sealwright.trust.signing.opening import MOST_OPENING_BYTES, Opening

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Open the keys, serve, and return 0, or the exit code of why not."""
    guard_memory()
    os.umask(0o077)
    couriers = Couriers(part_dispatcher())  # before anything secret is here
    line = socket.socket(fileno=int(arguments[arguments.index("--line-fd") + 1]))
    line.set_inheritable(False)
    try:
        opening = Opening.from_bytes(_everything(0))
        from sealwright.trust.signing.server import SignerServer
        from sealwright.trust.signing.service import CONTROL, SigningService
        from sealwright.trust.signing.vault import open_vault, vault_of

        folder, key_file = Path(opening.folder), opening.key_file
        vault = vault_of(folder, opening.how, couriers) if key_file is None else open_vault(folder, key_file, couriers)
        service = SigningService(vault)
    except SealwrightError as error:
        line.settimeout(5.0)
        with contextlib.suppress(OSError):  # whoever started us may be gone
            line.sendall(encode(Failed(code=error.code, message=str(error), link=getattr(error, "link", ""))))
        return error.exit_code
    del opening, vault
    shut_doors()
    server = SignerServer(service)
    server.add(line, CONTROL)
    server.run()
    return 0


def _everything(descriptor: int) -> bytes:
    data = b""
    while len(data) <= MOST_OPENING_BYTES and (more := os.read(descriptor, MOST_OPENING_BYTES)):
        data += more
    os.close(descriptor)
    return data


if __name__ == "__main__":
    status = main(sys.argv)
    sys.stderr.flush()
    os._exit(status)  # nothing is left to tidy up, and whoever closed the line waits for us
