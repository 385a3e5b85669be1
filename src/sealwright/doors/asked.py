"""What somebody asks for at a door, checked before any work: a day, a moment, a file to write, a risk class.

The command line and the notebook ask the same questions; here they get the same answers, in the same words.
"""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.charter import RiskClass

__all__ = ["day_of", "moment_asked", "moment_of", "risk_class_named", "writable"]


def day_of(text: str | None) -> date | None:
    """A day like 2026-03-01.

    Raises
    ------
    InvalidInput
        It is not written so, or there is no such day.
    """
    from sealwright.kernel import InvalidInput

    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise InvalidInput(f"Expected a day like 2026-03-01; got {text[:40]!r}.") from None


def moment_of(text: str | None) -> datetime | None:
    """A time like 2026-03-01T09:30:00Z, or a day, which means its first moment in UTC.

    Raises
    ------
    InvalidInput
        Neither.
    """
    from sealwright.kernel import from_rfc3339

    if text is None:
        return None
    return from_rfc3339(f"{day_of(text)}T00:00:00Z" if len(text) == len("2026-03-01") else text)


def moment_asked(said: str | date | None) -> datetime | None:
    """As `moment_of`, for somebody who may also have a time or a day at hand.

    Raises
    ------
    InvalidInput
        None of these.
    """
    from sealwright.kernel import InvalidInput

    if isinstance(said, datetime):
        return said
    if said is None or isinstance(said, (str, date)):
        return moment_of(None if said is None else str(said))
    raise InvalidInput(f"Expected a day like 2026-03-01 or a time; got {type(said).__name__}.")


def writable(to: Path | None, *, make: bool = False) -> Path | None:
    """A file that shall be written, refused before any work if it cannot be.

    Parameters
    ----------
    make : bool
        Its folder is made where there is none.

    Raises
    ------
    InvalidInput
        Its folder is missing or is a file, or it is a folder itself.
    """
    from sealwright.kernel import InvalidInput

    if to is not None and not to.parent.is_dir() and (to.parent.exists() or not make):
        raise InvalidInput(f"There is no folder {to.parent} to write {to.name} into. Make it first.")
    if to is not None and to.is_dir():
        raise InvalidInput(f"{to} is a folder. Name the file to write.")
    return to


def risk_class_named(name: str) -> "RiskClass":
    """The risk class of this name.

    Raises
    ------
    InvalidInput
        There is none.
    """
    from sealwright.charter import RiskClass
    from sealwright.kernel import InvalidInput

    try:
        return RiskClass(name)
    except ValueError:
        classes = ", ".join(one.value for one in RiskClass)
        raise InvalidInput(f"There is no risk class {str(name)[:40]!r}. The classes are: {classes}.") from None
