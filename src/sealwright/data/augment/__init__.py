"""Made-up rows for groups that are too small: drawn from what a group's columns look like, measured, marked for ever.

Answers: which rows could stand in training, how like real ones they are, whether they help, and whether they are somebody?
Does not answer: who is missing; that is `data.diversity`. Made-up rows add no knowledge about people nobody asked.
Names load on first use: everything but the spec needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.augment.errors import TooClose as TooClose
    from sealwright.data.augment.errors import TooFewToLearnFrom as TooFewToLearnFrom
    from sealwright.data.augment.identifiers import PREFIX as PREFIX
    from sealwright.data.augment.making import Made as Made
    from sealwright.data.augment.making import MadeGroup as MadeGroup
    from sealwright.data.augment.making import make_rows as make_rows
    from sealwright.data.augment.measuring import augment as augment
    from sealwright.data.augment.measuring import judge as judge
    from sealwright.data.augment.measuring import refuse_too_close as refuse_too_close
    from sealwright.data.augment.report import Area as Area
    from sealwright.data.augment.report import Augmented as Augmented
    from sealwright.data.augment.report import Closeness as Closeness
    from sealwright.data.augment.report import ColumnFidelity as ColumnFidelity
    from sealwright.data.augment.report import Compared as Compared
    from sealwright.data.augment.report import Fidelity as Fidelity
    from sealwright.data.augment.report import PairFidelity as PairFidelity
    from sealwright.data.augment.report import Usefulness as Usefulness
    from sealwright.data.augment.spec import AugmentGroup as AugmentGroup
    from sealwright.data.augment.spec import AugmentSpec as AugmentSpec
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Making rows up", extra="build", libraries=("imblearn", "numpy", "pyarrow", "scipy", "sklearn"))
    )
