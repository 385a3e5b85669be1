"""The model that may answer now: held only while its release can be verified.

How it fails, on purpose:

- At start, anything that does not verify means no start.
- A pointer file that does not verify, or is older than one seen before, changes nothing about the
  model in service: that one was verified and its own pointer still holds, until it expires. The
  server reports itself not ready meanwhile, so that traffic goes elsewhere and somebody looks.
- A verified newer pointer ends the older one at once. If the package it names cannot be verified,
  nothing answers: what was withdrawn is not served because its successor is broken.
- A newer list of revoked keys has everything in service verified anew; what does not hold any more is withdrawn, and
  so is everything when that list is missing, unverifiable or older than one seen before.
- A pointer that expires, a package that is revoked, a revocation list that is missing, unverifiable
  or older than one seen before: nothing answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from sealwright.kernel import Clock, SealwrightError, VerificationFailed, hex_of, read_limited, rfc3339
from sealwright.registry import (
    PointerExpired,
    PointerFacts,
    RevocationList,
    verify_package,
    verify_pointer,
    verify_revocations,
)
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.answering import Answering
from sealwright.serving.believed import Believed
from sealwright.serving.contract import Contract, contract_of
from sealwright.serving.engine import Engine
from sealwright.serving.openapi import openapi_of
from sealwright.serving.problems import NotReady
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol
from sealwright.serving.reasons import Explainer
from sealwright.serving.state import StateFile
from sealwright.trust import TrustRoot

__all__ = ["Holder", "Served"]

_MOST_POINTER_BYTES = 1 << 20
_MOST_REVOCATION_BYTES = 16 << 20
_Note = Callable[[str, str, Mapping[str, object]], None]


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


class Holder:
    """Watches pointer and revocations of one channel. `refresh` runs on one thread; `serving` on another."""

    def __init__(
        self,
        *,
        home: Path,
        project: str,
        channel: str,
        trust_root: TrustRoot,
        state: StateFile,
        clock: Clock,
        most_rows: int,
        note: _Note,
    ) -> None:
        self._pointer = home / "pointers" / project / f"{channel}.json"
        self._revocations = home / "revocations.json"
        self._packages = home / "packages"
        self._project, self._channel = project, channel
        self.believed = Believed(trust_root, home, state)
        self._root = trust_root  # as of the last look
        self._state, self._clock, self._most_rows, self._note = state, clock, most_rows, note
        self._served: Served | None = None
        self._why = "nothing has been released yet"
        self._seen: tuple[object, ...] = ()

    def start(self) -> None:
        """Verify and load the current release.

        Raises
        ------
        VerificationFailed
            No pointer, or something about it, the revocations or the package does not hold.
        """
        self._seen = self._files_now()
        self._take(self._look())

    def refresh(self) -> None:
        """Look again if a file changed, or if the last look failed. Never raises for what it finds."""
        now = self._files_now()
        if now == self._seen and not self._why:
            return
        self._seen = now
        before = self._why
        try:
            self._take(self._look())
        except (SealwrightError, OSError) as error:
            if isinstance(error, _Withdrawn):
                self._served = None
            self._why = _reason(error)
            if self._why != before:
                served = self._served
                self._note("serving.release_refused", served.package if served else "", {"reason": self._why})

    def serving(self) -> Served:
        """The model that may answer now.

        Raises
        ------
        NotReady
            There is none.
        """
        served = self._served
        if served is None or self._clock().timestamp() >= served.expires:
            raise NotReady
        return served

    def not_ready(self) -> str:
        """Why traffic should go elsewhere, or ""."""
        served = self._served
        if served is None or self._why:
            return self._why or "nothing is served"
        return "the release has expired" if self._clock().timestamp() >= served.expires else ""

    def _look(self) -> PointerFacts:
        """Verify revocations and pointer, and remember the newest of each before acting on them."""
        self._root = self._keys_to_believe()
        revoked = self._revoked()
        if self._served is not None and self._served.package in revoked.packages:
            raise _Withdrawn("The package in service was revoked. Promote another version.", link="revocations")
        facts = self._newest_pointer()
        same = facts.sequence == self._state.now.sequence
        if same and facts.digest != self._state.now.pointer:
            raise VerificationFailed(
                f"There are two different pointers with sequence {facts.sequence}; one of them is a fork.",
                link="pointer",
            )
        self._state.change(sequence=facts.sequence, pointer=facts.digest)
        if facts.package in revoked.packages:
            raise _Withdrawn("The released package is revoked. Promote another version.", link="revocations")
        if revoked.sequence < facts.revocations:
            raise _Withdrawn(
                f"The pointer was signed when revocation list {facts.revocations} was known; "
                f"the one here is number {revoked.sequence}. Bring the newest revocations.json.",
                link="revocations",
            )
        return facts

    def _newest_pointer(self) -> PointerFacts:
        try:
            return verify_pointer(
                self._read(self._pointer, _MOST_POINTER_BYTES, "pointer"),
                self._root,
                project=self._project,
                channel=self._channel,
                now=self._clock(),
                at_least=self._state.now.sequence,
            )
        except PointerExpired as error:  # ours, for this place, not older than the one in service, and over
            raise _Withdrawn(str(error), link="pointer") from error
        except VerificationFailed as error:
            if self._served is None or self._served.keys == self._state.now.key_revocations:
                raise
            raise _Withdrawn(str(error), link="pointer") from error  # what is in service rests on a revoked key

    def _take(self, facts: PointerFacts) -> None:
        """Put the verified pointer's package into service."""
        expires = facts.expires.timestamp()
        served = self._served
        same_keys = served is not None and served.keys == self._state.now.key_revocations
        if served is not None and served.package == facts.package and served.number == facts.number and same_keys:
            newer = replace(served, sequence=facts.sequence, expires=expires)
        else:
            try:
                newer = self._load(facts, expires)
            except SealwrightError as error:
                raise _Withdrawn(str(error), link=getattr(error, "link", "") or "package") from error
        if served is None or served.sequence != newer.sequence:
            self._note(
                "serving.release_taken",
                newer.package,
                {
                    "channel": self._channel,
                    "expires": rfc3339(facts.expires),
                    "number": newer.number,
                    "pointer": facts.digest,
                    "sequence": newer.sequence,
                },
            )
        self._served, self._why = newer, ""

    def _load(self, facts: PointerFacts, expires: float) -> Served:
        package = verify_package(self._packages / hex_of(facts.package), self._root, now=self._clock())
        if package.digest != facts.package:
            raise VerificationFailed("The folder holds another package than the pointer names.", link="package")
        contract = contract_of(package.interface)
        if contract.project != self._project:
            raise VerificationFailed("The released package belongs to another project.", link="package/interface.json")
        openapi = openapi_of(contract, number=facts.number, package=facts.package, most_rows=self._most_rows)
        answering = Answering.of(package.files.get("answering.json"), package.model_bytes, package.interface, contract)
        return Served(
            number=facts.number,
            package=facts.package,
            sequence=facts.sequence,
            expires=expires,
            keys=self._state.now.key_revocations,
            contract=contract,
            engine=OnnxEngine(package.model_bytes, contract),
            answering=answering,
            explainer=Explainer.of(package.files.get("explainer.json"), package.model_bytes, contract),
            named=NamedProtocol(answering.asked, most_rows=self._most_rows),
            oip=OipProtocol(answering.asked, most_rows=self._most_rows),
            openapi=msgspec.json.encode(openapi),
            told={"project": self._project, "number": facts.number, "package": facts.package},
        )

    def _revoked(self) -> RevocationList:
        """The revoked packages. A list that was seen once may never go missing or back."""
        least = self._state.now.revocations
        if not self._revocations.exists() and least == 0:
            return RevocationList(sequence=0, issued_at=self._clock(), packages={}, digest="")
        try:
            found = verify_revocations(
                self._read(self._revocations, _MOST_REVOCATION_BYTES, "revocations"), self._root, at_least=least
            )
        except SealwrightError as error:
            raise _Withdrawn(str(error), link="revocations") from error
        self._state.change(revocations=found.sequence)
        return found

    def _keys_to_believe(self) -> TrustRoot:
        """The keys to believe now."""
        try:
            return self.believed.look()
        except SealwrightError as error:
            raise _Withdrawn(str(error), link="key-revocations") from error

    def _read(self, path: Path, most: int, link: str) -> bytes:
        try:
            return read_limited(path, most)
        except SealwrightError as error:
            raise VerificationFailed(str(error), link=link) from None

    def _files_now(self) -> tuple[object, ...]:
        """What tells that a watched file changed."""
        return tuple(_mark(path) for path in (self._pointer, self._revocations, *self.believed.files))


class _Withdrawn(VerificationFailed):
    """What is in service may not stay there."""

    code = "serving.withdrawn"


def _reason(error: Exception) -> str:
    """A stable word for logs and the ready address: the code and the link that broke."""
    if not isinstance(error, SealwrightError):
        return "the state cannot be written"
    return f"{error.code} {getattr(error, 'link', '')}".strip()


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
