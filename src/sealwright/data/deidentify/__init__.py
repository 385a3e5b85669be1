"""De-identification: columns changed by a recipe, rows made indistinguishable, what risk stays written down.

Answers: what may leave this room, and how likely is it that somebody is found in it all the same?
Does not answer: is it still personal data. It is, while anybody can find a person in it (GDPR, recital 26).
Names load on first use; everything but the recipe itself needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.deidentify.contract import resulting_contract as resulting_contract
    from sealwright.data.deidentify.errors import ColumnsNotDecided as ColumnsNotDecided
    from sealwright.data.deidentify.errors import LimitsNotReached as LimitsNotReached
    from sealwright.data.deidentify.errors import SafeHarborNotReached as SafeHarborNotReached
    from sealwright.data.deidentify.measuring import Diversity as Diversity
    from sealwright.data.deidentify.measuring import Measured as Measured
    from sealwright.data.deidentify.measuring import measure as measure
    from sealwright.data.deidentify.pseudonyms import pseudonyms_of as pseudonyms_of
    from sealwright.data.deidentify.releasing import Keys as Keys
    from sealwright.data.deidentify.releasing import Released as Released
    from sealwright.data.deidentify.releasing import release as release
    from sealwright.data.deidentify.report import DeidentifyReport as DeidentifyReport
    from sealwright.data.deidentify.risk import ASSUMED as ASSUMED
    from sealwright.data.deidentify.risk import STILL_PERSONAL as STILL_PERSONAL
    from sealwright.data.deidentify.risk import Risk as Risk
    from sealwright.data.deidentify.risk import risk_of as risk_of
    from sealwright.data.deidentify.spec import SAFE_HARBOR as SAFE_HARBOR
    from sealwright.data.deidentify.spec import DeidentifySpec as DeidentifySpec
    from sealwright.data.deidentify.spec import Enforce as Enforce
    from sealwright.data.deidentify.spec import Quasi as Quasi
    from sealwright.data.deidentify.spec import Sensitive as Sensitive
    from sealwright.data.deidentify.tables import table_bytes as table_bytes
    from sealwright.data.deidentify.tables import table_of_file as table_of_file
    from sealwright.data.deidentify.vault import PseudonymVault as PseudonymVault
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("De-identifying data", extra="build", libraries=("numpy", "pyarrow", "scipy"))
    )
