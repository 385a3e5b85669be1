"""The arms of a pointer: which packages share the requests of one place, in which parts, and in which role.

Answers: is this list of arms well formed, and which packages does it name?
Does not answer: were these packages let through? The signer asks that of the gate's decisions, one for each package.

Shares are in ten-thousandths of the requests. One arm is the champion; at most two challengers answer beside it; shadows
get a copy of requests and answer nobody. A challenger with the share 0 is loaded and waits.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import msgspec

from sealwright.kernel import InvalidInput, check_name, hex_of

__all__ = ["WHOLE", "ArmRole", "PointerArm", "check_arms", "gates_shown", "read_arms", "read_split", "shown_for"]

ArmRole = Literal["champion", "challenger", "shadow"]
WHOLE = 10_000
"""All requests, in the unit of shares."""

_MOST = {"champion": 1, "challenger": 2, "shadow": 2}  # more challengers could not all grow without moving somebody
_FIELDS = frozenset({"name", "package", "number", "share", "role"})
_SPLIT = re.compile(r"[0-9a-f]{32}")
_LARGEST = 2**31 - 1
_SHOWN = msgspec.json.Decoder(list[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerArm:
    """One package of a place. `share` is in 1/10,000 of the requests that are answered."""

    name: str
    package: str
    number: int
    share: int
    role: ArmRole

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def read_arms(value: object) -> tuple[PointerArm, ...]:
    """The arms of a signed pointer, the champion first.

    Raises
    ------
    InvalidInput
        Not a list of arms of this form, or one that `check_arms` refuses.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) and set(one) == _FIELDS for one in value):
        raise InvalidInput("its arms do not have the fields of format 2")
    return check_arms([_arm(one) for one in value])


def check_arms(arms: Sequence[PointerArm]) -> tuple[PointerArm, ...]:
    """The same arms, if together they make sense.

    Raises
    ------
    InvalidInput
        No champion in front, too many of a role, a name, package or number twice, or shares that do not add up.
    """
    wrong = (
        "its first arm is not the champion" if not arms or arms[0].role != "champion"
        else "it has too many arms of one role" if any(
            sum(arm.role == role for arm in arms) > most for role, most in _MOST.items())
        else "a name stands in its arms twice" if len({arm.name for arm in arms}) != len(arms)
        else "a package stands in its arms twice" if len({arm.package for arm in arms}) != len(arms)
        else "a version stands in its arms twice" if len({arm.number for arm in arms}) != len(arms)
        else "a shadow has a share of the answers" if any(arm.share for arm in arms if arm.role == "shadow")
        else f"the shares of its arms do not add up to {WHOLE}" if sum(arm.share for arm in arms) != WHOLE
        else ""
    )  # fmt: skip
    if wrong:
        raise InvalidInput(wrong)
    return tuple(arms)


def read_split(value: object) -> str:
    """The salt by which requests are spread over arms: 16 bytes as hex text.

    Raises
    ------
    InvalidInput
        It is none.
    """
    if not isinstance(value, str) or not _SPLIT.fullmatch(value):
        raise InvalidInput("its split is not 16 bytes as hex text")
    return value


def shown_for(gates: Sequence[bytes]) -> bytes:
    """What the signer is shown with a pointer to arms: the gate's decision on each package, in the order of the arms."""
    return msgspec.json.encode([one.decode() for one in gates])


def gates_shown(shown: bytes) -> list[bytes]:
    """What `shown_for` wrote; nothing where it was not that."""
    try:
        return [one.encode() for one in _SHOWN.decode(shown)]
    except (msgspec.MsgspecError, UnicodeError):
        return []


def _arm(said: Mapping[str, Any]) -> PointerArm:
    if said["role"] not in get_args(ArmRole):
        raise InvalidInput("an arm has no role we know")
    if not isinstance(said["name"], str) or not isinstance(said["package"], str):
        raise InvalidInput("an arm's name or package is not text")
    hex_of(said["package"])
    return PointerArm(
        name=check_name(said["name"], what="arm"),
        package=said["package"],
        number=_count(said["number"], least=1, most=_LARGEST),
        share=_count(said["share"], least=0, most=WHOLE),
        role=cast(ArmRole, said["role"]),
    )


def _count(value: object, *, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(f"an arm's number or share is not a whole number from {least} to {most}")
    return value
