"""Talking to an S3-compatible store: one address, encrypted or with the project's word, and errors in our words.

Answers: may this store be asked, and what did it say?
Does not answer: what is read from it.
Each request is looked at as it is about to be sent: it goes to the scheme and host that were allowed, or not at all.
So a store, or the region helper of boto3, cannot lead us elsewhere.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sealwright.data.errors import SourceUnreadable, TransportRefused
from sealwright.data.names import safe
from sealwright.data.source_spec import S3Source
from sealwright.data.sources.model import Transport
from sealwright.data.sources.network import is_this_machine
from sealwright.kernel import MissingExtra

__all__ = ["StoreClient", "open_client"]

_TRIES = 3
_WORDS: Mapping[str, str] = {
    "404": "there is no such object or bucket",
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
    "NoSuchVersion": "there is no such version",
    "403": "these credentials may not read it",
    "AccessDenied": "these credentials may not read it",
    "InvalidAccessKeyId": "the store does not know these credentials",
    "SignatureDoesNotMatch": "the store does not accept these credentials",
    "ExpiredToken": "these credentials have expired",
    "301": "the bucket is in another region; set `region`",
    "PermanentRedirect": "the bucket is in another region; set `region`",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set `region`",
}


class _LedElsewhere(Exception):
    """A request would have gone to another host, or in the clear."""


class StoreClient:
    """boto3's client, asked for a few things only."""

    def __init__(self, client: Any, transport: Transport) -> None:
        self._client, self.transport = client, transport

    def ask(self, operation: str, name: str, **request: Any) -> Any:
        """One request.

        Raises
        ------
        SourceUnreadable
            The store refuses, cannot be reached, does not answer in time, or leads elsewhere.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            raise _in_words(name, error.response) from None
        except _LedElsewhere:
            raise SourceUnreadable(
                f"The store leads to another address for {name}, which is not followed.\n"
                "Name the right endpoint, or the region of the bucket, under data.source."
            ) from None
        except (BotoCoreError, ValueError) as error:
            raise _failed(name, error) from None

    def body(self, stream: Any, most: int) -> bytes:
        """What the store sends, up to `most` bytes; fewer where it broke off or fell silent."""
        from botocore.exceptions import BotoCoreError, HTTPClientError

        try:
            return bytes(stream.read(most))
        except (BotoCoreError, HTTPClientError, OSError):
            return b""
        finally:
            stream.close()


def open_client(spec: S3Source, *, patience: float) -> StoreClient:
    """A client for the store a project file names. See `s3.open_store`."""
    transport = _transport(spec)
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise MissingExtra("Reading from an S3-compatible store", "s3") from None
    plain = spec.endpoint is not None and spec.endpoint.startswith("http://")
    config = Config(
        connect_timeout=min(10.0, patience),
        read_timeout=patience,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        signature_version="s3v4",
        s3={"addressing_style": "path"} if spec.endpoint else {},
        ignore_configured_endpoint_urls=True,  # the project file says where data comes from
        proxies={} if plain else None,  # a proxy would carry what is not encrypted off this machine
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",  # a checksum of the whole says nothing about a range
    )
    try:
        session = boto3.Session()
        region = spec.region or session.region_name or "us-east-1"
        client = session.client("s3", endpoint_url=spec.endpoint, region_name=region, config=config)
    except (BotoCoreError, ValueError) as error:
        raise _failed("the store", error) from None
    client.meta.events.register_first("before-send.s3", _Watch(spec, plain=plain))
    return StoreClient(client, transport)


class _Watch:
    """Looks at each request right before it is sent."""

    def __init__(self, spec: S3Source, *, plain: bool) -> None:
        self._scheme = "http" if plain else "https"
        self._host = urlsplit(spec.endpoint).netloc.lower() if spec.endpoint else ""

    def __call__(self, request: Any, **_more: Any) -> None:
        found = urlsplit(request.url)
        self._host = self._host or found.netloc.lower()  # without an endpoint: the one boto3 finds first
        if (found.scheme, found.netloc.lower()) != (self._scheme, self._host):
            raise _LedElsewhere


def _transport(spec: S3Source) -> Transport:
    address = urlsplit(spec.endpoint or "https://amazonaws.com")
    host = address.hostname or ""
    if address.scheme == "https":
        return Transport(encrypted=True, how=f"https, server verified ({host})")
    if is_this_machine(host):
        return Transport(encrypted=False, how="this machine")
    if spec.transport is not None:
        return Transport(encrypted=False, how=f"http ({host})", override_reason=spec.transport.unencrypted)
    raise TransportRefused(
        f"The data would come over a network from {safe(host)} unencrypted (http), so rows could be read or changed on the"
        " way.\nWrite https:// in data.source.endpoint. If the way is protected otherwise, say how in the project file:"
        ' data.source: {..., transport: {unencrypted: "why"}}; it goes into the ledger.'
    )


def _in_words(name: str, response: Mapping[str, Any]) -> SourceUnreadable:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 412 or code in {"412", "PreconditionFailed"}:
        return SourceUnreadable(f"{name} changed while it was read. Try again when nobody writes to it.")
    said = _WORDS.get(code) or _WORDS.get(str(status)) or f"it answers {safe(code)[:40]} ({status})"
    return SourceUnreadable(
        f"The store does not give {name}: {said}.\nCheck data.source.s3, its endpoint and region, and the credentials"
        " (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
    )


def _failed(name: str, error: Exception) -> SourceUnreadable:
    """By the kind of error only: messages of the library may quote addresses and keys."""
    kind = type(error).__name__
    if "Credential" in kind or "Profile" in kind or "Token" in kind:
        return SourceUnreadable(
            f"There are no usable credentials for the store ({kind}).\nSet AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY; they never stand in the project file."
        )
    return SourceUnreadable(
        f"The store cannot be asked for {name} ({kind}). Check data.source.endpoint, and that the store is reachable."
    )
