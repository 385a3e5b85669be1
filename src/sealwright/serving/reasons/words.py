"""Values as people read and send them: whole numbers without a point, dates as dates, yes and no as such."""

from datetime import date, timedelta

from sealwright.serving.contract import Feature

__all__ = ["told_value"]

_EPOCH = date(1970, 1, 1)


def told_value(feature: Feature, value: float | str) -> int | float | bool | str:
    """A value of the model's inputs in the form in which a request holds it."""
    if isinstance(value, str):
        return value
    match feature.kind:
        case "boolean":
            return bool(value)
        case "integer":
            return round(value)
        case "date":
            return (_EPOCH + timedelta(days=round(value))).isoformat()
        case _:
            return float(f"{value:.7g}")
