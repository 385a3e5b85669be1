"""Making the file `answering.json`: what was learned at training, put together with what the project says now.

Answers: which bytes go beside the model, so that its version checks rows and answers as the project wants?
Does not answer: whether the settings are wise. What they need and the model lacks is said here, before anything is sealed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sealwright.kernel import InvalidInput, canonical_json
from sealwright.serving.checking.accepting import threshold_for
from sealwright.serving.checking.document import MOST_BYTES, AnsweringDocument, Learned, Output, Threshold
from sealwright.serving.contract import contract_of

if TYPE_CHECKING:
    from sealwright.serving.answer_spec import AnswerSpec

__all__ = ["answering_document", "answers_wanted"]


def answers_wanted(spec: "AnswerSpec", classes: Sequence[str]) -> list[str]:
    """What is unclear about the settings, given the classes of the target (none: a number is predicted)."""
    problems = []
    if isinstance(spec.abstain_below, Mapping):
        unknown = [name for name in spec.abstain_below if name not in classes]
        problems += [f"serving.abstain_below: {name} is no class of the target" for name in unknown]
    if not classes:
        named = {
            "abstain_below": spec.abstain_below is not None,
            "abstain_error": spec.abstain_error is not None,
            "abstain_ambiguous": spec.abstain_ambiguous,
            "calibrate": spec.calibrate is not None,
            "output.classes": spec.output.classes is not None,
            "output.labels_only": spec.output.labels_only,
        }
        problems += [f"serving.{name}: a predicted number has no classes" for name, said in named.items() if said]
    if len(classes) > 2 and spec.calibrate == "isotonic":
        problems.append("serving.calibrate: isotonic is for two classes; take platt")
    return problems


def answering_document(
    learned: bytes | None, model: str, interface: Mapping[str, Any], spec: "AnswerSpec"
) -> bytes | None:
    """The file; None where nothing was learned and nothing is asked for.

    Parameters
    ----------
    learned : bytes, optional
        From `answers_learned`.
    model : str
        Digest of the model.

    Raises
    ------
    InvalidInput
        What the project asks for does not fit its target, or this model has not learned it.
    """
    contract = contract_of(interface)
    problems = answers_wanted(spec, contract.classes)
    found = None if learned is None else msgspec.json.decode(learned, type=Learned)
    problems += _lacking(spec, found)
    if problems:
        raise InvalidInput("The answers the project asks for cannot be given:\n  " + "\n  ".join(problems))
    document = AnsweringDocument(
        format=1,
        model=model,
        mode=spec.out_of_range,
        output=Output(digits=spec.output.digits, classes=spec.output.classes, labels_only=spec.output.labels_only),
        below=_below(spec, contract.classes),
        threshold=_threshold(spec, found),
        ambiguous=spec.abstain_ambiguous,
        above_ood=spec.abstain_above_ood,
        tell_ood=spec.tell_ood,
        coverage=spec.coverage,
        calibrate=spec.calibrate,
        usual=found.usual if found else None,
        calibration=found.calibration if found else None,
        conformal=found.conformal if found else None,
    )
    if found is None and spec.out_of_range == "refuse" and spec.output.plain and not document.below:
        return None
    data = canonical_json(msgspec.to_builtins(document))
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"answering.json would have {len(data):,} bytes; at most {MOST_BYTES:,} are read.")
    return data


def _lacking(spec: "AnswerSpec", found: Learned | None) -> list[str]:
    """What is asked for and was not learned."""
    again = "was not learned for this model: too few rows, a private training, or a training before this was kept"
    limit = found.conformal.limits.get(f"{spec.coverage:g}") if found and found.conformal else None
    asked = {
        "abstain_above_ood": spec.abstain_above_ood is not None and not (found and found.usual),
        "tell_ood": spec.tell_ood and not (found and found.usual),
        "abstain_ambiguous": spec.abstain_ambiguous and limit is None,
        "abstain_error": spec.abstain_error is not None and not (found and found.accepted),
        "calibrate": spec.calibrate is not None and not (found and found.calibration),
    }
    return [f"serving.{name}: what it needs {again}" for name, lacks in asked.items() if lacks]


def _threshold(spec: "AnswerSpec", found: Learned | None) -> Threshold | None:
    return threshold_for(found.accepted, spec.abstain_error) if found and spec.abstain_error is not None else None


def _below(spec: "AnswerSpec", classes: Sequence[str]) -> dict[str, float]:
    said = spec.abstain_below
    return dict(said) if isinstance(said, Mapping) else dict.fromkeys(classes, said) if said is not None else {}
