"""The lists of what was taken back, as far as this process has seen them.

Answers: how new must a list of revoked packages or keys be, also where that could not be written down?
Does not answer: what is on them. Whoever read and verified one knows.
"""

import msgspec

from sealwright.serving.state import Remembered, ServingState

__all__ = ["ListsSeen"]


class ListsSeen:
    """The numbers of the lists of what was taken back: they count in this process from when they were seen, written down or not.

    Implements `Remembered`. `change` takes the two numbers, and `write` has them remembered.
    """

    def __init__(self, state: Remembered) -> None:
        self._state = state
        self._seen: dict[str, int] = {}

    @property
    def now(self) -> ServingState:
        """What is remembered, and no lower than what was seen."""
        return msgspec.structs.replace(self._state.now, **self._ahead())

    def change(self, **changes: int | str | bool) -> None:
        """Count with these numbers from now on."""
        for name, number in changes.items():
            self._seen[name] = max(int(number), self._seen.get(name, 0))

    def write(self) -> None:
        """Have them remembered; free where they are.

        Raises
        ------
        VerificationFailed
            Another worker of this server has seen newer ones.
        OSError, SealwrightError
            They cannot be; the next call tries again.
        """
        ahead = self._ahead()
        if ahead:
            self._state.change(**ahead)

    def _ahead(self) -> dict[str, int]:
        """What is not remembered yet."""
        return {name: number for name, number in self._seen.items() if number > getattr(self._state.now, name)}
