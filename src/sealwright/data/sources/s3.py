"""Objects in an S3-compatible store, read in ranges, never written to disk.

Answers: which bytes does the object hold, and is it one version of it throughout?
Does not answer: what the bytes say. That is for the readers.
Every range is asked for under the ETag (and version) found at the start, so an object that changes in between is an
error, never a mixture. Credentials come from the environment and profiles boto3 knows; no message shows them.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, BinaryIO, cast

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import safe
from sealwright.data.source_spec import S3Source
from sealwright.data.sources.model import Transport
from sealwright.data.sources.parted import Part, is_hidden, is_pattern
from sealwright.data.sources.ranges import RangeStream
from sealwright.data.sources.s3_client import StoreClient, open_client
from sealwright.data.sources.stored import Opened

__all__ = ["S3Object", "S3Store", "open_store"]

_TRIES = 3  # for one range; each of them may itself be sent three times by boto3
_MOST_LISTED = 200_000


def open_store(spec: S3Source, *, patience: float = 60.0) -> "S3Store":
    """The store, ready to be asked.

    Parameters
    ----------
    patience : float
        Seconds to wait for an answer, and for each part of it.

    Raises
    ------
    TransportRefused
        The address is not https, leads to another machine, and the project file does not say why that may be.
    SourceUnreadable
        There are no credentials, or boto3 is not set up.
    MissingExtra
        boto3 is not installed.
    """
    bucket, _, key = spec.s3.removeprefix("s3://").partition("/")
    pattern = key.endswith("/") or is_pattern(key)
    if pattern and spec.version is not None:
        raise SourceUnreadable("A version is of one object; data.source.s3 names several. Leave out `version`.")
    return S3Store(client=open_client(spec, patience=patience), bucket=bucket, key=key, version=spec.version)


@dataclass(frozen=True, kw_only=True)
class S3Store:
    """A bucket, and the key or the pattern of keys in it."""

    client: StoreClient
    bucket: str
    key: str
    version: str | None = None

    @property
    def pattern(self) -> bool:
        """Whether several objects are meant."""
        return self.key.endswith("/") or is_pattern(self.key)

    @property
    def name(self) -> str:
        """Last part of the key or pattern."""
        return safe(self.key.rstrip("/").rpartition("/")[2])

    def object(self) -> "S3Object":
        """The one object the key names."""
        return self._at(self.key)

    def parts(self) -> list[Part]:
        """All objects below the key that ends in "/", or that match the pattern; hidden ones left out."""
        fixed = self.key if self.key.endswith("/") else self.key[: self.key[: _first(self.key)].rfind("/") + 1]
        wanted = self.key[len(fixed) :] or "*"
        found = []
        for key in self._keys(fixed):
            name = key[len(fixed) :]
            if name and not name.endswith("/") and not is_hidden(name) and _fits(name, wanted):
                found.append(Part(name, self._at(key)))
        return found

    def _at(self, key: str) -> "S3Object":
        return S3Object(client=self.client, bucket=self.bucket, key=key, version=self.version)

    def _keys(self, prefix: str) -> Iterator[str]:
        token: dict[str, str] = {}
        listed = 0
        while True:
            answer = self.client.ask("list_objects_v2", self.name, Bucket=self.bucket, Prefix=prefix, **token)
            found = [str(one["Key"]) for one in answer.get("Contents", ())]
            yield from found
            listed += len(found)
            if not answer.get("IsTruncated"):
                return
            if listed > _MOST_LISTED:
                raise SourceUnreadable(f"There are more than {_MOST_LISTED:,} objects below {safe(prefix)}.")
            token = {"ContinuationToken": str(answer["NextContinuationToken"])}


@dataclass(frozen=True, kw_only=True)
class S3Object:
    """One object; from its first opening on, one version of it."""

    client: StoreClient
    bucket: str
    key: str
    version: str | None = None
    _pinned: dict[str, Any] = field(default_factory=dict, repr=False)
    _seen: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return safe(self.key.rpartition("/")[2])

    @property
    def transport(self) -> Transport:
        return self.client.transport

    @contextlib.contextmanager
    def open(self) -> Iterator[Opened]:
        if not self._pinned:
            self._pinned.update(self._pin())
        size = int(self._pinned["size"])
        yield Opened(cast(BinaryIO, RangeStream(self._fetch, size, self._seen, self.name)), size)

    def _pin(self) -> dict[str, Any]:
        """Size, and what makes every later request be about this version only."""
        version = {} if self.version is None else {"VersionId": self.version}
        answer = self.client.ask("head_object", self.name, Bucket=self.bucket, Key=self.key, **version)
        size, etag = int(answer["ContentLength"]), answer.get("ETag")
        if not size:
            raise SourceUnreadable(f"{self.name} is empty. A data file needs a header and at least one row.")
        if not etag:
            raise SourceUnreadable(f"The store gives no ETag for {self.name}, so nobody could tell if it changes.")
        if (found := answer.get("VersionId")) not in {None, "null"}:
            version = {"VersionId": str(found)}
        return {"size": size, "request": {"IfMatch": str(etag), **version}}

    def _fetch(self, start: int, stop: int) -> bytes:
        """Exactly these bytes, tried a few times where the way is bad."""
        wait = 0.2
        for left in reversed(range(_TRIES)):
            data = self._range(start, stop)
            if len(data) == stop - start:
                return data
            if left:
                time.sleep(wait)
                wait *= 4
        raise SourceUnreadable(
            f"The store breaks off while it sends {self.name}, {_TRIES} times in a row. Try again when the network is well."
        )

    def _range(self, start: int, stop: int) -> bytes:
        answer = self.client.ask(
            "get_object",
            self.name,
            Bucket=self.bucket,
            Key=self.key,
            Range=f"bytes={start}-{stop - 1}",
            **self._pinned["request"],
        )
        size = int(self._pinned["size"])
        if answer.get("ContentRange", f"bytes 0-{size - 1}/{size}") != f"bytes {start}-{stop - 1}/{size}":
            raise SourceUnreadable(
                f"The store sends another part of {self.name} than was asked for; it cannot be read."
            )
        if answer.get("ETag") != self._pinned["request"]["IfMatch"]:
            raise SourceUnreadable(f"{self.name} changed while it was read. Try again when nobody writes to it.")
        return self.client.body(answer["Body"], stop - start)


def _first(pattern: str) -> int:
    """Where the first wildcard stands."""
    return min(place for place in map(pattern.find, "*?[") if place >= 0)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name matches, folder by folder, as file names would; "*" alone takes all folders."""
    if pattern == "*" or pattern.startswith("**/"):
        return fnmatchcase(name, pattern.removeprefix("**/"))
    steps, wanted = name.split("/"), pattern.split("/")
    return len(steps) == len(wanted) and all(map(fnmatchcase, steps, wanted))
