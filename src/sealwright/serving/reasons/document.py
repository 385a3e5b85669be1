"""The file `explainer.json` of a package: what reasons need besides the model.

Answers: whom is a row compared with, in which words are reasons given, and what may change about a row?
Does not answer: what the model computes. That is read from the verified model beside it, whose digest stands here.

It holds no row: counts per leaf or means per column of the rows learned from, one usual value per feature, and quantiles.
It is signed with the package. A package without it is whole; it then gives no reasons.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sealwright.kernel import VerificationFailed
from sealwright.registry import Link
from sealwright.serving.reasons.model import Reference

__all__ = ["MOST_BYTES", "Move", "Notice", "ReasonsDocument", "Sentence", "read_document"]

MOST_BYTES = 4 << 20
_Count = Annotated[int, Meta(ge=0)]


class Sentence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a feature is named as a reason."""

    code: str
    text: str
    inquiries: bool = False  # counts of enquiries come on top of the four principal reasons (15 U.S.C. 1681m, 1681g(f))


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What principal reasons are made of."""

    adverse: str  # the class that is a refusal
    sentences: dict[str, Sentence]
    protected: tuple[str, ...] = ()


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a feature may change, and to which values a search tries to move it."""

    price: Annotated[float, Meta(gt=0)]
    scale: Annotated[float, Meta(gt=0)] = 1.0  # one standard deviation of a number
    numbers: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    whole: bool = False
    direction: Literal["", "up", "down"] = ""


class ReasonsDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in the file."""

    format: Literal[1]
    model: str  # digest of the model it goes with
    link: Link
    toward: str  # "" where each answer is explained for its own class, or is a value
    reference: Reference
    counts: tuple[_Count, ...] = ()  # trees: rows of the reference in each leaf
    everyone: tuple[_Count, ...] = ()  # trees: all rows in each leaf, for branches that no row of the reference takes
    means: tuple[float, ...] = ()  # linear: mean of each column of the matrix over the reference
    usual: dict[str, float | str | None] = {}  # per feature: median, or commonest text, over the reference
    notice: Notice | None = None
    moves: dict[str, Move] = {}


_DECODER = msgspec.json.Decoder(ReasonsDocument)


def read_document(data: bytes, *, model: str) -> ReasonsDocument:
    """Read the file beside the model of this digest.

    Raises
    ------
    VerificationFailed
        It is too large, is no such document, or is about another model.
    """
    if len(data) > MOST_BYTES:
        problem = f"it has {len(data):,} bytes; at most {MOST_BYTES:,} are read"
    else:
        try:
            found = _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            problem = str(error)[:200]
        else:
            if found.model == model:
                return found
            problem = "it is about another model"
    raise VerificationFailed(
        f"The package's explainer cannot be used: {problem}. Build the version again.", link="package/explainer.json"
    )
