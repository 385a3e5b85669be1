"""The limits of a rollout as a picture in a page of the console."""

from markupsafe import Markup

from sealwright.doors.rollout_picture import picture_of
from sealwright.pipeline import Verdict

__all__ = ["limits_picture"]


def limits_picture(verdict: Verdict) -> Markup:
    """An SVG image without script or style of its own; every word in it is escaped where it is drawn."""
    drawn = picture_of(verdict, classes=True)
    return Markup(drawn)  # noqa: S704 # nosec B704 - the picture is ours; names of measures stand in it escaped
