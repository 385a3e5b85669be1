"""Templates of pages: escaped, strict about names, with the filters that write numbers and digests for people.

What turns the direction of text or steers a reader becomes a visible mark before it is escaped.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra, page_text
from sealwright.oversight.report.words import number_words, plain_check

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["page_template"]


def page_template(name: str, filters: Mapping[str, Callable[..., Any]] | None = None) -> "Template":
    """A template of this folder; a name it does not know is an error, not an empty place.

    Raises
    ------
    MissingExtra
        The template library is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("Writing a page", "build") from None
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number_words, "check": plain_check, "short": _short, **(filters or {})}
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """Text as a page may hold it; what is markup already stays as it is."""
    return page_text(value) if type(value) is str else value


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
