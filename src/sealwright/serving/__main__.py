"""The entry of the serving process: `python -m sealwright.serving --config-fd N [--status-fd M]`.

Its settings, with the keys in them, come through the descriptor: four bytes of length (big endian),
then JSON. They are never an argument, an environment variable or a file. One line of JSON on the
status descriptor says where it listens, or why it did not start.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable

from sealwright.kernel import InvalidInput, SealwrightError
from sealwright.serving.config import MOST_CONFIG_BYTES, ServeConfig
from sealwright.serving.transport.process_hygiene import raise_open_files
from sealwright.trust import guard_memory


def main(arguments: list[str] | None = None) -> int:
    """Read the settings, serve, and return the exit status (0 stopped in order, 4 verification failed, …)."""
    parser = argparse.ArgumentParser(prog="python -m sealwright.serving", description="Started by `sealwright serve`.")
    parser.add_argument("--config-fd", type=int, required=True)
    parser.add_argument("--status-fd", type=int)
    asked = parser.parse_args(arguments)
    guard_memory()
    raise_open_files()
    status = _Status(asked.status_fd)
    try:
        config = _read_config(asked.config_fd)
        lifeline = asked.config_fd if config.lifeline else None
        if lifeline is None:
            os.close(asked.config_fd)

        def ready(port: int, grpc_port: int | None) -> None:
            status.tell({"port": port, "grpc_port": grpc_port})

        _chosen(config)(config, ready=ready, lifeline=lifeline)
    except SealwrightError as error:
        link = getattr(error, "link", "")
        if not status.tell({"exit_code": error.exit_code, "message": str(error), "link": link}):
            sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _chosen(config: ServeConfig) -> Callable[..., None]:
    """What this process does; imported after the guard, and only if there is something to serve."""
    if config.workers > 1:
        from sealwright.serving.workers.keeper import keep

        return keep
    from sealwright.serving.server import serve

    return serve


def _read_config(descriptor: int) -> ServeConfig:
    size = int.from_bytes(_read_exactly(descriptor, 4), "big")
    if not 0 < size <= MOST_CONFIG_BYTES:
        raise InvalidInput("The settings handed to the server have an impossible length.")
    return ServeConfig.from_bytes(_read_exactly(descriptor, size))


def _read_exactly(descriptor: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        try:
            chunk = os.read(descriptor, count - len(data))
        except OSError as error:
            raise InvalidInput(f"The settings cannot be read from descriptor {descriptor}: {error.strerror}.") from None
        if not chunk:
            raise InvalidInput("The settings handed to the server end too early.")
        data += chunk
    return data


class _Status:
    """The way to whoever started us: one word, once, then closed, so that the number is never another file's."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def tell(self, facts: dict[str, object]) -> bool:
        """Whether somebody was told; if not, it belongs on standard error."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return False
        try:
            os.write(descriptor, json.dumps(facts).encode() + b"\n")
            os.close(descriptor)
        except OSError:
            return False  # nobody listens any more
        return True


if __name__ == "__main__":
    sys.exit(main())
