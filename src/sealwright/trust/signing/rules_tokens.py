"""What the branch "tokens" signs: access tokens of this workspace, in their one form, for a bounded time."""

import re
from datetime import datetime

from sealwright.kernel import SealwrightError
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.token_form import claims_in_form, message_claims

__all__ = ["check_token"]

_MOST_BYTES = 8192


def check_token(data: bytes, *, workspace: str, key_id: str, now: datetime) -> None:
    """Return if `data` is header and claims of an access token that this workspace issues.

    Raises
    ------
    SignerRefused
        "token.malformed" or "token.issuer".
    """
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
