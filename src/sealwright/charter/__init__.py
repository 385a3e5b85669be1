"""Why a model exists, who answers for it, how much may depend on it, and what it must reach.

Answers: what was promised, by whom, and was it promised before the results were known?
Does not answer: whether the promise was kept. The gate in `evidence` decides that.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.charter.freeze import CHARTER_TYPE as CHARTER_TYPE
    from sealwright.charter.freeze import FrozenCharter as FrozenCharter
    from sealwright.charter.freeze import charter_subjects as charter_subjects
    from sealwright.charter.freeze import freeze_charter as freeze_charter
    from sealwright.charter.freeze import read_charter as read_charter
    from sealwright.charter.model import CharterSpec as CharterSpec
    from sealwright.charter.model import Objective as Objective
    from sealwright.charter.model import RiskClass as RiskClass
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
