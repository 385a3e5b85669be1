"""The request as a pydantic model, as the documentation of FastAPI and BentoML asks for it."""

from credit import NUMBERS, STRINGS
from pydantic import BaseModel, create_model

__all__ = ["Rows", "Row"]

Row: type[BaseModel] = create_model("Row", **dict.fromkeys(NUMBERS, float), **dict.fromkeys(STRINGS, str))  # type: ignore[call-overload]


class Rows(BaseModel):
    """Some rows."""

    rows: list[Row]
