"""The answering of a version: what was learned about rows and answers at training, and what its project says, for the package.

Answers: which file goes beside the model, so that odd rows and unsure answers are dealt with as the project wants?
Does not answer: how they are dealt with; `serving` does. A model trained privately has learned nothing here; the record of
its training says so.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sealwright.kernel import InvalidInput, strict_json
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.runs import Run
from sealwright.serving import answering_document, answers_learned, answers_wanted

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["answering_of", "learned_for_answers", "refuse_unclear_answers"]

_PRIVATE = "of a private training, what its rows look like would tell more than the privacy budget allows"


def refuse_unclear_answers(desk: Desk) -> None:
    """Say, before anything is trained, what is unclear about the answers the project asks for.

    Raises
    ------
    InvalidInput
        Settings that do not fit the target.
    """
    spec = desk.project.spec
    problems = answers_wanted(spec.serving, spec.data.classes if spec.data.task != "regression" else ())
    if problems:
        raise InvalidInput("The answers the project asks for cannot be given:\n  " + "\n  ".join(problems))


def learned_for_answers(
    desk: Desk, model: bytes, interface: Mapping[str, Any], rows: "pa.Table", apart: "pa.Table"
) -> tuple[bytes | None, str]:
    """What a model that was let in shows on rows it learned from and on rows kept apart; or None, and why."""
    if desk.project.spec.training.privacy is not None:
        return None, _PRIVATE
    from sealwright.assurance import (
        pack,
        read_interface,
        true_classes,
        true_values,
    )  # asks for the libraries of training

    shape = read_interface(interface)
    train, tests = pack(rows, shape), pack(apart, shape)
    truth = true_values(apart, shape) if shape.task == "regression" else true_classes(apart, shape)
    return answers_learned(model, interface, (train.numbers, train.strings), (tests.numbers, tests.strings), truth)


def answering_of(desk: Desk, run: Run) -> bytes | None:
    """The file `answering.json` of a run, as the project stands now; None where there is nothing to say.

    Raises
    ------
    InvalidInput
        What the project asks for does not fit, or this model has not learned it.
    """
    trained = run.product("train")
    learned = desk.runs.fetch(trained["answers"]) if "answers" in trained else None
    interface = strict_json(desk.runs.fetch(trained["interface"]), what="interface.json")
    return answering_document(learned, trained["model"], interface, desk.project.spec.serving)
