"""The keys a reader of one snapshot has: which classes, unwrapped when first needed, and each time noted.

Answers: may this reader have that key, and who is told before it is unwrapped?
Does not answer: why. The verb that opens a snapshot says so in the ledger.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from sealwright.data.file_keys import master_keys, open_file_keys
from sealwright.data.formats import FOOTER_KEY, SUBJECT_KEY, class_key
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import Refused
from sealwright.trust import Keyring

__all__ = ["OnUnwrap", "ReadKeys"]

OnUnwrap = Callable[[Collection[str]], None]
"""Told the names of keys that are about to be unwrapped. What it raises keeps them wrapped."""

_FOR_EVERYBODY = {FOOTER_KEY, SUBJECT_KEY}


class ReadKeys:
    """Keys of one snapshot for one reader."""

    def __init__(
        self,
        folder: Path,
        snapshot: str,
        *,
        keyring: Keyring | None,
        subject_keys: SubjectKeys | None,
        classes: Collection[str] | None,
        on_unwrap: OnUnwrap | None,
        leave_out: Collection[bytes] = (),
    ) -> None:
        self._folder, self._snapshot, self._keyring, self._subjects = folder, snapshot, keyring, subject_keys
        self._classes = None if classes is None else frozenset(classes)
        self._on_unwrap = on_unwrap
        self._leave_out = frozenset(leave_out)
        self._files: dict[str, bytes] = {}
        self._persons: Mapping[bytes, bytes] | None = None
        self._existing: Collection[bytes] | None = None

    def with_keyring(self, keyring: Keyring) -> "ReadKeys":
        """The same reader with another keyring."""
        return ReadKeys(
            self._folder,
            self._snapshot,
            keyring=keyring,
            subject_keys=self._subjects,
            classes=self._classes,
            on_unwrap=self._on_unwrap,
            leave_out=self._leave_out,
        )

    def of_files(self, names: Collection[str]) -> Mapping[str, bytes]:
        """Keys of files by name.

        Raises
        ------
        Refused
            No keyring, or a class this reader has no key of.
        VerificationFailed
            The wrapped keys are not those of this snapshot.
        """
        self._refuse_unless_allowed(names)
        new = sorted(set(names) - set(self._files))
        if new:
            assert self._keyring is not None
            if self._on_unwrap is not None:
                self._on_unwrap(new)
            self._files |= open_file_keys(self._folder, new, snapshot=self._snapshot, master=master_keys(self._keyring))
        return self._files

    def of_persons(self) -> Mapping[bytes, bytes]:
        """The keys of all persons whose rows are read: not erased, not left out. As they were when first asked for."""
        if self._persons is None:
            found = self._subject_keys().keys()
            self._persons = {name: key for name, key in found.items() if name not in self._leave_out}
        return self._persons

    def names_of(self, subjects: Sequence[str]) -> list[bytes]:
        """The 16-byte names of persons, in order."""
        return self._subject_keys().names_of(subjects)

    def existing(self) -> Collection[bytes]:
        """All persons whose rows are read: not erased, not left out."""
        if self._existing is None:
            self._existing = self._subject_keys().existing() - self._leave_out
        return self._existing

    def _refuse_unless_allowed(self, names: Collection[str]) -> None:
        if self._keyring is None:
            raise Refused("This snapshot was opened without keys, so it can be checked but not read.")
        if self._classes is None:
            return
        allowed = {class_key(name) for name in self._classes} | _FOR_EVERYBODY
        refused = sorted(name.removeprefix("class/").removesuffix("/v1") for name in set(names) - allowed)
        if refused:
            raise Refused(
                f"This reader has no key for {', '.join(refused)}; it has those of class {', '.join(sorted(self._classes))}.\n"
                "Read only those columns, or ask the security officer for a role that may read the others."
            )

    def _subject_keys(self) -> SubjectKeys:
        if self._subjects is None:
            raise Refused("Rows about persons are sealed under their own keys. Open the snapshot in its workspace.")
        return self._subjects
