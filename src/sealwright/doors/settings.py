"""Where the workspace is and what opens it: the one place that looks at the environment.

SEALWRIGHT_HOME       the workspace folder                     (default: ~/.sealwright)
SEALWRIGHT_KEY_FILE   a 0600 file whose key opens it unattended (default: ~/.config/sealwright/root.key)
SEALWRIGHT_UNLOCK     a TOML file that says which key in which token or service opens it
SEALWRIGHT_ACTOR      who acts, for the record                 (default: the operating system's user)
XDG_RUNTIME_DIR       where session files lie                  (default: in the workspace)

A passphrase, PIN or token never comes from the environment or the command line: a passphrase is typed, or read from a
file descriptor named by SEALWRIGHT_PASSPHRASE_FD.
"""

import getpass
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import InvalidInput, Refused, check_name
from sealwright.trust import KeyFile, Passphrase, Secret, Unlock, create_key_file

__all__ = ["Settings", "person_unlock", "read_settings"]

_LONGEST_PASSPHRASE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a door needs to know before it opens anything."""

    home: Path
    key_file: Path
    actor: str
    named: bool = False  # the actor was named on the command line, so a session of somebody else does not count
    runtime: Path | None = None  # where session files lie; None: in the workspace
    passphrase_fd: int | None = None
    unlock_file: Path | None = None

    def unlock(self, *, wrapped_by_passphrase: bool) -> Unlock:
        """What opens the workspace.

        Raises
        ------
        Refused
            A passphrase is needed and nobody can be asked for it.
        """
        if not wrapped_by_passphrase:
            return KeyFile(self.key_file)
        return Passphrase(Secret(self._passphrase("Passphrase of the workspace: ")))

    def new_unlock(self, *, passphrase: bool) -> Unlock:
        """What shall open a new workspace: a typed passphrase, or a key file made now if there is none."""
        if passphrase:
            first = self._passphrase("New passphrase (at least 12 characters): ")
            if self.passphrase_fd is None and first != self._passphrase("The same again: "):
                raise InvalidInput("The two passphrases differ. Nothing was made; try again.")
            return Passphrase(Secret(first))
        return self.made_key_file(self.key_file)

    def made_key_file(self, path: Path) -> KeyFile:
        """The key file at `path`, made now if there is none."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_key_file(path)
        return KeyFile(path)

    def _passphrase(self, prompt: str) -> str:
        if self.passphrase_fd is not None:
            return _read_passphrase(self.passphrase_fd)
        if not sys.stdin.isatty():
            raise Refused(
                "This workspace is opened by a passphrase, and there is no terminal to type it on.\n"
                "Name an open file descriptor that holds it in SEALWRIGHT_PASSPHRASE_FD."
            )
        return getpass.getpass(prompt)


def _read_passphrase(handle: int) -> str:
    """Everything up to the end of a file descriptor, without the line break an editor or `echo` adds."""
    data = b""
    try:
        while len(data) <= _LONGEST_PASSPHRASE and (more := os.read(handle, _LONGEST_PASSPHRASE)):
            data += more
        text = data.decode("utf-8")
    except OSError:
        raise Refused(
            f"SEALWRIGHT_PASSPHRASE_FD names file descriptor {handle}, which is not open for reading here.\n"
            "Open it for this command, e.g. SEALWRIGHT_PASSPHRASE_FD=3 sealwright … 3< FILE"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput("The passphrase in SEALWRIGHT_PASSPHRASE_FD is not UTF-8 text.") from None
    if len(data) > _LONGEST_PASSPHRASE:
        raise InvalidInput(f"The passphrase is longer than {_LONGEST_PASSPHRASE:,} bytes. Is it the right file?")
    return text.rstrip("\r\n")


def read_settings(*, home: Path | None = None, key_file: Path | None = None, actor: str | None = None) -> Settings:
    """Options first, then the environment, then the defaults.

    Raises
    ------
    InvalidInput
        An environment variable holds something unusable.
    """
    fd = os.environ.get("SEALWRIGHT_PASSPHRASE_FD")
    if fd is not None and not fd.isdecimal():
        raise InvalidInput(f"SEALWRIGHT_PASSPHRASE_FD must be the number of an open file descriptor; got {fd[:20]!r}.")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Settings(
        home=(home or Path(os.environ.get("SEALWRIGHT_HOME") or Path.home() / ".sealwright")).expanduser(),
        key_file=(
            key_file or Path(os.environ.get("SEALWRIGHT_KEY_FILE") or config / "sealwright" / "root.key")
        ).expanduser(),
        actor=check_name(actor or os.environ.get("SEALWRIGHT_ACTOR") or _system_user(), what="person"),
        named=actor is not None,
        runtime=_runtime(os.environ.get("XDG_RUNTIME_DIR")),
        passphrase_fd=int(fd) if fd else None,
        unlock_file=Path(os.environ["SEALWRIGHT_UNLOCK"]).expanduser() if os.environ.get("SEALWRIGHT_UNLOCK") else None,
    )


def _runtime(named: str | None) -> Path | None:
    """The user's own folder for the time they are logged in to the machine, where there is one."""
    return Path(named) if named and Path(named).is_dir() else None


def _system_user() -> str:
    """The operating system's user, in the spelling of our names."""
    return re.sub(r"[^a-z0-9._-]+", "-", getpass.getuser().lower()).strip("-._")[:64] or "unknown"


def person_unlock(name: str, key_file: Path | None, *, new: bool) -> Unlock:
    """What opens a person's own key: their key file, or their passphrase, typed.

    Raises
    ------
    Refused
        Neither a key file was named nor is there a terminal to type on.
    """
    if key_file is not None:
        if new and not key_file.exists():
            create_key_file(key_file)
        return KeyFile(key_file)
    if not sys.stdin.isatty():
        raise Refused(
            f"{name}'s key needs a passphrase and there is no terminal to type it on.\nName a key file with --person-key."
        )
    first = getpass.getpass(f"Passphrase of {name}: ")
    if new and first != getpass.getpass("The same again: "):
        raise InvalidInput("The two passphrases differ. Nothing was made; try again.")
    return Passphrase(Secret(first))
