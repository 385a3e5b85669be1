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
- A newer list, of packages or of keys, counts from the moment it was read, whether or not its number can be written down: what
  it takes back stops first. Where its number cannot be written, what it leaves alone goes on, the server reports itself not
  ready, and writing is tried again at each look; a newer pointer waits until it can be remembered.
- A challenger or shadow that is revoked, cannot be verified or cannot answer what the champion answers takes no traffic: its
  part falls to the champion, and a note says so. The champion alone decides whether anything is served.
- A pointer that expires, a package that is revoked, a revocation list that is missing, unverifiable
  or older than one seen before: nothing answers.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sealwright.kernel import (
    Clock,
    SealwrightError,
    VerificationFailed,
    hex_of,
    read_limited,
    rfc3339,
)
from sealwright.registry import (
    PointerExpired,
    PointerFacts,
    RevocationList,
    verify_package,
    verify_pointer,
    verify_revocations,
)
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.believed import Believed
from sealwright.serving.beside import Manner, why_not_in_place_of
from sealwright.serving.lists_seen import ListsSeen
from sealwright.serving.problems import NotReady
from sealwright.serving.served import CHAMPION, Arms, Served, served_of, split_of
from sealwright.serving.state import Remembered
from sealwright.trust import WHOLE, PointerArm, TrustRoot

__all__ = ["Holder"]

_MOST_POINTER_BYTES = 1 << 20
_MOST_REVOCATION_BYTES = 16 << 20
_LONGEST_WHY = 300
_Note = Callable[[str, str, Mapping[str, object]], None]


