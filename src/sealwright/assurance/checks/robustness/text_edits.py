"""Documents a little wrong: mistyped, in capitals, with look-alike letters, in other words, cut off."""

from functools import partial

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import Check, Outcome
from sealwright.assurance.disturbance import Disturbance, Steps
from sealwright.assurance.features import Features
from sealwright.assurance.lighter import lighter
from sealwright.assurance.modality import TEXT
from sealwright.assurance.spoiling import spoiled, spoiling_files
from sealwright.assurance.text.edits import EDITS, Edit, synonym_edit
from sealwright.assurance.text.lexicon import synonyms
from sealwright.assurance.text.words import spans_of

__all__ = ["CHECK"]

_PREFIX = "robustness.text"
_STEPS = Steps(strengths=lambda spec: spec.text.shares, reported=lambda spec: spec.text.reported_at)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    text = case.spec.text
    known = synonyms(text.synonyms, english=text.english)
    ways = {**EDITS, "synonyms": (synonym_edit(known), "other words")}
    kinds = [
        Disturbance(
            name=name,
            title=title,
            words=f"{{share}} of the words of every document are touched ({title})",
            along="share of words",
            steps=_STEPS,
            disturb=partial(_edited, edit),
            impossible=partial(_too_few_known, known) if name == "synonyms" else lambda _case: "",
            note=lambda _case: "",
        )
        for name, (edit, title) in ways.items()
    ]
    return spoiled(lighter(case, text.documents), _PREFIX, kinds, rng, "Spoiled documents", "share of words touched")


def _edited(edit: Edit, _case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    texts = np.array([[edit(text, strength, rng)] for text in features.strings[:, 0]], dtype=object)
    return features.with_strings(texts.reshape(features.strings.shape))


def _too_few_known(known: dict[str, tuple[str, ...]], case: Case) -> str:
    """Why synonyms say nothing here, or ""."""
    some, smallest = case.test.features.strings[: case.spec.text.documents, 0], case.spec.smallest_group
    able = sum(any(text[start:end].lower() in known for start, end in spans_of(text)) for text in some)
    if able >= min(smallest, len(some)):
        return ""
    return (
        f"{able} of {len(some)} documents have a word with a known synonym, fewer than {smallest};"
        " declare some under assurance.text.synonyms"
    )


CHECK = Check(name="robustness.text_edits", files=spoiling_files(_PREFIX), run=_run, modality=TEXT)
