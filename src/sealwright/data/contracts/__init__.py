"""Contract checks for any pipeline: a file or a data frame against a contract that stands alone.

Answers: does this table keep its contract, which rule is broken where, and how often?
Does not answer: is the data good for a purpose. Quality is measured elsewhere.
Names load on first use; checking needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.contracts.carried import Exported as Exported
    from sealwright.data.contracts.carried import Imported as Imported
    from sealwright.data.contracts.checking import check_contract as check_contract
    from sealwright.data.contracts.column import ContractColumn as ContractColumn
    from sealwright.data.contracts.drafting import Drafted as Drafted
    from sealwright.data.contracts.drafting import draft_contract as draft_contract
    from sealwright.data.contracts.interchange import TOOLS as TOOLS
    from sealwright.data.contracts.interchange import export_contract as export_contract
    from sealwright.data.contracts.interchange import import_contract as import_contract
    from sealwright.data.contracts.model import Contract as Contract
    from sealwright.data.contracts.model import CsvReading as CsvReading
    from sealwright.data.contracts.model import RowLimits as RowLimits
    from sealwright.data.contracts.model import RowRule as RowRule
    from sealwright.data.contracts.reading import as_contract as as_contract
    from sealwright.data.contracts.reading import read_contract as read_contract
    from sealwright.data.contracts.report import RULES as RULES
    from sealwright.data.contracts.report import Breach as Breach
    from sealwright.data.contracts.report import ContractBroken as ContractBroken
    from sealwright.data.contracts.report import ContractReport as ContractReport
    from sealwright.data.contracts.writing import contract_text as contract_text
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Checking data", extra="build", libraries=("polars", "pyarrow"))
    )
