"""Who calls a service that has the database: a bearer token or an API key, as a `Principal`.

Answers: which service is this, and with which scopes? Prediction servers have no database; they read the access list.
"""

import hashlib
from collections.abc import Sequence

from sealwright.kernel import SealwrightError
from sealwright.trust.errors import TokenRefused
from sealwright.trust.machines import store, taken_back
from sealwright.trust.machines.api_keys import API_KEY_PREFIX, api_key_id
from sealwright.trust.machines.service import Machines
from sealwright.trust.principal import Principal
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.tokens import verify_token

__all__ = ["identify_service"]

_LONGEST = 4096


def identify_service(
    authorization: str,
    machines: Machines,
    keys: Sequence[PublicKey],
    *,
    issuer: str,
    audience: str,
    thumbprint: str = "",
) -> Principal:
    """The service an Authorization header speaks for.

    Parameters
    ----------
    thumbprint : str
        Of the client certificate shown on this connection, "" if none.

    Raises
    ------
    TokenRefused
        No bearer credential, or one that does not hold. `reason` is for the event; a caller is told nothing of it.
    """
    scheme, _, raw = authorization.partition(" ")
    if scheme.lower() != "bearer" or not raw.isascii() or len(raw) > _LONGEST:
        raise TokenRefused("A bearer token or API key is needed.", reason="token.none")
    now = machines.clock()
    if raw.startswith(API_KEY_PREFIX):
        digest = hashlib.sha256(raw.encode("ascii")).digest()
        with machines.db.read() as tx:
            name, key = taken_back.access_about(tx, now, key=api_key_id(raw)).key(raw, digest, now)
        hour = now.replace(minute=0, second=0, microsecond=0)
        with machines.db.write() as tx:
            found = store.api_key(tx, name)
            if found is not None and found.last_used != hour:
                store.touch_api_key(tx, name, hour)
        return Principal(kind="service", name=key.subject, proof="api_key", scopes=key.scopes)
    claims = verify_token(raw, keys, issuer=issuer, audience=audience, now=now, thumbprint=thumbprint)
    with machines.db.read() as tx:
        taken_back.access_about(tx, now, token=claims.token_id, subject=claims.subject).check_token(claims)
    try:
        return Principal(kind="service", name=claims.subject, proof="token", scopes=claims.scopes)
    except SealwrightError:
        raise TokenRefused("The bearer token names no service of ours.", reason="token.subject") from None
