"""What can stop a training, each with a code of its own."""

from sealwright.kernel import InvalidInput, OperationFailed, Refused

__all__ = ["ModelUnusable", "RecipeFailed", "TrainingLimit", "UntrainableData"]


class UntrainableData(InvalidInput):
    """The rows cannot teach anything: one class, a constant target, too few rows, no feature."""

    code = "training.data"


class RecipeFailed(InvalidInput):
    """Your own training code raised an error, or returned something we cannot use.

    `trace` holds the lines of the traceback that lie in your files, cleaned for a terminal.
    """

    code = "training.recipe_failed"

    def __init__(self, message: str, *, trace: str = "") -> None:
        self.trace = trace
        super().__init__(f"{message}\n{trace}".rstrip())


class TrainingLimit(OperationFailed):
    """The training reached one of its limits and was ended."""

    code = "training.limit"


class ModelUnusable(Refused):
    """What came out of the confinement is not an answer, or not a model in our form."""

    code = "training.model_unusable"
    status = 422
