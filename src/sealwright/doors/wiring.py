"""What is chosen at start: which workspace, opened by what; and where heavy work is done.

The rest of the program takes what it is given; only doors call this.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sealwright.doors.settings import Settings
from sealwright.kernel import InvalidInput, VerificationFailed, read_limited, strict_json
from sealwright.pipeline import Workspace, create_workspace, is_workspace, open_workspace
from sealwright.trust import Unlock

if TYPE_CHECKING:
    from sealwright.assurance import Spread

__all__ = ["open_or_create", "open_workspace_at", "spread_of", "unlock_of"]

_ADDRESS = "ray://"


def open_workspace_at(settings: Settings) -> Workspace:
    """Open the workspace of the settings; asks for the passphrase if that is what opens it."""
    return open_workspace(settings.home, unlock_of(settings))


def unlock_of(settings: Settings) -> Unlock:
    """What opens the workspace of the settings; asks for the passphrase if that is what it is."""
    by_passphrase = is_workspace(settings.home) and _wrapped_by_passphrase(settings)
    return settings.unlock(wrapped_by_passphrase=by_passphrase)


def open_or_create(settings: Settings, *, tell: Callable[[str], None]) -> Workspace:
    """The workspace of the settings; on first use one is made, opened by a new random key file."""
    if is_workspace(settings.home):
        return open_workspace_at(settings)
    unlock = settings.new_unlock(passphrase=False)
    made = create_workspace(settings.home, name="My organisation", unlock=unlock)
    tell(f"Made a workspace at {settings.home} (id {made.id}).")
    tell(f"Its key is {settings.key_file}. Whoever holds both can sign in your name: back the key up, apart from it.")
    return made


def _wrapped_by_passphrase(settings: Settings) -> bool:
    root = strict_json(read_limited(settings.home / "keys" / "root.json", 1 << 16), what="keys/root.json")
    try:
        return bool(root["protection"]["method"] == "argon2id")
    except (KeyError, TypeError):
        raise VerificationFailed(
            "keys/root.json is not a wrapped key. Restore the whole keys folder from one backup.", link="keys/root.json"
        ) from None


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
