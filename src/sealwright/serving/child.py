"""Starting the serving process: its keys go over a pipe, never through arguments, environment or files.

It gets no key that signs, but a connected socket to the signer that is good for its own log only.

`launch` keeps the child beside the caller and knows when it is ready; `become` turns the present
process into it. Both leave the child an empty environment but for a few plain words.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal, NoReturn, Self

from msgspec.structs import replace

from sealwright.kernel import Refused
from sealwright.serving.budgets.counting import Counting
from sealwright.serving.config import Limits, ModelConfig, ServeConfig
from sealwright.serving.places import DECISION_KEY_PURPOSE, token_audience, token_issuer
from sealwright.serving.spec import ServingSpec
from sealwright.serving.starting import ENVIRONMENT, command, hand_over, spawn
from sealwright.serving.transport.config import allowed_hosts
from sealwright.trust import Keyring, person_name_key

__all__ = ["Running", "become", "launch", "prepare", "signer_line"]

_KILL_AFTER_SECONDS = 5.0  # beyond the drain time


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
    workers: int = 1,
) -> ServeConfig:
    """Collect what the serving process needs, and nothing more, from an opened keyring.

    Parameters
    ----------
    models : sequence of (str, ServingSpec)
        The projects to serve and their settings. The first one's ledger takes what concerns the server as a whole.
    certificate, key : Path, optional
        PEM files. Left out, the server speaks plain HTTP and only on loopback.
    limits : Limits, optional
        The largest body, and the longest time and most memory of a run, come from the models' settings when left out.
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
    workers : int
        Processes that answer.

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
        server=_one_server(models),
        platform=platform,
        behind_platform=behind_platform,
        grpc_port=grpc_port,
        workers=workers,
        limits=limits or _limits([spec for _, spec in models]),
        counting=counting or Counting(),
    ).checked()


def _one_server(models: Sequence[tuple[str, ServingSpec]]) -> Literal["uvicorn", "granian"]:
    """What speaks HTTP for all models."""
    asked = {spec.server for _, spec in models}
    if len(asked) > 1:
        raise Refused("Models that one process serves have the same serving.server. Start a process for the others.")
    return asked.pop()


def _limits(specs: Sequence[ServingSpec]) -> Limits:
    """What one process allows: the most that one of its models needs."""
    return Limits(
        body_bytes=max(spec.most_body_kb for spec in specs) * 1024,
        wait_seconds=max(spec.wait_seconds for spec in specs),
        model_seconds=max(spec.model_seconds for spec in specs),
        model_mb=max(spec.model_mb for spec in specs),
    )


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
    with contextlib.closing(signer):
        process, ports, lifeline = spawn(
            replace(config, signer_fd=signer.fileno()), [signer.fileno()], ready_seconds=ready_seconds, stderr=stderr
        )
    return Running(process, config, ports, lifeline)


def become(config: ServeConfig, signer: socket.socket) -> NoReturn:
    """Turn this process into the serving process: for service managers, which watch one pid."""
    config = replace(config, lifeline=False, signer_fd=signer.fileno())
    config_out, config_in = os.pipe()
    hand_over(config_in, config)
    os.close(config_in)
    os.set_inheritable(config_out, True)  # noqa: FBT003 - the standard library takes it by position
    signer.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir("/")
    words = command(config_out, None)
    os.execve(words[0], words, ENVIRONMENT)  # noqa: S606 - no shell, our own interpreter
