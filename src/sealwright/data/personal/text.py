"""Find personal data in one text, and mask it.

Answers: where in this text does something stand that names, reaches or numbers a person?
Does not answer: everything. Names that nothing points to, other scripts and nicknames are missed: see the declared recall.
Time is proportional to the length of the text, whatever is in it.
"""

import bisect
import re
from collections.abc import Collection, Iterator

from sealwright.data.personal.detectors import DETECTORS
from sealwright.data.personal.folding import fold
from sealwright.data.personal.model import CONFIDENCES, TEXT_KINDS, Confidence, Kind, Span
from sealwright.data.personal.reading import Reading

__all__ = ["find_in_text", "mask_text"]

_DIGIT, _LETTER = re.compile(r"\d", re.ASCII), re.compile(r"[^\W\d_]")


def find_in_text(text: str, *, kinds: Collection[Kind] = TEXT_KINDS, at_least: Confidence = "medium") -> list[Span]:
    """Find spans of personal data.

    Parameters
    ----------
    text : str
        Anything. Full-width forms, digits of other scripts and invisible characters are read as a person reads them.
    kinds : collection of Kind
        Which kinds to look for.
    at_least : "low", "medium" or "high"
        Low finds more, and more that is none.

    Returns
    -------
    list of Span
        In order, not overlapping, with indices into `text`.

    Raises
    ------
    MissingExtra
        The numbering plans of telephones (extra `build`) are not installed.
    """
    folded = fold(text)
    spans = apart(found_in(folded.text, kinds=kinds, at_least=at_least))
    if folded.at is None:
        return spans
    return [Span(*folded.original(one.start, one.end), one.kind, one.confidence, one.scheme) for one in spans]


def mask_text(
    text: str, *, kinds: Collection[Kind] = TEXT_KINDS, at_least: Confidence = "medium"
) -> tuple[str, list[Span]]:
    """Replace what is found by its kind in capitals, e.g. [EMAIL].

    Returns
    -------
    masked, spans
        The text without them, and where they stood in the original.
    """
    spans = find_in_text(text, kinds=kinds, at_least=at_least)
    parts, place = [], 0
    for span in spans:
        parts += [text[place : span.start], f"[{span.kind.upper()}]"]
        place = span.end
    return "".join((*parts, text[place:])), spans


def found_in(folded: str, *, kinds: Collection[Kind], at_least: Confidence) -> Iterator[Span]:
    """Everything the detectors see in a folded text, overlapping."""
    least = CONFIDENCES.index(at_least)
    reading = Reading(folded)
    digits, letters = _DIGIT.search(folded) is not None, _LETTER.search(folded) is not None
    for detector in DETECTORS:
        if (detector.digits and not digits) or (detector.letters and not letters) or detector.kinds.isdisjoint(kinds):
            continue
        for span in detector.find(reading):
            if span.kind in kinds and CONFIDENCES.index(span.confidence) >= least:
                yield span


def apart(spans: Iterator[Span]) -> list[Span]:
    """Spans that do not overlap: the surer one stays, then the one whose kind comes first, then the longer one.

    Two of one kind that overlap become one.
    """
    ranked = sorted(spans, key=lambda one: (-CONFIDENCES.index(one.confidence), _RANK[one.kind], one.start - one.end))
    taken: list[Span] = []
    starts: list[int] = []
    for span in ranked:
        place = bisect.bisect_left(starts, span.start)
        before = taken[place - 1] if place and taken[place - 1].end > span.start else None
        after = taken[place] if place < len(taken) and taken[place].start < span.end else None
        if before is None and after is None:
            taken.insert(place, span)
            starts.insert(place, span.start)
            continue
        at = place - 1 if before is not None else place
        other = taken[at]
        if (before is not None and after is not None) or other.kind != span.kind:
            continue
        start, end = min(span.start, other.start), max(span.end, other.end)
        if at + 1 < len(taken) and taken[at + 1].start < end:
            continue
        taken[at] = Span(start, end, other.kind, other.confidence, other.scheme)
        starts[at] = start
    return taken


_RANK = {
    kind: place
    for place, kind in enumerate(
        ("url_credentials", "email", "iban", "ip_address", "mac_address", "card", "national_id", "coordinates", "birth_date", "phone", "address", "person_name")
    )
}  # fmt: skip