class Holder:
    """Watches pointer and revocations of one channel. `refresh` runs on one thread; `serving` on another."""

    def __init__(
        self,
        *,
        home: Path,
        project: str,
        channel: str,
        trust_root: TrustRoot,
        state: Remembered,
        clock: Clock,
        most_rows: int,
        note: _Note,
        runs: ModelRuns | None = None,
    ) -> None:
        """`runs`: what bounds the runs of every model that is loaded."""
        self._runs = runs
        self._pointer = home / "pointers" / project / f"{channel}.json"
        self._revocations = home / "revocations.json"
        self._packages = home / "packages"
        self._project, self._channel = project, channel
        self._lists = ListsSeen(state)
        self.believed = Believed(trust_root, home, self._lists)
        self._root = trust_root  # as of the last look
        self._state, self._clock, self._most_rows, self._note = state, clock, most_rows, note
        self._arms: Arms | None = None
        self._manners: dict[str, Manner] = {}  # of packages that are loaded
        self._missing: Mapping[str, str] = {}  # arms of the pointer that take no traffic, and why
        self._why = "nothing has been released yet"
        self._seen: tuple[object, ...] = ()

    def start(self) -> None:
        """Verify and load the current release.

        Raises
        ------
        VerificationFailed
            No pointer, or something about it, the revocations or the package does not hold.
        OSError, SealwrightError
            What was seen cannot be remembered.
        """
        self._seen = self._files_now()
        self._follow()

    def refresh(self) -> None:
        """Look again if a file changed, or if the last look failed. Never raises for what it finds."""
        now = self._files_now()
        if now == self._seen and not self._why:
            return
        self._seen = now
        before = self._why
        try:
            self._follow()
        except (SealwrightError, OSError) as error:
            if isinstance(error, _Withdrawn) or self._rests_on_older_keys():
                self._arms = None
            self._why = _reason(error)
            if self._why != before:
                served = self._served
                self._note("serving.release_refused", served.package if served else "", {"reason": self._why})

    def serving(self) -> Served:
        """The champion, if it may answer now. Raises as `arms`."""
        return self.arms().champion

    def arms(self) -> Arms:
        """The models that may answer now.

        Raises
        ------
        NotReady
            There is none.
        """
        arms = self._arms
        if arms is None or self._clock().timestamp() >= arms.champion.expires:
            raise NotReady
        return arms

    def not_ready(self) -> str:
        """Why traffic should go elsewhere, or ""."""
        if self._runs is not None and (held := self._runs.not_ready()):
            return held
        served = self._served
        if served is None or self._why:
            return self._why or "nothing is served"
        return "the release has expired" if self._clock().timestamp() >= served.expires else ""

    @property
    def _served(self) -> Served | None:
        return None if self._arms is None else self._arms.champion

    def _follow(self) -> None:
        """Take what counts now. Raises what does not hold, and what could not be remembered."""
        self._take(*self._look())
        self._lists.write()
        self._why = ""

    def _look(self) -> tuple[PointerFacts, Container[str]]:
        """Verify revocations and pointer. What is taken back stops at once; what is new is remembered before it is acted on."""
        self._root = self._keys_to_believe()
        revoked = self._revoked()
        self._stop(revoked.packages)
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
        return facts, revoked.packages

    def _stop(self, revoked: Container[str]) -> None:
        """Nothing that was revoked answers from here on, whatever is found about the pointer; then the lists are remembered."""
        champion = self._served
        taken_back = champion is not None and champion.package in revoked
        if self._arms is not None:
            self._arms = None if taken_back else self._arms.without(revoked)
        try:
            self._lists.write()
        except VerificationFailed as error:
            raise _Withdrawn(str(error), link=error.link) from error
        except (SealwrightError, OSError):
            pass  # `_follow` tries again, and says so
        if taken_back:
            raise _Withdrawn("The package in service was revoked. Promote another version.", link="revocations")

    def _rests_on_older_keys(self) -> bool:
        """Whether what is in service was verified before keys were revoked, and could not be verified since."""
        return self._served is not None and self._served.keys != self._lists.now.key_revocations

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
            if not self._rests_on_older_keys():
                raise
            raise _Withdrawn(str(error), link="pointer") from error  # what is in service rests on a revoked key

    def _take(self, facts: PointerFacts, revoked: Container[str]) -> None:
        """Put what the verified pointer names into service."""
        before = self._arms
        kept: dict[tuple[str, int], Served] = {}
        if before is not None and not self._rests_on_older_keys():
            kept = {(one.package, one.number): one for one in before.loaded}
        named = facts.arms or (
            PointerArm(name=CHAMPION, package=facts.package, number=facts.number, share=WHOLE, role="champion"),
        )
        try:
            champion = self._arm(named[0], facts, kept)
        except SealwrightError as error:
            raise _Withdrawn(str(error), link=getattr(error, "link", "") or "package") from error
        beside, missing = self._beside(named[1:], facts, champion, kept, revoked)
        if before is None or before.champion.sequence != champion.sequence:
            self._note_taken(facts, champion)
        challengers = [arm for arm in named if arm.role == "challenger"]
        self._arms = Arms(
            answering=(champion, *(beside.get(arm.name, champion) for arm in challengers)),
            shadows=tuple(beside[arm.name] for arm in named if arm.role == "shadow" and arm.name in beside),
            split=split_of(facts.split, [named[0], *challengers]),
            several=bool(facts.arms),
        )
        self._manners = {one.package: self._manners[one.package] for one in self._arms.loaded}
        self._note_refused(named, facts, missing)
        self._missing = missing

    def _beside(
        self,
        named: Sequence[PointerArm],
        facts: PointerFacts,
        champion: Served,
        kept: Mapping[tuple[str, int], Served],
        revoked: Container[str],
    ) -> tuple[dict[str, Served], dict[str, str]]:
        """The other arms of a pointer that may take traffic, and why the rest may not."""
        found, missing = {}, {}
        for arm in named:
            try:
                if arm.package in revoked:
                    raise _Withdrawn("It was revoked.", link="revocations")
                made = self._arm(arm, facts, kept)
                beside = self._manners[champion.package], self._manners[made.package]
                why = why_not_in_place_of(*beside) if arm.role == "challenger" else ""
                if why:
                    raise VerificationFailed(f"It cannot answer beside the champion: {why}.", link="interface.json")
                found[arm.name] = made
            except (SealwrightError, OSError) as error:
                missing[arm.name] = f"{_reason(error)}: {error}"[:_LONGEST_WHY]
        return found, missing

    def _arm(self, arm: PointerArm, facts: PointerFacts, kept: Mapping[tuple[str, int], Served]) -> Served:
        """One package under this pointer; one that is loaded already is not loaded again."""
        expires = facts.expires.timestamp()
        made = kept.get((arm.package, arm.number)) or self._load(arm.package, arm.number, facts.sequence, expires)
        aside = arm.role == "challenger" and bool(facts.arms[0].share)  # there is somebody to keep it apart from
        return replace(made, sequence=facts.sequence, expires=expires, arm=arm.name, share=arm.share, aside=aside)

    def _note_refused(self, named: Sequence[PointerArm], facts: PointerFacts, missing: Mapping[str, str]) -> None:
        """Which arms take no traffic, where that is news."""
        for arm in named:
            if arm.name in missing and missing[arm.name] != self._missing.get(arm.name):
                detail = {"arm": arm.name, "sequence": facts.sequence, "reason": missing[arm.name]}
                self._note("serving.arm_refused", arm.package, detail)

    def _note_taken(self, facts: PointerFacts, champion: Served) -> None:
        detail: dict[str, object] = {
            "channel": self._channel,
            "expires": rfc3339(facts.expires),
            "number": champion.number,
            "pointer": facts.digest,
            "sequence": champion.sequence,
        }
        if facts.arms:
            detail["arms"] = [arm.to_json() for arm in facts.arms]
        self._note("serving.release_taken", champion.package, detail)

    def _load(self, digest: str, number: int, sequence: int, expires: float) -> Served:
        package = verify_package(self._packages / hex_of(digest), self._root, now=self._clock())
        if package.digest != digest:
            raise VerificationFailed("The folder holds another package than the pointer names.", link="package")
        made = served_of(
            package,
            self._project,
            number=number,
            sequence=sequence,
            expires=expires,
            keys=self._lists.now.key_revocations,
            most_rows=self._most_rows,
            runs=self._runs,
            no_plan=lambda why: self._note_no_plan(digest, why),
        )
        self._manners[digest] = Manner.of(package)
        return made

    def _note_no_plan(self, package: str, why: str) -> None:
        """The whole graph serves, which is slower and not less right; somebody should look why."""
        self._note("serving.plan_refused", package, {"reason": why})

    def _revoked(self) -> RevocationList:
        """The revoked packages. A list that was seen once may never go missing or back."""
        least = self._lists.now.revocations
        try:
            if not self._revocations.exists() and least == 0:
                return RevocationList(sequence=0, issued_at=self._clock(), packages={}, digest="")
            data = self._read(self._revocations, _MOST_REVOCATION_BYTES, "revocations")
            found = verify_revocations(data, self._root, at_least=least)
        except (SealwrightError, OSError) as error:
            raise _Withdrawn(str(error), link="revocations") from error
        self._lists.change(revocations=found.sequence)
        return found

    def _keys_to_believe(self) -> TrustRoot:
        """The keys to believe now."""
        try:
            return self.believed.look()
        except (SealwrightError, OSError) as error:
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
