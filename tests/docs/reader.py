"""A reader who types what a page says, in a folder of their own, with the real program."""

import contextlib
import doctest
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Reader", "as_shown", "merged", "reading", "script"]

_SECONDS = 60.0  # for one command
_MARK = "\x01"
_LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def as_shown(want: str, got: str) -> bool:
    """Whether an output is the one a page shows: `...` stands for anything, spacing does not count."""
    return not want.strip() or doctest.OutputChecker().check_output(want + "\n", got + "\n", _LIKE)


class Reader:
    """One shell that lives as long as a page."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SEALWRIGHT_")},
            "HOME": str(folder),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "SEALWRIGHT_HOME": str(folder / "workspace"),
            "SEALWRIGHT_KEY_FILE": str(folder / "keys" / "root.key"),
            "SEALWRIGHT_ACTOR": "ops",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def type(self, command: str) -> tuple[str, int]:
        """Type a command; returns its output, with what it says on standard error, and its exit status."""
        stdin, stdout = self._shell.stdin, self._shell.stdout
        assert stdin is not None
        assert stdout is not None
        ending = f"__status=$?; printf '\\n{_MARK}%s\\n' $__status; (exit $__status)"
        stdin.write(f"{{ {command}\n}} < /dev/null\n{ending}\n")
        stdin.flush()
        watch = threading.Timer(_SECONDS, self._shell.kill)
        watch.start()
        said: list[str] = []
        try:
            for line in stdout:
                if line.startswith(_MARK):
                    return "".join(said).rstrip("\n"), int(line[1:])
                said.append(line)
        finally:
            watch.cancel()
        raise AssertionError(f"The shell ended, or took longer than {_SECONDS:g} s, at: {command}\n{''.join(said)}")

    def close(self) -> None:
        """Let the shell go, and end what it may have left running."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)  # what a page began and did not end, too
        self._shell.stdin.close()
        try:
            self._shell.wait(5)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()
        self._shell.stdout.close()


@contextmanager
def reading(folder: Path, tools: Path) -> Iterator[Reader]:
    reader = Reader(folder, tools)
    try:
        yield reader
    finally:
        reader.close()


def merged(text: str, settings: str) -> str:
    """A project file with some settings replaced, as a person would do it in an editor.

    Both are text, so that comments and quoting stay. `settings` names sections and, one level below, their keys.
    """
    sections = _sections(text, "")
    for name, body in _sections(settings, "").items():
        ours = _sections(sections.get(name, f"{name}:\n").split("\n", 1)[1], "  ")
        ours = {key: lines for key, lines in ours.items() if key.strip() not in {"", "{}"}}
        ours |= _sections(body.split("\n", 1)[1], "  ")
        sections[name] = f"{name}:\n" + "".join(lines for key, lines in ours.items()) + "\n"
    return "".join(sections.values())


def _sections(text: str, indent: str) -> dict[str, str]:
    """The entries of one level: key -> its lines, with the comments and blank lines that follow it."""
    found: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        inner = line.removeprefix(indent)
        starts = line.startswith(indent) and inner[:1] not in {" ", "#", "\n", ""}
        if starts:
            key = inner.split(":", 1)[0].strip()
        found[key] = found.get(key, "") + line
    return found


def script(path: Path, line: str) -> None:
    """A program of one line of shell."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
