"""The console's templates: escaped, strict about names, and never made from text that came from outside.

Jinja2 escapes every value (`autoescape`); before that, what no page may hold (control characters, marks that turn the
direction of text) becomes a visible mark. Templates are files of this folder only.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sealwright.doors.control.qr_code import qr_code
from sealwright.doors.control.statics import STATIC_INTEGRITY, STATIC_NAMES
from sealwright.doors.rollout_picture import picture_of
from sealwright.kernel import page_text
from sealwright.pipeline import Verdict

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
    made.filters["limits_picture"] = _limits_picture
    return made


def _shown(value: Any) -> Any:
    """Text as a page may hold it; what is markup already stays as it is."""
    return page_text(value) if type(value) is str else value


def _limits_picture(verdict: Verdict) -> Markup:
    """The limits of a rollout; what text stands in it is escaped there."""
    return Markup(picture_of(verdict, classes=True))  # noqa: S704 # nosec B704 - numbers, and words of ours, escaped


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
