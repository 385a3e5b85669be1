"""Which columns go into a training: features and target, and whose rows they are where a mitigation learns by that."""

from sealwright.data import DataSpec
from sealwright.kernel import InvalidInput
from sealwright.training import TrainingSpec

__all__ = ["columns_learned_from"]


def columns_learned_from(data: DataSpec, training: TrainingSpec) -> list[str]:
    """Names of columns, features first. A column that only forms groups is no feature and goes no further.

    Raises
    ------
    InvalidInput
        The mitigation names a column that the data does not have, or does not read.
    """
    groups = list(training.mitigation.columns) if training.mitigation is not None else []
    read = [name for name, column in data.columns.items() if column.role != "ignore"]
    absent = [name for name in groups if name not in read]
    if absent:
        raise InvalidInput(
            f"training.mitigation names {', '.join(absent)}, which the data section does not read.\n"
            "Give the column the role `sensitive` there: it is then kept to form groups and is not given to the model."
        )
    return list(dict.fromkeys([*data.features, data.target, *groups]))
