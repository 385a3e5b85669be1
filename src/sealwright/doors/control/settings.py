"""The settings of a control server: what the command line says, over what a file says, over the defaults.

Answers: which transport, which contact? Unknown settings are refused. The file is YAML of its own, not part of a project:
one control server serves a whole workspace.
"""

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.kernel import InvalidInput, Refused, read_limited, strict_yaml
from sealwright.pipeline import Workspace, tls_folder
from sealwright.serving import Transport, allowed_hosts, read_transport
from sealwright.trust import server_certificate

__all__ = ["ControlSettings", "control_settings"]

_MOST_BYTES = 64 * 1024
_PORT = 8444
_HTTPS = 443
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"})  # noqa: S104 - names to look at, not to bind
_BODY_BYTES = 64 * 1024  # forms and small JSON; nothing is uploaded
_CONNECTIONS_PER_CLIENT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """A checked transport, and what is not transport."""

    transport: Transport
    ca: Path | None  # for clients, where the certificate is ours
    security_contact: str = ""
    origin: str = ""  # where browsers find it, e.g. "https://control.example.org"


def control_settings(workspace: Workspace, file: Path | None, options: Mapping[str, Any]) -> ControlSettings:
    """Put the settings together and see that they are safe.

    Parameters
    ----------
    options : mapping
        Settings of `Transport` from the command line; None where nothing was said. "hosts" are further names.

    Raises
    ------
    InvalidInput, Refused, KeyFileUnsafe
        A setting, certificate or key that cannot be used, and why.
    """
    given = _read(file) | {name: value for name, value in options.items() if value is not None}
    contact = given.pop("security_contact", "")
    if not isinstance(contact, str):
        raise InvalidInput("security_contact is one mailto: or https:// address.")
    origin = given.pop("origin", "")
    if not isinstance(origin, str):
        raise InvalidInput("origin is one https:// address.")
    limits = given.pop("limits", {})
    if not isinstance(limits, dict):
        raise InvalidInput("limits is a mapping of names to numbers.")
    usual = {"body_bytes": _BODY_BYTES, "connections_per_client": _CONNECTIONS_PER_CLIENT}
    host, extra = str(given.get("host", "127.0.0.1")), given.pop("hosts", [])
    if not isinstance(extra, list) or not all(isinstance(name, str) for name in extra):
        raise InvalidInput("hosts is a list of names.")
    if isinstance(given.get("tls"), float):
        given["tls"] = str(given["tls"])  # YAML takes 1.3 for a number
    given.setdefault("port", _PORT)
    if given["port"] == 0:
        given["port"] = _free_port(host)
    given |= {"host": host, "hosts": allowed_hosts(host, extra), "limits": usual | limits}
    ca = None
    if given.get("tls_certificate") is None and given.get("tls_key") is None:
        now, names = workspace.clock(), list(dict.fromkeys(["localhost", "127.0.0.1", "::1", *given["hosts"]]))
        files = server_certificate(workspace.keyring, tls_folder(workspace), names, now, name="control")
        ca, given["tls_certificate"], given["tls_key"] = files.ca, str(files.certificate), str(files.key)
        ca = ca.resolve() if ca is not None else None
    for name in ("tls_certificate", "tls_key", "client_ca", "client_crl"):
        if given.get(name) is not None:
            given[name] = str(Path(given[name]).resolve())
    transport = read_transport(given)
    origin = origin or _origin(host, extra, transport.port)
    return ControlSettings(transport=transport, ca=ca, security_contact=contact, origin=origin)


def _origin(host: str, extra: list[str], port: int) -> str:
    """Where browsers are told to go: the first further name, else this machine. Passkeys need a name, not a number."""
    name = extra[0] if extra else "localhost" if host in _LOOPBACK else host
    shown = f"[{name}]" if ":" in name else name
    return f"https://{shown}" if port == _HTTPS else f"https://{shown}:{port}"


def _free_port(host: str) -> int:
    """A port nobody uses now; the addresses in pages and tokens have to name it before it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])
    return 0


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    found = strict_yaml(read_limited(file, _MOST_BYTES), what=str(file)).value
    if file.stat().st_mode & 0o022:
        raise Refused(f"Others may write {file}, and so weaken the server. Close it with: chmod go-w {file}")
    if not isinstance(found, dict):
        raise InvalidInput(f"{file} is no mapping of settings.")
    return dict(found)
