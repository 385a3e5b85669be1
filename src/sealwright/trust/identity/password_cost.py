"""What one guess of a password costs whoever guesses, and within which limits a stored cost is believed.

Argon2id: RFC 9106, second recommended option (three passes over 64 MiB in four lanes). The floors are the minimum of the
OWASP Password Storage Cheat Sheet. PBKDF2-HMAC-SHA256 (SP 800-132) is for those bound to FIPS 140 algorithms.
"""

from dataclasses import dataclass
from typing import Literal

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = ["ARGON2ID", "PBKDF2", "HashCost", "floor_of", "insecure_cost_for_tests"]

Algorithm = Literal["argon2id", "pbkdf2-sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCost:
    """Argon2id: passes over `memory_kib` KiB in `lanes` lanes. PBKDF2: `passes` rounds; the others are 0."""

    algorithm: Algorithm
    passes: int
    memory_kib: int = 0
    lanes: int = 0

    def check(self, floor: "HashCost") -> None:
        """Return if this cost is neither weaker than `floor` nor a trap.

        Raises
        ------
        VerificationFailed
            It is: the row was tampered with, or comes from elsewhere.
        InvalidInput
            `floor` is about another algorithm.
        """
        if floor.algorithm != self.algorithm:
            raise InvalidInput(f"A floor for {floor.algorithm} says nothing about {self.algorithm}.")
        most = _CEILINGS[self.algorithm]
        for name in ("passes", "memory_kib", "lanes"):
            found, least, limit = getattr(self, name), getattr(floor, name), getattr(most, name)
            if not least <= found <= limit:
                raise VerificationFailed(
                    f"A password hash records {self.algorithm} {name} = {found}; from {least} to {limit} is accepted.\n"
                    "The database was changed. Make the person a new enrolment link."
                )

    def weaker_than(self, wanted: "HashCost") -> bool:
        """Whether a hash of this cost should be made anew at the cost `wanted`."""
        return self.algorithm != wanted.algorithm or any(
            getattr(self, name) < getattr(wanted, name) for name in ("passes", "memory_kib", "lanes")
        )


ARGON2ID = HashCost(algorithm="argon2id", passes=3, memory_kib=64 * 1024, lanes=4)
PBKDF2 = HashCost(algorithm="pbkdf2-sha256", passes=600_000)

_FLOORS: dict[Algorithm, HashCost] = {
    "argon2id": HashCost(algorithm="argon2id", passes=2, memory_kib=19 * 1024, lanes=1),
    "pbkdf2-sha256": HashCost(algorithm="pbkdf2-sha256", passes=600_000),
}
_CEILINGS: dict[Algorithm, HashCost] = {
    "argon2id": HashCost(algorithm="argon2id", passes=10, memory_kib=256 * 1024, lanes=8),
    "pbkdf2-sha256": HashCost(algorithm="pbkdf2-sha256", passes=4_000_000),
}


def floor_of(algorithm: Algorithm) -> HashCost:
    """The weakest stored cost that is accepted."""
    return _FLOORS[algorithm]


def insecure_cost_for_tests() -> HashCost:
    """Almost no cost, so that tests run fast. Accepted only where it is given as the floor, too."""
    return HashCost(algorithm="argon2id", passes=1, memory_kib=64, lanes=1)
