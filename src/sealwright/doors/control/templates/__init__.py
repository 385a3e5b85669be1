"""The console's templates: escaped, strict about names, and never made from text that came from outside.

Jinja2 escapes every value (`autoescape`); before that, what no page may hold (control characters, marks that turn the
direction of text) becomes a visible mark. Templates are files of this folder only.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sealwright.doors.control.limits_picture import limits_picture
from sealwright.doors.control.qr_code import qr_code
from sealwright.doors.control.statics import STATIC_INTEGRITY, STATIC_NAMES
from sealwright.kernel import page_text

__all__ = ["render"]


def render(name: str, values: Mapping[str, Any]) -> str:
    """The page of one template."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("sealwright.doors.control", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"], made.globals["integrity"] = STATIC_NAMES, STATIC_INTEGRITY
    made.filters["short"] = _short
    made.filters["qr_code"] = qr_code
    made.filters["limits_picture"] = limits_picture
    return made


def _shown(value: Any) -> Any:
    """Text as a page may hold it; what is markup already stays as it is."""
    return page_text(value) if type(value) is str else value


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
