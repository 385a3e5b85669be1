"""What answers: a verified package compiled for it, and the arms of one pointer beside each other.

Answers: which version answers this request, and with what?
Does not answer: may it? `holder` verified it, and withdraws it.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sealwright.kernel import VerificationFailed
from sealwright.registry import VerifiedPackage
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.adapters.planned import engine_of
from sealwright.serving.answering import Answering
from sealwright.serving.contract import Contract, contract_of
from sealwright.serving.engine import Engine
from sealwright.serving.openapi import openapi_of
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol
from sealwright.serving.reasons import Explainer
from sealwright.serving.splitting import Split
from sealwright.trust import WHOLE, PointerArm

__all__ = ["CHAMPION", "Arms", "Served", "served_of", "split_of"]

CHAMPION = "champion"
"""The arm of a pointer that names one package only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One verified package, compiled for answering. A request keeps the one it began with."""

    number: int
    package: str
    sequence: int
    expires: float  # of the pointer, seconds since 1970
    keys: int  # number of the list of revoked keys it was verified under
    contract: Contract
    engine: Engine
    answering: Answering
    explainer: Explainer | None  # None: this version gives no reasons
    named: NamedProtocol
    oip: OipProtocol
    openapi: bytes
    told: Mapping[str, Any]  # what answers say about the model
    arm: str = CHAMPION
    share: int = WHOLE  # of the requests, in 1/10,000
    aside: bool = False  # a challenger: run apart from the champion


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Everything one pointer lets serve here, loaded.

    A challenger that takes no traffic is replaced by the champion in its place, so that everybody else keeps theirs.
    """

    answering: tuple[Served, ...]  # the champion, then the challengers in the order of the pointer
    shadows: tuple[Served, ...] = ()
    split: Split | None = None  # None: the champion answers all
    several: bool = False  # the pointer names arms, so how each does is counted

    @property
    def champion(self) -> Served:
        return self.answering[0]

    @property
    def loaded(self) -> tuple[Served, ...]:
        return (*self.answering, *self.shadows)

    def choose(self, person: str, body: bytes) -> Served:
        """Who answers this request."""
        return self.answering[0] if self.split is None else self.answering[self.split.arm_of(person, body)]

    def numbered(self, number: str) -> Served | None:
        """The version a caller named, if it answers here and now."""
        return next((one for one in self.answering if one.share and str(one.number) == number), None)

    def without(self, packages: Container[str]) -> "Arms":
        """The same without some of the challengers and shadows."""
        answering = tuple(self.champion if one.package in packages else one for one in self.answering)
        return replace(
            self, answering=answering, shadows=tuple(one for one in self.shadows if one.package not in packages)
        )


def served_of(
    package: VerifiedPackage,
    project: str,
    *,
    number: int,
    sequence: int,
    expires: float,
    keys: int,
    most_rows: int,
    runs: ModelRuns | None,
    no_plan: Callable[[str], None],
) -> Served:
    """Compile a verified package for answering.

    Parameters
    ----------
    sequence, expires, keys
        Of the pointer that names it, and of the list of revoked keys it was verified under.
    runs : ModelRuns, optional
        What bounds its runs.
    no_plan : callable
        Hears why the whole graph serves where a plan was made and did not agree with it.

    Raises
    ------
    VerificationFailed
        It belongs to another project, or what is in it does not go together.
    """
    contract = contract_of(package.interface)
    if contract.project != project:
        raise VerificationFailed("The released package belongs to another project.", link="package/interface.json")
    openapi = openapi_of(contract, number=number, package=package.digest, most_rows=most_rows)
    answering = Answering.of(package.files.get("answering.json"), package.model_bytes, package.interface, contract)
    return Served(
        number=number,
        package=package.digest,
        sequence=sequence,
        expires=expires,
        keys=keys,
        contract=contract,
        engine=engine_of(package.model_bytes, contract, runs=runs, tell=no_plan),
        answering=answering,
        explainer=Explainer.of(package.files.get("explainer.json"), package.model_bytes, contract),
        named=NamedProtocol(answering.asked, most_rows=most_rows),
        oip=OipProtocol(answering.asked, most_rows=most_rows),
        openapi=msgspec.json.encode(openapi),
        told={"project": project, "number": number, "package": package.digest},
    )


def split_of(salt: str, answering: Sequence[PointerArm]) -> Split | None:
    """How requests are spread; None where the champion gets all of them."""
    shares = [arm.share for arm in answering]
    return Split(bytes.fromhex(salt), shares) if any(shares[1:]) else None
