"""Contract checks for any pipeline: a file or a data frame against a contract that stands alone.

Answers: does this table keep its contract, which rule is broken where, and how often?
Does not answer: is the data good for a purpose. Quality is measured elsewhere.
Names load on first use; checking needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.contracts.carried import Exported, Imported
    from sealwright.data.contracts.checking import check_contract
    from sealwright.data.contracts.column import ContractColumn
    from sealwright.data.contracts.drafting import Drafted, draft_contract
    from sealwright.data.contracts.interchange import TOOLS, export_contract, import_contract
    from sealwright.data.contracts.model import Contract, CsvReading, RowLimits, RowRule
    from sealwright.data.contracts.reading import as_contract, read_contract
    from sealwright.data.contracts.report import RULES, Breach, ContractBroken, ContractReport
    from sealwright.data.contracts.writing import contract_text

__all__ = [
    "Breach",
    "Contract",
    "ContractBroken",
    "ContractColumn",
    "ContractReport",
    "CsvReading",
    "RULES",
    "RowLimits",
    "RowRule",
    "Drafted",
    "Exported",
    "Imported",
    "TOOLS",
    "as_contract",
    "check_contract",
    "contract_text",
    "draft_contract",
    "export_contract",
    "import_contract",
    "read_contract",
]

_HOME = {
    "carried": ("Exported", "Imported"),
    "checking": ("check_contract",),
    "drafting": ("Drafted", "draft_contract"),
    "interchange": ("TOOLS", "export_contract", "import_contract"),
    "column": ("ContractColumn",),
    "model": ("Contract", "CsvReading", "RowLimits", "RowRule"),
    "reading": ("as_contract", "read_contract"),
    "report": ("Breach", "ContractBroken", "ContractReport", "RULES"),
    "writing": ("contract_text",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.contracts has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.contracts.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "polars"}:
            raise MissingExtra("Checking data", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
