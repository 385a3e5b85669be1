"""A key that was revoked takes what it signed out of service, and both signatures are asked for at the door."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import FixedClock, VerificationFailed, canonical_json, strict_json
from sealwright.serving.holder import Holder
from sealwright.serving.problems import NotReady
from sealwright.serving.state import StateFile
from sealwright.trust.key_revocation import no_revocations


class _Forgetful:
    """A state that takes nothing newer while its house says so."""

    def __init__(self, kept: "Kept", state: StateFile) -> None:
        self._kept, self._state = kept, state

    @property
    def now(self) -> Any:
        return self._state.now

    def change(self, **changes: Any) -> None:
        if self._kept.cannot is not None and any(getattr(self.now, name) != one for name, one in changes.items()):
            raise self._kept.cannot
        self._state.change(**changes)


class Kept:
    """A house with a release in service."""

    def __init__(self, house: Any, clock: FixedClock, folder: Path) -> None:
        self.house, self.clock, self.folder = house, clock, folder
        self.cannot: Exception | None = None  # what the state says to newer numbers
        folder.mkdir(mode=0o700, exist_ok=True)
        self.holder = self.made()
        self.holder.start()

    def made(self) -> Holder:
        self.state = StateFile(self.folder / "state.json", self.house.project, "live")
        return Holder(
            home=self.house.home,
            project=self.house.project,
            channel="live",
            trust_root=self.house.keyring.trust_root,
            state=_Forgetful(self, self.state),
            clock=self.clock,
            most_rows=100,
            note=lambda *_: None,
        )

    def revoke(self, *branches: str, reason: str = "compromised") -> bytes:
        """A list of the keys in use of these branches, as its bytes."""
        root, now = self.house.keyring.trust_root, self.clock()
        listed = no_revocations(now)
        for branch in branches:
            key = root.keys[branch][-1].key_id
            one = trust.RevokedKey(key_id=key, branch=branch, reason=reason, since=0, at=now, by="ada")
            listed = trust.revoke(listed, one, root, now=now)
        return trust.make_key_revocations(listed, self.house.keyring.signer("authority"))

    def put(self, data: bytes) -> None:
        (self.house.home / trust.KEY_LIST).write_bytes(data)
        self.holder.refresh()


@pytest.fixture
def kept(new_house: Callable[..., Any], tmp_path: Path) -> Kept:
    clock = FixedClock(datetime.now(UTC))
    return Kept(new_house(clock=clock), clock, tmp_path / "state")


@pytest.mark.parametrize("branch", ["releases", "releases-pq", "statements", "models"])
def test_a_compromised_key_ends_what_it_signed_at_once_and_after_a_restart(kept: Kept, branch: str) -> None:
    assert kept.holder.serving().number == 1
    kept.put(kept.revoke(branch))
    with pytest.raises(NotReady):
        kept.holder.serving()
    assert kept.holder.not_ready()
    with pytest.raises(VerificationFailed):
        kept.made().start()


@pytest.mark.parametrize(("branch", "reason"), [("tokens", "compromised"), ("releases", "superseded")])
def test_a_key_that_takes_nothing_with_it_leaves_the_release_in_service(kept: Kept, branch: str, reason: str) -> None:
    kept.put(kept.revoke(branch, reason=reason))
    assert kept.holder.serving().keys == 1
    assert kept.holder.not_ready() == ""


_CANNOT = [OSError(28, "No space left on device"), trust.LedgerUnavailable("The keeper is gone.")]


@pytest.mark.parametrize("cannot", _CANNOT, ids=["full-disk", "no-keeper"])
@pytest.mark.parametrize("branch", ["releases", "releases-pq", "statements", "models"])
def test_a_compromised_key_ends_what_it_signed_also_where_the_list_cannot_be_remembered(
    kept: Kept, branch: str, cannot: Exception
) -> None:
    kept.cannot = cannot
    kept.put(kept.revoke(branch))
    with pytest.raises(NotReady):
        kept.holder.serving()
    assert kept.holder.not_ready()


@pytest.mark.parametrize("cannot", _CANNOT, ids=["full-disk", "no-keeper"])
def test_a_list_of_keys_that_touches_no_release_is_believed_and_remembered_as_soon_as_that_works(
    kept: Kept, cannot: Exception
) -> None:
    kept.cannot = cannot
    kept.put(kept.revoke("tokens"))
    assert kept.holder.serving().keys == 1
    assert kept.holder.not_ready()
    assert kept.state.now.key_revocations == 0
    with pytest.raises(VerificationFailed, match="only revoked keys"):
        kept.holder.believed.now.keys_of("tokens")
    kept.cannot = None
    kept.holder.refresh()
    assert kept.holder.not_ready() == ""
    assert kept.state.now.key_revocations == 1


def test_nothing_goes_on_that_could_not_be_verified_by_the_keys_that_are_left(kept: Kept) -> None:
    """The pointer it stood on is gone, and the newer one cannot be remembered, so it is not taken."""
    kept.cannot = OSError(28, "No space left on device")
    kept.house.promote(2)
    kept.put(kept.revoke("tokens"))
    with pytest.raises(NotReady):
        kept.holder.serving()
    kept.cannot = None
    kept.holder.refresh()
    assert kept.holder.serving().number == 2


def test_a_compromised_key_for_tokens_is_no_key_any_more(kept: Kept) -> None:
    assert kept.holder.believed.now.keys_of("tokens")
    kept.put(kept.revoke("tokens"))
    with pytest.raises(VerificationFailed, match="only revoked keys"):
        kept.holder.believed.now.keys_of("tokens")


def test_a_list_of_revoked_keys_never_goes_missing_or_back_t85(kept: Kept) -> None:
    older = kept.revoke("tokens")
    kept.put(older)
    kept.put(kept.revoke("tokens", "tls"))
    assert kept.holder.serving().keys == 2
    kept.put(older)
    with pytest.raises(NotReady):
        kept.holder.serving()
    (kept.house.home / trust.KEY_LIST).unlink()
    with pytest.raises(VerificationFailed, match="key-revocations"):
        kept.made().start()
    kept.put(kept.revoke("tokens", "tls"))
    assert kept.holder.serving().number == 1


def test_a_list_signed_by_another_branch_or_once_only_stops_service(kept: Kept) -> None:
    good = strict_json(kept.revoke("tokens"))
    kept.put(canonical_json(good | {"signatures": good["signatures"][:1]}))
    with pytest.raises(NotReady):
        kept.holder.serving()


def test_a_pointer_without_its_second_signature_is_refused_t43(kept: Kept) -> None:
    kept.house.promote(2)
    pointer = strict_json(kept.house.pointer.read_bytes())
    kept.house.pointer.write_bytes(canonical_json(pointer | {"signatures": pointer["signatures"][:1]}))
    kept.holder.refresh()
    assert kept.holder.serving().number == 1  # the one that was verified, until it expires
    assert "pointer" in kept.holder.not_ready()
    kept.clock.advance(timedelta(days=400))
    with pytest.raises(NotReady):
        kept.holder.serving()
