"""Making the file `explainer.json`: rows counted once at training, then put together with what the project says.

Answers: which bytes go beside the model, so that its version gives reasons?
Does not answer: whether a model can be opened up. Where it cannot, `counted_rows` says why, and there is no file.
The server never calls this.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput, SealwrightError, canonical_json
from sealwright.serving.contract import Batch, Contract, Feature, contract_of
from sealwright.serving.reasons.document import MOST_BYTES, Move, Notice, ReasonsDocument, Sentence
from sealwright.serving.reasons.learning import EVERYONE, FEWEST, Learned, Seen, learned_from
from sealwright.serving.reasons.model import Reference

if TYPE_CHECKING:
    from sealwright.serving.spec import ReasonSpec

__all__ = ["MayChange", "counted_rows", "explainer_document"]

_ENDLESS = 9e15  # a contract without a range names the largest number there is
_MOST_TEXTS = 20


class MayChange(Protocol):
    """What a project says about how a feature may change (`assurance.constraints`)."""

    @property
    def fixed(self) -> bool: ...
    @property
    def direction(self) -> Literal["up", "down"] | None: ...
    @property
    def least(self) -> float | None: ...
    @property
    def most(self) -> float | None: ...
    @property
    def whole(self) -> bool | None: ...
    @property
    def categories(self) -> tuple[str, ...] | None: ...
    @property
    def cost(self) -> float: ...


def counted_rows(
    model: bytes, interface: Mapping[str, Any], numbers: NDArray[np.floating], strings: NDArray[np.object_]
) -> tuple[bytes | None, str]:
    """What the rows learned from show about a model that was let in, as bytes to keep; or None, and why.

    Parameters
    ----------
    numbers, strings : arrays, shape (rows, columns)
        The rows learned from, in the order of the interface.
    """
    from sealwright.serving.adapters.onnx import OnnxEngine  # not needed by those who only put the file together

    try:
        contract = contract_of(interface)
        batch = Batch(
            len(numbers),
            numbers.astype(np.float32) if contract.numbers else None,
            strings if contract.strings else None,
        )
        found = learned_from(model, contract, batch, OnnxEngine(model, contract))
    except SealwrightError as error:
        return None, f"it could not be asked about its rows ({error.code})"
    return (None, found) if isinstance(found, str) else (_written(found), "")


def explainer_document(
    counted: bytes,
    interface: Mapping[str, Any],
    *,
    wanted: str,
    reasons: Mapping[str, "ReasonSpec"],
    protected: Collection[str],
    changes: Mapping[str, MayChange],
    still: Collection[str],
) -> bytes:
    """The file.

    Parameters
    ----------
    counted : bytes
        From `counted_rows`.
    wanted : str
        Of two classes the one people hope for; "" for other tasks.
    reasons : mapping
        Feature to code and sentence; {} where none are declared.
    protected : collection
        Protected attributes and declared proxies.
    changes : mapping
        Feature to how it may change; one that is not there may not.
    still : collection
        Features that may not change whatever is said.

    Raises
    ------
    InvalidInput
        Too few rows are decided as wanted to compare a refusal with, or the file would be too large.
    """
    found, contract = msgspec.json.decode(counted, type=Learned), contract_of(interface)
    decided = wanted if wanted in found.populations else EVERYONE
    like = found.populations[decided]
    if reasons and decided == EVERYONE:
        raise InvalidInput(
            f"serving.reasons compares with the rows that the model decides as {wanted or 'wanted'}; of those it learned\n"
            f"from these are fewer than {FEWEST}. Train on more rows, or take serving.reasons out."
        )
    document = ReasonsDocument(
        format=1,
        model=found.model,
        link=found.link,
        toward=wanted,
        reference=Reference(decided=decided, rows=like.rows),
        counts=like.counts,
        everyone=found.populations[EVERYONE].counts,
        means=like.means,
        usual=like.usual,
        notice=_notice(contract, wanted, reasons, protected) if reasons else None,
        moves={
            feature.name: move
            for feature in contract.features
            if feature.name in changes and feature.name not in still and feature.name in found.seen
            for move in (_move(feature, changes[feature.name], found.seen[feature.name]),)
            if move is not None
        },
    )
    data = _written(document)
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"explainer.json would have {len(data):,} bytes; at most {MOST_BYTES:,} are read.")
    return data


def _notice(contract: Contract, wanted: str, reasons: Mapping[str, "ReasonSpec"], protected: Collection[str]) -> Notice:
    return Notice(
        adverse=next(name for name in contract.classes if name != wanted),
        sentences={
            name: Sentence(code=one.code, text=one.text, inquiries=one.inquiries)
            for name, one in sorted(reasons.items())
        },
        protected=tuple(sorted(protected)),
    )


def _move(feature: Feature, change: MayChange, seen: Seen) -> Move | None:
    if change.fixed:
        return None
    if feature.kind == "category":
        levels = change.categories or tuple(sorted(feature.categories))
        common = [text for text in seen.texts if text in levels]
        return Move(price=change.cost, texts=tuple(dict.fromkeys((*common, *levels)))[:_MOST_TEXTS])
    least = feature.low if change.least is None else max(change.least, feature.low)
    most = feature.high if change.most is None else min(change.most, feature.high)
    ends = [None if abs(end) >= _ENDLESS else end for end in (least, most)]
    return Move(
        price=change.cost,
        scale=seen.scale,
        numbers=tuple(sorted({*seen.numbers, *(end for end in ends if end is not None)})),
        least=ends[0],
        most=ends[1],
        whole=seen.whole if change.whole is None else change.whole,
        direction=change.direction or "",
    )


def _written(document: Learned | ReasonsDocument) -> bytes:
    return canonical_json(msgspec.to_builtins(document))
