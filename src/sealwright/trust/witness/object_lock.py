"""Checkpoints in an S3 bucket with Object Lock: until the day they are kept for, nobody can remove them, its owner included.

Answers: which checkpoint was put out of everybody's reach, and until when?
Does not answer: does the store keep its word? Tests here run against moto, a fake; COMPLIANCE mode is the provider's promise.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sealwright.kernel import InvalidInput, MissingExtra, NotFound, OperationFailed, Refused
from sealwright.trust.notes import Checkpoint

__all__ = ["LockedBucket"]

_MOST_BYTES = 256 * 1024
_MOST_DAYS = 36_500
_NAME = re.compile(r"[0-9]{18}-[0-9a-f]{16}\.checkpoint")


class LockedBucket:
    """One bucket, reached with the credentials that boto3 finds in the environment."""

    def __init__(
        self, bucket: str, *, prefix: str = "sealwright", days: int = 400, endpoint: str | None = None
    ) -> None:
        """Name the bucket; nothing is asked yet.

        Parameters
        ----------
        days : int
            How long each checkpoint is kept for.

        Raises
        ------
        InvalidInput
            No days, or far too many.
        MissingExtra
            boto3 is not installed.
        """
        if not 1 <= days <= _MOST_DAYS:
            raise InvalidInput(f"Checkpoints are kept for 1 to {_MOST_DAYS:,} days; got {days}.")
        self.bucket, self._prefix, self._days, self._endpoint = bucket, prefix.strip("/"), days, endpoint
        self._made: Any = None

    def put(self, note: bytes, *, now: datetime) -> str:
        """Lock a checkpoint away; returns its key. The same one again is not written twice.

        Raises
        ------
        Refused
            The bucket has no Object Lock, or took the checkpoint without the retention asked for.
        OperationFailed
            The store cannot be reached or says no.
        """
        head = Checkpoint.parse_note(note)
        key = f"{self._folder(head.origin)}/{head.size:018d}-{hashlib.sha256(note).hexdigest()[:16]}.checkpoint"
        until = now + timedelta(days=self._days)
        client = self._client()
        lock = self._ask(lambda: client.get_object_lock_configuration(Bucket=self.bucket), missing="ObjectLock")
        if lock is None or lock["ObjectLockConfiguration"].get("ObjectLockEnabled") != "Enabled":
            raise Refused(
                f"The bucket {self.bucket} has no Object Lock, so it keeps nothing from its owner. Make one that has."
            )
        if self._ask(lambda: client.head_object(Bucket=self.bucket, Key=key), missing="404") is None:
            self._ask(
                lambda: client.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=note,
                    ContentType="text/plain; charset=utf-8",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(note).digest()).decode(),
                    ObjectLockMode="COMPLIANCE",
                    ObjectLockRetainUntilDate=until,
                )
            )
        kept = self._ask(lambda: client.head_object(Bucket=self.bucket, Key=key), missing="404") or {}
        if kept.get("ObjectLockMode") != "COMPLIANCE" or kept.get("ObjectLockRetainUntilDate", now) <= now:
            raise Refused(
                f"The bucket {self.bucket} took the checkpoint without keeping it: no COMPLIANCE retention is on it."
            )
        return key

    def newest(self, origin: str) -> bytes:
        """The checkpoint of a log with most entries, to be compared with the ledger (`verify_ledger(witnessed=…)`).

        Raises
        ------
        NotFound
            There is none.
        OperationFailed
            As `put`, or it is too large to be one.
        """
        client, last = self._client(), ""
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._folder(origin) + "/")
        for page in self._ask(lambda: list(pages)) or ():
            found = (item["Key"] for item in page.get("Contents", ()))
            last = max([last, *(key for key in found if _NAME.fullmatch(key.rpartition("/")[2]))])
        if not last:
            raise NotFound(f"The bucket {self.bucket} holds no checkpoint of {origin}.")
        body = self._ask(lambda: client.get_object(Bucket=self.bucket, Key=last)["Body"].read(_MOST_BYTES + 1))
        if body is None or len(body) > _MOST_BYTES:
            raise OperationFailed(f"{last} in the bucket {self.bucket} is too large for a checkpoint.")
        return bytes(body)

    def _folder(self, origin: str) -> str:
        return f"{self._prefix}/{quote(origin, safe='/')}".strip("/")

    def _client(self) -> Any:
        if self._made is None:
            try:
                import boto3  # type: ignore[import-untyped]
                from botocore.config import Config  # type: ignore[import-untyped]
            except ImportError:
                raise MissingExtra("Locking checkpoints away in a bucket", "s3") from None
            config = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 3})
            self._made = boto3.Session().client("s3", endpoint_url=self._endpoint, config=config)
        return self._made

    def _ask(self, call: Callable[[], Any], *, missing: str = "") -> Any:
        """The store's answer; None where it says that what is asked for is `missing`."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if missing and missing in code:
                return None
            raise OperationFailed(f"The bucket {self.bucket} says no: {code[:80]}.") from None
        except BotoCoreError as error:
            raise OperationFailed(f"The bucket {self.bucket} cannot be reached: {type(error).__name__}.") from None
