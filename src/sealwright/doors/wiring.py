"""What is chosen at start: which workspace, opened by what.

The rest of the program takes what it is given; only doors call this.
"""

from collections.abc import Callable

from sealwright.doors.settings import Settings
from sealwright.kernel import VerificationFailed, read_limited, strict_json
from sealwright.pipeline import Workspace, create_workspace, is_workspace, open_workspace
from sealwright.trust import Unlock

__all__ = ["open_or_create", "open_workspace_at", "unlock_of"]


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
