"""The signer's judgement: at this door, may this be signed, and then it is.

Answers: one request, from a connection of one role, with a signature or with a refusal that has a reason.
Does not answer: who is at the other end. `standing` and `server` know that before the first word.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sealwright.kernel import Clock, VerificationFailed, system_clock
from sealwright.trust.backends.errors import BACKEND_ERRORS
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.couriers import PlacedSigner
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.holding import Holding
from sealwright.trust.signing.memory_certificates import CertificateMemory
from sealwright.trust.signing.memory_heads import Heads
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.memory_releases import ReleaseMemory
from sealwright.trust.signing.messages import (
    Behind,
    Done,
    Hello,
    Look,
    Looked,
    No,
    Ready,
    Renew,
    Renewed,
    Reply,
    Sign,
    Signature,
    SignHead,
    SignPromise,
    Step,
    StepAfter,
    Take,
)
from sealwright.trust.signing.older_cas import OlderCas
from sealwright.trust.signing.rotating import Rotating
from sealwright.trust.signing.rules_authority import heeding, key_list_let_through
from sealwright.trust.signing.rules_heads import HeadBehind, check_origin_of, promised_origin, sign_next_head
from sealwright.trust.signing.rules_releases import release_let_through
from sealwright.trust.signing.rules_statements import check_model, check_statement
from sealwright.trust.signing.vault import CA_BRANCH, BranchSigner, Vault
from sealwright.trust.trust_root import SECOND_SIGNED

__all__ = ["CONTROL", "HEAD_BRANCHES", "PREDICT", "Door", "SigningService"]

HEAD_BRANCHES = ("checkpoints", "decision-checkpoints")
_PROMISING = "decision-checkpoints"

Asked = Hello | Sign | SignHead | SignPromise | Renew | Take | StepAfter | Look


@dataclass(frozen=True, slots=True)
class Door:
    """What may be asked for over a connection: "control" everything, "predict" heads of some decision logs."""

    role: Literal["control", "predict"]
    origins: frozenset[str] = frozenset()  # the logs of a "predict"; none: it did not say yet, and has nothing signed

    def narrowed(self, origins: Collection[str]) -> "Door":
        """The same door, open only for heads of these logs, for good.

        Raises
        ------
        SignerRefused
            "role.narrow": it was narrowed to others.
        """
        if self.origins and self.origins != set(origins):
            raise SignerRefused("role.narrow", "This connection was narrowed to other logs, and that is for good.")
        return Door("predict", frozenset(origins))


CONTROL = Door("control")
PREDICT = Door("predict")


class SigningService:
    """Holds the keys, and signs what the rules of each branch let through."""

    def __init__(self, vault: Vault, *, clock: Clock = system_clock, holding: Holding | None = None) -> None:
        self._clock = clock
        self._holding = holding or Holding(vault, KeyMemory(vault.memory))
        self._revoked = self._holding.memory
        self._issued = CertificateMemory(vault.memory)
        self._older = OlderCas(self._issued, self._revoked, clock)
        self._rotating = Rotating(self._holding, self._revoked, self._older, clock)
        self._heads = Heads(vault.memory)
        self._releases = ReleaseMemory(vault.memory)

    def beside(self) -> "SigningService":
        """The same judgement with the same keys, for another thread: files of the memory are opened anew, and locked."""
        return SigningService(self._holding.vault, clock=self._clock, holding=self._holding)

    def lane_of(self, door: Door, asked: Asked) -> str | None:
        """What the answer may have to wait for: a device or service, or a change of keys; None: nothing but the disk.

        Requests that wait for the same are answered one after the other, and hold nobody else up.
        """
        if isinstance(asked, Hello) or (door != CONTROL and not isinstance(asked, SignHead | SignPromise)):
            return None
        if not isinstance(asked, Sign | SignHead | SignPromise):
            return "keys"
        with contextlib.suppress(SignerRefused, VerificationFailed):
            signers = self._signers(asked) if isinstance(asked, Sign) else self._of_heads(_branch_of(asked), asked.key)
            for signer in signers:
                if isinstance(signer, PlacedSigner):
                    return signer.place.home.id.decode()
        return None

    def answer(self, door: Door, asked: Asked) -> Reply:
        """The reply to one request. Never raises for what a caller can send."""
        try:
            if isinstance(asked, Hello):
                with contextlib.suppress(VerificationFailed):  # the asker compares what is held with what it knows
                    self._holding.refresh()
                return Ready(workspace=self._workspace, keys=self._holding.held())
            if isinstance(asked, SignHead):
                return self._head(door, asked)
            if isinstance(asked, SignPromise):
                return self._promise(door, asked)
            if door != CONTROL:
                raise _not_here(door)
            if isinstance(asked, Look):
                return self._look(asked)
            return self._sign(asked) if isinstance(asked, Sign) else self._rotate(asked)
        except SignerRefused as error:
            return No(reason=error.reason, message=str(error), at=error.at)
        except BACKEND_ERRORS as error:
            return No(reason=error.code, message=str(error))
        except HeadBehind as error:
            return Behind(size=error.size)
        except VerificationFailed as error:
            return No(reason="keys.changed", message=f"{error} Nothing was signed.")
        except OSError as error:
            return No(reason="memory.unwritable", message=f"What was signed cannot be written down: {error.strerror}.")
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the signer for everybody else
            return No(reason="internal", message=f"A fault in the signer: {type(error).__name__}. Nothing was signed.")

    def check_predict(self, origins: Iterable[str]) -> None:
        """Return if a connection can be narrowed to `origins`.

        Raises
        ------
        SignerRefused
            "checkpoint.origin".
        """
        for origin in origins:
            check_origin_of("decision-checkpoints", origin, self._workspace)

    @property
    def _workspace(self) -> str:
        return self._holding.vault.workspace

    def _head(self, door: Door, asked: SignHead) -> Reply:
        if asked.branch not in HEAD_BRANCHES:
            raise SignerRefused("branch.other", f"The branch {asked.branch!r} signs no heads of logs.")
        if door != CONTROL:
            own = asked.data.partition(b"\n")[0].decode("utf-8", "replace") in door.origins
            if asked.branch != "decision-checkpoints" or not own:
                raise _not_here(door)
        (signer,) = self._of_heads(asked.branch, asked.key)
        signature = sign_next_head(
            asked,
            workspace=self._workspace,
            keys=self._believed(asked.branch) if asked.note else (),
            heads=self._heads,
            sign=signer.sign,
        )
        return Signature(signature=signature)

    def _believed(self, branch: str) -> list[PublicKey]:
        """The keys whose published heads count: none that was withdrawn as compromised, perhaps none at all.

        Asked for only where a head was shown: the first over a connection, not the two in each second after it.
        """
        heeded = heeding(self._holding.vault.trust_root, self._revoked)
        return [key for key in heeded.keys[branch] if key.key_id not in heeded.revoked]

    def _promise(self, door: Door, asked: SignPromise) -> Reply:
        """Nothing is remembered of it: a promise that is not kept convicts who gave it."""
        origin = promised_origin(asked.data)
        check_origin_of(_PROMISING, origin, self._workspace)
        if door != CONTROL and origin not in door.origins:
            raise _not_here(door)
        (signer,) = self._of_heads(_PROMISING, asked.key)
        return Signature(signature=signer.sign(asked.data))

    def _of_heads(self, branch: str, key: str) -> list[BranchSigner]:
        return self._holding.signers(branch, [key] if key else [])

    def _sign(self, asked: Sign) -> Reply:
        """One judgement by the rules of the branch, then every signature that goes with it."""
        if asked.branch in HEAD_BRANCHES or asked.branch in SECOND_SIGNED.values():
            raise SignerRefused("branch.other", f"The branch {asked.branch!r} signs nothing by itself.")
        signer, *beside = self._signers(asked)
        with self._let_through(asked, signer.public()):
            signature, second = signer.sign(asked.data), [one.sign(asked.data) for one in beside]
        return Signature(signature=signature, beside=second)

    def _signers(self, asked: Sign) -> list[BranchSigner]:
        """Those with the keys that are asked for. A CA that was replaced is asked for by the name of its key, too."""
        with contextlib.suppress(VerificationFailed):
            self._holding.refresh()
        vault = self._holding.vault
        in_use = vault.signers[CA_BRANCH].key_id
        if asked.branch == CA_BRANCH and len(asked.keys) == 1 and asked.keys[0] != in_use:
            return [self._older.signer(vault, asked.keys[0])]
        return self._holding.signers(asked.branch, asked.keys)

    @contextmanager
    def _let_through(self, asked: Sign, key: PublicKey) -> Iterator[None]:
        """Inside, it may be signed. What must not be forgotten of it is on disk when the block ends."""
        now, trust_root = self._clock(), self._holding.vault.trust_root
        if asked.branch == "releases":
            keys = heeding(trust_root, self._revoked).keys_of("statements")
            with release_let_through(asked.data, asked.shown, keys=keys, memory=self._releases, now=now):
                yield
        elif asked.branch == "authority":
            with key_list_let_through(asked.data, trust_root, self._revoked):
                yield
            self._older.tidy(self._holding.vault)
        else:
            self._judge(asked, key, now)
            yield

    def _judge(self, asked: Sign, key: PublicKey, now: datetime) -> None:
        """The rules of branches that have nothing to remember."""
        if asked.branch == "statements":
            check_statement(asked.data)
        elif asked.branch == "models":
            check_model(asked.data)
        elif asked.branch == "tokens":
            from sealwright.trust.signing.rules_tokens import check_token

            check_token(asked.data, workspace=self._workspace, key_id=key.key_id, now=now)
        elif asked.branch == "tls":
            from sealwright.trust.signing.rules_tls import check_certificate  # an import most commands do without

            replaced = key.key_id != self._holding.vault.signers[CA_BRANCH].key_id
            ends = check_certificate(asked.data, key, now, lists_only=replaced)
            if ends is not None:
                self._issued.remember(key.key_id, ends)
        else:
            raise SignerRefused("branch.other", f"What the branch {asked.branch!r} signs is not known here.")

    def _look(self, asked: Look) -> Reply:
        """Where the keys elsewhere are, and, if it is asked for, whether they are there."""
        with contextlib.suppress(VerificationFailed):
            self._holding.refresh()
        vault = self._holding.vault
        placed = {name: one for name, one in vault.signers.items() if isinstance(one, PlacedSigner)}
        wrong: dict[str, str] = {}
        for branch, signer in placed.items() if asked.ask else ():
            try:
                vault.couriers.public(signer.place.home, signer.place.name, signer.public())
            except BACKEND_ERRORS as error:
                wrong[branch] = str(error)
        return Looked(places={name: one.place.described() for name, one in placed.items()}, wrong=wrong)

    def _rotate(self, asked: Renew | Take | StepAfter) -> Reply:
        if isinstance(asked, Renew):
            made = self._rotating.make(asked.branch, asked.at)
            return Renewed(pem=made.public.pem, number=made.number, place=made.place)
        if isinstance(asked, Take):
            self._rotating.take(asked.key)
            return Done()
        link, key_list = self._rotating.step_after(asked.number)
        return Step(link=link, key_list=key_list)


def _branch_of(asked: SignHead | SignPromise) -> str:
    return asked.branch if isinstance(asked, SignHead) else _PROMISING


def _not_here(door: Door) -> SignerRefused:
    return SignerRefused("role.not_allowed", f"A connection of role {door.role!r} has no such thing signed.")
