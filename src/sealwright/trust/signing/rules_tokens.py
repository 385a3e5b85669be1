"""What the branch "tokens" signs: access tokens of this workspace, in their one form, for a bounded time; and its access list."""

import re
from datetime import datetime

from sealwright.kernel import SealwrightError
from sealwright.trust.dsse import IN_TOTO_PAYLOAD
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.rules_statements import statement_in
from sealwright.trust.token_form import claims_in_form, message_claims

__all__ = ["check_token"]

ACCESS_LIST = "urn:sealwright:predicate:access-list:v1"

_MOST_BYTES = 8192
_STATEMENT = f"DSSEv1 {len(IN_TOTO_PAYLOAD)} ".encode()


def check_token(data: bytes, *, workspace: str, key_id: str, now: datetime) -> None:
    """Return if `data` is header and claims of an access token that this workspace issues, or its access list.

    Raises
    ------
    SignerRefused
        "token.malformed" or "token.issuer".
    """
    if data.startswith(_STATEMENT):
        found = statement_in(data)
        if found.predicate_type != ACCESS_LIST or [name for name, _ in found.subjects] != [workspace]:
            raise SignerRefused("token.issuer", "This is not the access list of this workspace.")
        return
    try:
        if len(data) > _MOST_BYTES:
            raise ValueError
        claims = message_claims(data.decode("ascii"), key_id)
        claims_in_form(claims, now=now)
    except (SealwrightError, ValueError, TypeError, OverflowError) as error:
        why = str(error) if isinstance(error, SealwrightError) else "it cannot be read"
        raise SignerRefused("token.malformed", f"This is not an access token of ours: {why[:200]}") from None
    audience = re.fullmatch(r"urn:sealwright:[a-z][a-z-]{0,31}:(?P<workspace>.+)", claims["aud"])
    if claims["iss"] != f"urn:sealwright:workspace:{workspace}" or not audience or audience["workspace"] != workspace:
        raise SignerRefused("token.issuer", "This token is another workspace's, or for another one.")
