"""Known faults of packages, matched offline against a dated list.

Answers: is an installed version one that an advisory names?
Does not answer: is the list complete or new enough. It carries its date, and past its time it counts as no answer at all.

A list is one JSON file (`Advisories.to_bytes`), or a folder of advisories in the OSV format (ossf.github.io/osv-schema), as
OSV and the PyPA publish them. Versions are compared as PEP 440 asks; ranges as OSV's evaluation of events says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    canonical_json,
    from_rfc3339,
    read_limited,
    rfc3339,
    strict_json,
)
from sealwright.trust.supply.installed import Installed, normal_name

__all__ = ["Advisories", "Advisory", "KnownFault", "StaleAdvisories", "read_advisories"]

LONGEST = timedelta(days=45)  # a list older than this says nothing about today
_MOST_BYTES = 64 << 20
_ONE_ADVISORY = 2 << 20
_EVENTS = ("introduced", "fixed", "last_affected")


class StaleAdvisories(SealwrightError):
    """The list of known faults is too old to be an answer."""

    code = "supply.stale_advisories"
    exit_code = 4
    status = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """A fault of one package: affected are the listed versions and the ranges between events."""

    id: str
    package: str
    aliases: tuple[str, ...] = ()  # CVE and GHSA ids
    versions: frozenset[str] = frozenset()
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()  # each: (event, version) in order

    def affects(self, version: str) -> bool:
        """Whether a version is affected; one that is not PEP 440 only where it is listed literally."""
        if version in self.versions:
            return True
        try:
            asked = Version(version)
        except InvalidVersion:
            return False
        return any(_in_range(asked, events) for events in self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFault:
    """An installed version that an advisory names."""

    package: str
    version: str
    advisory: Advisory

    @property
    def fixed_in(self) -> str:
        """The lowest fixed version above the installed one, or ""."""
        here = Version(self.version)
        fixed = [Version(v) for events in self.advisory.ranges for event, v in events if event == "fixed"]
        return min((str(v) for v in fixed if v > here), key=Version, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisories:
    """A list of advisories as of a day, with where it is from."""

    taken: datetime
    source: str
    advisories: tuple[Advisory, ...]

    def check_fresh(self, now: datetime, longest: timedelta = LONGEST) -> None:
        """Return if the list is young enough at `now`.

        Raises
        ------
        StaleAdvisories
            It is too old, or from the future.
        """
        age = now - self.taken
        if not timedelta(days=-1) <= age <= longest:
            raise StaleAdvisories(
                f"The list of known faults is of {rfc3339(self.taken)[:10]}, {abs(age.days)} days away; at most "
                f"{longest.days} days are an answer.\nGet a newer one and name it with --advisories, or write a waiver with its reason."
            )

    def faults_in(self, packages: Iterable[Installed]) -> Iterator[KnownFault]:
        """What is known against these packages."""
        of: dict[str, list[Advisory]] = {}
        for advisory in self.advisories:
            of.setdefault(advisory.package, []).append(advisory)
        for package in packages:
            for advisory in of.get(package.name, ()):
                if advisory.affects(package.version):
                    yield KnownFault(package=package.name, version=package.version, advisory=advisory)

    def to_bytes(self) -> bytes:
        """The list as one canonical JSON file."""
        listed = [
            {"id": a.id, "package": a.package, "aliases": list(a.aliases), "versions": sorted(a.versions),
             "ranges": [[list(event) for event in events] for events in a.ranges]}
            for a in self.advisories
        ]  # fmt: skip
        return canonical_json({"format": 1, "taken": rfc3339(self.taken), "source": self.source, "advisories": listed})


def read_advisories(place: Path, *, taken: datetime | None = None) -> Advisories:
    """A list from our own file, or from a folder of OSV files.

    Parameters
    ----------
    taken : datetime, optional
        Of a folder: the day it was fetched. Left out: the newest `modified` in it, which is never later than that day.

    Raises
    ------
    InvalidInput
        Not such a file or folder, or an advisory in it cannot be read: a list with holes is no list.
    """
    if place.is_dir():
        return _from_folder(place, taken)
    value = strict_json(read_limited(place, _MOST_BYTES), what=place.name, most_bytes=_MOST_BYTES)
    try:
        if value["format"] != 1:
            raise InvalidInput("another format")
        listed = tuple(
            Advisory(
                id=str(a["id"]), package=normal_name(a["package"]), aliases=tuple(map(str, a["aliases"])),
                versions=frozenset(map(str, a["versions"])),
                ranges=tuple(tuple((str(event), str(version)) for event, version in events) for events in a["ranges"]),
            )
            for a in value["advisories"]
        )  # fmt: skip
        return Advisories(taken=from_rfc3339(value["taken"]), source=str(value["source"]), advisories=listed)
    except (KeyError, TypeError, ValueError, SealwrightError) as error:
        raise InvalidInput(f"{place.name} is not a list of advisories as we write it: {str(error)[:120]}") from None


def _from_folder(folder: Path, taken: datetime | None) -> Advisories:
    found: list[Advisory] = []
    newest = None
    for path in sorted(folder.rglob("*.json")):
        value = strict_json(read_limited(path, _ONE_ADVISORY), what=path.name, most_bytes=_ONE_ADVISORY)
        try:
            modified = datetime.fromisoformat(value["modified"])
            newest = max(modified, newest) if newest else modified
            if "withdrawn" not in value:
                found += _osv(value)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"{path.name} is not an advisory in the OSV format: {error!r:.120}") from None
    if newest is None:
        raise InvalidInput(f"There is no advisory (*.json, OSV format) in {folder}.")
    return Advisories(taken=taken or newest, source=folder.name, advisories=tuple(found))


def _osv(value: Mapping[str, Any]) -> list[Advisory]:
    """One advisory for each affected package of PyPI."""
    return [
        Advisory(
            id=value["id"],
            package=normal_name(affected["package"]["name"]),
            aliases=tuple(value.get("aliases", ())),
            versions=frozenset(affected.get("versions", ())),
            ranges=tuple(
                tuple(
                    (event, version) for item in span["events"] for event, version in item.items() if event in _EVENTS
                )
                for span in affected.get("ranges", ())
                if span["type"] in ("ECOSYSTEM", "SEMVER")
            ),
        )
        for affected in value.get("affected", ())
        if affected["package"]["ecosystem"] == "PyPI"
    ]


def _in_range(asked: Version, events: Iterable[tuple[str, str]]) -> bool:
    """OSV's evaluation: the last event at or below the version decides; "0" stands before every version."""
    affected = False
    for event, text in sorted(events, key=lambda item: (_floor(item[1]), item[0] == "introduced")):
        at = _floor(text)
        if event == "introduced" and at <= asked:
            affected = True
        elif (event == "fixed" and at <= asked) or (event == "last_affected" and at < asked):
            affected = False
    return affected


def _floor(text: str) -> Version:
    return Version("0.dev0") if text == "0" else Version(text)
