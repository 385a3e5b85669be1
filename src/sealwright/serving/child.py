"""Starting the serving process: its keys go over a pipe, never through arguments, environment or files.

It gets no key that signs, but a connected socket to the signer that is good for its own log only.

`launch` keeps the child beside the caller and knows when it is ready; `become` turns the present
process into it. Both leave the child an empty environment but for a few plain words.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal, NoReturn, Self

from sealwright.kernel import OperationFailed, Refused, SealwrightError, VerificationFailed
from sealwright.serving.budgets.counting import Counting
from sealwright.serving.config import MOST_CONFIG_BYTES, Limits, ModelConfig, ServeConfig
from sealwright.serving.places import DECISION_KEY_PURPOSE, token_audience, token_issuer
from sealwright.serving.spec import ServingSpec
from sealwright.serving.transport.config import allowed_hosts
from sealwright.trust import Keyring, person_name_key

__all__ = ["Running", "StartFailed", "StartRefused", "become", "launch", "prepare", "signer_line"]

# The child runs the code its starter runs. Where that is installed, isolated mode finds it by itself.
_BOOT = (
    "import sys, runpy; place = sys.argv.pop(1); place in sys.path or sys.path.insert(0, place); "
    "runpy.run_module('sealwright.serving', run_name='__main__', alter_sys=True)"
)
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
_KILL_AFTER_SECONDS = 5.0  # beyond the drain time
_USUAL_PIPE = 60_000  # bytes that fit its buffer


class StartFailed(OperationFailed):
    """The serving process did not come up; the message is what it said."""

    code = "serving.start_failed"


class StartRefused(Refused):
    """The serving process did not accept its settings, or another one serves already."""

    code = "serving.start_refused"


def prepare(
    keyring: Keyring,
    *,
    home: Path,
    models: Sequence[tuple[str, ServingSpec]],
    host: str = "127.0.0.1",
    port: int = 8443,
    certificate: Path | None = None,
    key: Path | None = None,
    limits: Limits | None = None,
    access_at_least: int = 0,
    client_certificates: Literal["none", "optional", "required"] = "none",
    client_ca: Path | None = None,
    client_revocations: Path | None = None,
    counting: Counting | None = None,
    platform: Literal["", "sagemaker", "azureml"] = "",
    behind_platform: bool = False,
    grpc_port: int | None = None,
) -> ServeConfig:
    """Collect what the serving process needs, and nothing more, from an opened keyring.

    Parameters
    ----------
    models : sequence of (str, ServingSpec)
        The projects to serve and their settings. The first one's ledger takes what concerns the server as a whole.
    certificate, key : Path, optional
        PEM files. Left out, the server speaks plain HTTP and only on loopback.
    limits : Limits, optional
        The largest body comes from the models' settings when left out.
    access_at_least : int
        Sequence of the access list as published; an older one is refused.
    client_certificates : {"none", "optional", "required"}
        Whether callers show certificates of `client_ca`; tokens bound to one need it.
    counting : Counting, optional
        Where callers' budgets are counted; in a file of the channel when left out.
    platform, behind_platform
        The contract of the platform whose container this is, and that its check of callers is relied on: both or neither.
    grpc_port : int, optional
        Where the Open Inference Protocol is spoken over gRPC, too.

    Raises
    ------
    InvalidInput, Refused
        Settings that are not safe to start with.
    """
    workspace, version = keyring.trust_root.workspace, keyring.versions("decisions")[-1]
    served = [_model(keyring, project, spec, limits) for project, spec in models]
    return ServeConfig(
        workspace=workspace,
        models=served,
        home=str(home.resolve()),
        trust_root=keyring.trust_root.to_bytes().decode(),
        decision_key=keyring.key("decisions", DECISION_KEY_PURPOSE, version=version).hex(),
        decision_version=version,
        token_issuer=token_issuer(workspace),
        token_audience=token_audience(workspace),
        host=host,
        port=port,
        hosts=allowed_hosts(host, sorted({name for _, spec in models for name in spec.hosts})),
        tls_certificate=None if certificate is None else str(certificate.resolve()),
        tls_key=None if key is None else str(key.resolve()),
        access_at_least=access_at_least,
        client_certificates=client_certificates,
        client_ca=None if client_ca is None else str(client_ca.resolve()),
        client_revocations=None if client_revocations is None else str(client_revocations.resolve()),
        platform=platform,
        behind_platform=behind_platform,
        grpc_port=grpc_port,
        limits=limits or Limits(body_bytes=max(one.body_bytes for one in served)),
        counting=counting or Counting(),
    ).checked()


def _model(keyring: Keyring, project: str, spec: ServingSpec, limits: Limits | None) -> ModelConfig:
    return ModelConfig(
        project=project,
        channel=spec.channel,
        person_key=person_name_key(keyring, project).hex(),
        durability=spec.durability,
        rows=spec.most_rows if limits is None else limits.rows,
        body_bytes=spec.most_body_kb * 1024 if limits is None else limits.body_bytes,
        budgets=spec.budgets(),
    )


class Running:
    """A serving process that answers. Leaving the `with` block stops it in good order."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", config: ServeConfig, ports: tuple[int, int | None], lifeline: int
    ) -> None:
        self._process, self._config, self._lifeline = process, config, lifeline
        self.port, self.grpc_port = ports

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it answers, e.g. "https://127.0.0.1:8443"."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"{'https' if self._config.tls_certificate else 'http'}://{host}:{self.port}"

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit status once it has ended, or None if it still runs after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def reload_certificate(self) -> None:
        """Make new connections use the certificate files as they are now."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> int:
        """Let it finish the answers under way and end; returns its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        status = self.wait(self._config.limits.drain_seconds + _KILL_AFTER_SECONDS)
        if status is None:
            self._process.kill()
            status = self._process.wait()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def signer_line(keyring: Keyring, config: ServeConfig) -> socket.socket:
    """The socket to the signer that a serving process of this config inherits. `launch` and `become` close it.

    Raises
    ------
    SignerRefused, SignerUnavailable
        There is no signer, or it does not sign for these logs.
    """
    return keyring.lend_signer(*config.origins)


