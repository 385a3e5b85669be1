"""The explainer and the answering of a package, read without their room: a sound file, and about which model?

Answers: which model does this document say it goes with?
Does not answer: whether it fits that model. `serving` refuses one that does not, when it loads it.
"""

from sealwright.kernel import InvalidInput, canonical_json, strict_json

__all__ = ["model_explained_in"]

_MOST_BYTES = 4 << 20


def model_explained_in(data: bytes, name: str = "explainer.json") -> str:
    """The digest of the model that a document is about.

    Raises
    ------
    InvalidInput
        It is too large, no JSON in one spelling, or names no model.
    """
    if len(data) > _MOST_BYTES:
        raise InvalidInput(f"{name} has at most {_MOST_BYTES:,} bytes; this one has {len(data):,}.")
    found = strict_json(data, what=name, most_bytes=_MOST_BYTES)
    if not isinstance(found, dict) or canonical_json(found) != data or not isinstance(found.get("model"), str):
        raise InvalidInput(f"{name} is canonical JSON, an object that names its model.")
    return str(found["model"])
