"""What this package needs to know of a data contract. `DataSpec` has it all; so may other tables.

A protocol, because the contract names the blocks of this package and cannot be imported by it.
"""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["ColumnLike", "ContractLike"]


class ColumnLike(Protocol):
    """One column of a contract."""

    @property
    def type(self) -> str: ...

    @property
    def nullable(self) -> bool: ...

    @property
    def categories(self) -> tuple[str, ...] | None: ...

    @property
    def data_class(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def bounds(self) -> tuple[float | None, float | None]: ...


class ContractLike(Protocol):
    """A contract: its columns, what is predicted, and who a row is about."""

    @property
    def columns(self) -> Mapping[str, ColumnLike]: ...

    @property
    def target(self) -> str: ...

    @property
    def positive(self) -> str | None: ...

    @property
    def task(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def subject(self) -> str | None: ...