def launch(
    config: ServeConfig,
    signer: socket.socket,
    *,
    ready_seconds: float = 30.0,
    stderr: IO[bytes] | int | None = None,
) -> Running:
    """Start a serving process and wait until it answers. It ends when this process does.

    Parameters
    ----------
    signer : socket
        Of `signer_line`. The child inherits it; here it is closed, whatever happens.

    Raises
    ------
    StartFailed
        It did not become ready in time, or ended without a word.
    VerificationFailed, StartRefused
        What it said when it refused to start.
    """
    config = _with(config, lifeline=True, signer_fd=signer.fileno())
    config_out, config_in = os.pipe()
    status_out, status_in = os.pipe()
    process = None
    try:
        with contextlib.ExitStack() as ours:
            ours.callback(signer.close)
            ours.callback(os.close, config_out)
            ours.callback(os.close, status_in)
            process = subprocess.Popen(
                _command(config_out, status_in),
                pass_fds=(config_out, status_in, signer.fileno()),
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                cwd="/",
                start_new_session=True,  # Ctrl-C reaches us first; we then stop it in order
            )
        _hand_over(config_in, config)
        ports = _ports_when_ready(process, status_out, ready_seconds)
    except BaseException:
        os.close(config_in)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        raise
    finally:
        os.close(status_out)
    return Running(process, config, ports, config_in)


def become(config: ServeConfig, signer: socket.socket) -> NoReturn:
    """Turn this process into the serving process: for service managers, which watch one pid."""
    config = _with(config, lifeline=False, signer_fd=signer.fileno())
    config_out, config_in = os.pipe()
    _hand_over(config_in, config)
    os.close(config_in)
    os.set_inheritable(config_out, True)  # noqa: FBT003 - the standard library takes it by position
    signer.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir("/")
    command = _command(config_out, None)
    os.execve(command[0], command, _ENVIRONMENT)  # noqa: S606 - no shell, our own interpreter


def _with(config: ServeConfig, *, lifeline: bool, signer_fd: int) -> ServeConfig:
    from msgspec.structs import replace

    return replace(config, lifeline=lifeline, signer_fd=signer_fd).checked()


def _command(config_fd: int, status_fd: int | None) -> list[str]:
    """Isolated mode: no user site, no PYTHON* variables, no current folder; only the folder we were loaded from."""
    home = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-c", _BOOT, home, "--config-fd", str(config_fd)]
    return command if status_fd is None else [*command, "--status-fd", str(status_fd)]


def _hand_over(descriptor: int, config: ServeConfig) -> None:
    data = config.to_bytes()
    if len(data) > _USUAL_PIPE:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, MOST_CONFIG_BYTES + 4)
    os.write(descriptor, len(data).to_bytes(4, "big") + data)  # fits the pipe's buffer, so it does not block


def _ports_when_ready(process: "subprocess.Popen[bytes]", status: int, seconds: float) -> tuple[int, int | None]:
    said, until = b"", time.monotonic() + seconds
    while not said.endswith(b"\n"):
        readable, _, _ = select.select([status], [], [], max(0.0, until - time.monotonic()))
        if not readable:
            raise StartFailed(f"The server did not become ready within {seconds:g} seconds. See its messages above.")
        chunk = os.read(status, 65_536)
        if not chunk:
            raise StartFailed(
                f"The server ended while starting (exit status {process.wait()}). See its messages above."
            )
        said += chunk
    facts = json.loads(said)
    if "port" in facts:
        return int(facts["port"]), facts["grpc_port"]
    raise _as_error(facts)


def _as_error(facts: dict[str, object]) -> SealwrightError:
    """The child's refusal as an error of the same exit status."""
    message, status = str(facts["message"]), facts["exit_code"]
    if status == VerificationFailed.exit_code:
        return VerificationFailed(message, link=str(facts["link"]))
    return StartRefused(message) if status == StartRefused.exit_code else StartFailed(message)
