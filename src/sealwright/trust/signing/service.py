"""The signer's judgement: at this door, may this be signed, and then it is.

Answers: one request, from a connection of one role, with a signature or with a refusal that has a reason.
Does not answer: who is at the other end. `standing` and `server` know that before the first word.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_heads import Heads
from sealwright.trust.signing.memory_releases import ReleaseMemory
from sealwright.trust.signing.messages import (
    Behind,
    Hello,
    No,
    Ready,
    Reply,
    Sign,
    Signature,
    SignHead,
)
from sealwright.trust.signing.rules_heads import HeadBehind, check_origin_of, sign_next_head
from sealwright.trust.signing.rules_releases import check_release
from sealwright.trust.signing.rules_statements import check_model, check_statement
from sealwright.trust.signing.vault import Vault

__all__ = ["CONTROL", "HEAD_BRANCHES", "PREDICT", "Door", "SigningService"]

HEAD_BRANCHES = ("checkpoints", "decision-checkpoints")


@dataclass(frozen=True, slots=True)
class Door:
    """What may be asked for over a connection: "control" everything, "predict" heads of one decision log."""

    role: Literal["control", "predict"]
    origin: str | None = None  # the log of a "predict"; None: it did not say yet, and has nothing signed

    def narrowed(self, origin: str) -> "Door":
        """The same door, open only for heads of one log, for good.

        Raises
        ------
        SignerRefused
            "role.narrow": it was narrowed to another log.
        """
        if self.origin not in (None, origin):
            raise SignerRefused("role.narrow", "This connection was narrowed to another log, and that is for good.")
        return Door("predict", origin)


CONTROL = Door("control")
PREDICT = Door("predict")


class SigningService:
    """Holds the keys, and signs what the rules of each branch let through."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._heads = Heads(vault.memory)
        self._releases = ReleaseMemory(vault.memory)

    def answer(self, door: Door, asked: Hello | Sign | SignHead) -> Reply:
        """The reply to one request. Never raises for what a caller can send."""
        try:
            if isinstance(asked, Hello):
                keys = {name: signer.key_id for name, signer in self._vault.signers.items()}
                return Ready(workspace=self._vault.workspace, keys=keys)
            if isinstance(asked, SignHead):
                return self._head(door, asked)
            return self._sign(door, asked)
        except SignerRefused as error:
            return No(reason=error.reason, message=str(error), at=error.at)
        except HeadBehind as error:
            return Behind(size=error.size)
        except OSError as error:
            return No(reason="memory.unwritable", message=f"What was signed cannot be written down: {error.strerror}.")
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the signer for everybody else
            return No(reason="internal", message=f"A fault in the signer: {type(error).__name__}. Nothing was signed.")

    def check_predict(self, origin: str) -> None:
        """Return if a connection can be narrowed to `origin`.

        Raises
        ------
        SignerRefused
            "checkpoint.origin".
        """
        check_origin_of("decision-checkpoints", origin, self._vault.workspace)

    def _head(self, door: Door, asked: SignHead) -> Reply:
        if asked.branch not in HEAD_BRANCHES:
            raise SignerRefused("branch.other", f"The branch {asked.branch!r} signs no heads of logs.")
        if door != CONTROL:
            own = door.origin is not None and asked.data.startswith(f"{door.origin}\n".encode())
            if asked.branch != "decision-checkpoints" or not own:
                raise _not_here(door)
        signature = sign_next_head(
            asked,
            workspace=self._vault.workspace,
            keys=self._vault.trust_root.keys_of(asked.branch),
            heads=self._heads,
            sign=self._vault.signers[asked.branch].sign,
        )
        return Signature(signature=signature)

    def _sign(self, door: Door, asked: Sign) -> Reply:
        if door != CONTROL:
            raise _not_here(door)
        signer = self._vault.signers.get(asked.branch)
        if signer is None or asked.branch in HEAD_BRANCHES:
            raise SignerRefused("branch.other", f"There is no branch {asked.branch!r} that signs this way.")
        now = datetime.now(UTC)
        if asked.branch == "statements":
            check_statement(asked.data)
        elif asked.branch == "models":
            check_model(asked.data)
        elif asked.branch == "releases":
            keys = self._vault.trust_root.keys_of("statements")
            check_release(asked.data, asked.beside, keys=keys, memory=self._releases, now=now)
        elif asked.branch == "tokens":
            from sealwright.trust.signing.rules_tokens import check_token

            check_token(asked.data, workspace=self._vault.workspace, key_id=signer.key_id, now=now)
        elif asked.branch == "tls":
            from sealwright.trust.signing.rules_tls import check_certificate  # an import most commands do without

            check_certificate(asked.data, signer.public(), now)
        else:
            raise SignerRefused("branch.other", f"What the branch {asked.branch!r} signs is not known here.")
        return Signature(signature=signer.sign(asked.data))


def _not_here(door: Door) -> SignerRefused:
    return SignerRefused("role.not_allowed", f"A connection of role {door.role!r} has no such thing signed.")
