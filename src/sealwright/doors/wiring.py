"""What is chosen at start: which workspace, opened by what; and where heavy work is done.

The rest of the program takes what it is given; only doors call this.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.doors.settings import Settings
from sealwright.kernel import InvalidInput, Refused, VerificationFailed, read_limited
from sealwright.pipeline import Workspace, create_workspace, is_workspace, open_workspace
from sealwright.trust import Unlock, method_of, read_unlock_file

if TYPE_CHECKING:
    from sealwright.assurance import Spread

__all__ = ["new_unlock_of", "open_or_create", "open_workspace_at", "spread_of", "unlock_of"]

_ADDRESS = "ray://"


def open_workspace_at(settings: Settings) -> Workspace:
    """Open the workspace of the settings; asks for the passphrase if that is what opens it."""
    return open_workspace(settings.home, unlock_of(settings))


def unlock_of(settings: Settings) -> Unlock:
    """What opens the workspace of the settings; asks for the passphrase if that is what it is.

    Raises
    ------
    Refused
        A key in a token or service opens it, and no file says which.
    """
    method = _method(settings) if is_workspace(settings.home) else "key-file"
    if method in ("argon2id", "key-file"):
        return settings.unlock(wrapped_by_passphrase=method == "argon2id")
    if settings.unlock_file is None:
        raise Refused(
            f"This workspace is opened by a key elsewhere ({method}).\n"
            "Name the TOML file that describes it in SEALWRIGHT_UNLOCK."
        )
    return read_unlock_file(settings.unlock_file)


def new_unlock_of(settings: Settings, *, passphrase: bool, unlock_file: Path | None, key_file: Path | None) -> Unlock:
    """What shall open the workspace from now on: exactly one of the three.

    Raises
    ------
    InvalidInput
        None of them, or more than one.
    """
    if passphrase + (unlock_file is not None) + (key_file is not None) != 1:
        raise InvalidInput(
            "Say what shall open the workspace: one of --passphrase, --new-key-file FILE or --unlock FILE."
        )
    if unlock_file is not None:
        return read_unlock_file(unlock_file)
    return settings.made_key_file(key_file) if key_file is not None else settings.new_unlock(passphrase=True)


def open_or_create(settings: Settings, *, tell: Callable[[str], None]) -> Workspace:
    """The workspace of the settings; on first use one is made, opened by a new random key file."""
    if is_workspace(settings.home):
        return open_workspace_at(settings)
    unlock = settings.new_unlock(passphrase=False)
    made = create_workspace(settings.home, name="My organisation", unlock=unlock)
    tell(f"Made a workspace at {settings.home} (id {made.id}).")
    tell(f"Its key is {settings.key_file}. Whoever holds both can sign in your name: back the key up, apart from it.")
    return made


def _method(settings: Settings) -> str:
    """How the root of the keys is protected."""
    try:
        data = read_limited(settings.home / "keys" / "root.json", 1 << 16)
    except InvalidInput:
        raise VerificationFailed(
            "keys/root.json is missing. Restore it from a backup, or recover it: sealwright keys recover",
            link="keys/root.json",
        ) from None
    return method_of(data, link="keys/root.json")


def spread_of(engine: str = "auto", workers: int | None = None) -> "Spread | None":
    """Where the checks of an assessment are carried out; None: in this process.

    Parameters
    ----------
    engine : str
        local: this process. processes: workers on this machine. ray, or ray://HOST:PORT: a Ray cluster. auto: this process,
        and workers on this machine once that saves time.
    workers : int, optional
        How many; left out: one for each core.

    Raises
    ------
    InvalidInput
        There is no such engine, or fewer than one worker.
    MissingExtra
        Ray is not installed.
    """
    from sealwright.assurance import Spread
    from sealwright.engines import Processes, RayCluster
    from sealwright.pipeline import CHECKS

    if workers is not None and workers < 1:
        raise InvalidInput(f"There must be at least one worker; got {workers}.")
    if engine == "local":
        return None
    if engine == "auto":
        return Spread(compute=Processes(workers), work=CHECKS, when="worth it")
    if engine == "processes":
        return Spread(compute=Processes(workers), work=CHECKS)
    if engine == "ray":
        return Spread(compute=RayCluster(workers), work=CHECKS)
    if engine.startswith(_ADDRESS) and len(engine) > len(_ADDRESS):
        return Spread(compute=RayCluster(workers, engine.removeprefix(_ADDRESS)), work=CHECKS)
    raise InvalidInput(f"There is no engine {engine!r}. Engines are: auto, local, processes, ray, ray://HOST:PORT.")
