"""The model in service is one whose release holds now; everything else ends in silence, not in an answer."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import FixedClock, VerificationFailed, private_folder
from sealwright.serving.holder import Holder
from sealwright.serving.problems import NotReady
from sealwright.serving.state import StateFile
from sealwright.trust.signing.vault import open_vault

START = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Post:
    """A house, a clock, and the holder of its project."""

    def __init__(self, house: Any, clock: FixedClock, folder: Path) -> None:
        self.house, self.clock, self.folder = house, clock, private_folder(folder)
        self.noted: list[tuple[str, str, dict[str, Any]]] = []
        self.holder = self.again()

    def again(self) -> Holder:
        """A holder as after a restart: same state file, nothing in memory."""
        self.state = StateFile(self.folder / "state.json", self.house.project, "live")
        self.holder = Holder(
            home=self.house.home,
            project=self.house.project,
            channel="live",
            trust_root=self.house.keyring.trust_root,
            state=self.state,
            clock=self.clock,
            most_rows=10,
            note=lambda action, subject, detail: self.noted.append((action, subject, dict(detail))),
        )
        return self.holder

    def number(self) -> int:
        return self.holder.serving().number

    def put(self, path: Path, data: bytes) -> None:
        path.chmod(0o600)
        path.write_bytes(data)


@pytest.fixture
def post(new_house: Callable[..., Any], tmp_path: Path) -> Post:
    """One release, taken into service."""
    clock = FixedClock(START)
    house = new_house(clock=clock)
    made = Post(house, clock, tmp_path / "state")
    made.holder.start()
    return made


def test_a_verified_release_is_taken_and_noted(post: Post) -> None:
    assert post.number() == 1
    assert post.holder.not_ready() == ""
    ((action, subject, detail),) = post.noted
    assert (action, subject) == ("serving.release_taken", post.holder.serving().package)
    assert (detail["sequence"], detail["number"]) == (1, 1)


def test_a_plan_that_gives_other_numbers_is_noted_and_the_whole_graph_serves(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealwright.serving.adapters.planned.agree", lambda *_: False)
    holder = post.again()
    holder.start()
    assert type(holder.serving().engine).__name__ == "OnnxEngine"
    noted = [(action, subject) for action, subject, _ in post.noted]
    assert ("serving.plan_refused", holder.serving().package) in noted


def test_a_newer_release_takes_over_and_a_rollback_is_a_newer_release(post: Post) -> None:
    post.house.promote(2)
    post.holder.refresh()
    assert post.number() == 2
    post.house.registry.rollback(post.house.project, "live", 1, "ada", "number 2 disappoints")
    post.holder.refresh()
    assert (post.number(), post.holder.serving().sequence) == (1, 3)


def test_nothing_is_looked_at_again_until_a_file_changes(post: Post) -> None:
    before = post.holder.serving()
    post.holder.refresh()
    assert post.holder.serving() is before


def test_a_confirmed_release_lasts_longer_without_loading_again(post: Post) -> None:
    engine = post.holder.serving().engine
    post.clock.advance(timedelta(days=6))
    post.house.promote(1)
    post.holder.refresh()
    post.clock.advance(timedelta(days=3))
    assert post.holder.serving().engine is engine


def test_an_expired_pointer_answers_nothing_and_says_so(post: Post) -> None:
    post.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert post.number() == 1
    post.clock.advance(timedelta(seconds=1))
    with pytest.raises(NotReady):
        post.holder.serving()
    assert "expired" in post.holder.not_ready()


def test_an_expired_pointer_does_not_start(post: Post) -> None:
    post.clock.advance(timedelta(days=8))
    with pytest.raises(VerificationFailed, match="expired"):
        post.again().start()


def test_an_older_pointer_put_back_is_refused_and_the_verified_one_stays(post: Post) -> None:
    """T-50: the older one is genuine; only its sequence gives it away."""
    older = post.house.pointer.read_bytes()
    post.house.promote(2)
    post.holder.refresh()
    post.put(post.house.pointer, older)
    post.holder.refresh()
    assert post.number() == 2
    assert "pointer" in post.holder.not_ready()
    assert post.noted[-1][0] == "serving.release_refused"


def test_an_older_pointer_does_not_start_even_after_a_restart(post: Post) -> None:
    older = post.house.pointer.read_bytes()
    post.house.promote(2)
    post.holder.refresh()
    post.put(post.house.pointer, older)
    with pytest.raises(VerificationFailed, match="old one shown again"):
        post.again().start()


@pytest.mark.parametrize("where", ["first", "middle", "last", "empty", "gone", "folder", "link"])
def test_a_changed_pointer_is_refused_and_the_verified_one_stays(post: Post, where: str) -> None:
    good, path = post.house.pointer.read_bytes(), post.house.pointer
    at = {"first": 0, "middle": len(good) // 2, "last": len(good) - 1}.get(where)
    if at is not None:
        post.put(path, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    elif where == "empty":
        post.put(path, b"")
    else:
        path.unlink()
        if where == "folder":
            path.mkdir()
        if where == "link":
            path.symlink_to("/dev/zero")
    post.holder.refresh()
    assert post.number() == 1
    assert post.holder.not_ready() != ""
    with pytest.raises(VerificationFailed):
        post.again().start()


def test_the_good_pointer_put_back_makes_it_ready_again(post: Post) -> None:
    good = post.house.pointer.read_bytes()
    post.put(post.house.pointer, b"{}")
    post.holder.refresh()
    assert post.holder.not_ready() != ""
    post.put(post.house.pointer, good)
    post.holder.refresh()
    assert post.holder.not_ready() == ""


def test_two_pointers_of_one_sequence_are_a_fork(post: Post, tmp_path: Path) -> None:
    """Both signed with the right key, as after a restored backup of the control database."""
    from sealwright.registry.pointer import make_pointer

    served = post.holder.serving()
    facts = {
        "project": post.house.project, "channel": "live", "sequence": 1, "number": 1, "not_before": START, "previous": None,
        "expires": START + timedelta(days=30), "revocations": 0, "reason": "another one", "by": "eve",
    }  # fmt: skip
    data, _ = make_pointer(facts, served.package, post.house.stolen("releases"))
    post.put(post.house.pointer, data)
    post.holder.refresh()
    assert post.holder.serving().expires == served.expires
    with pytest.raises(VerificationFailed, match="fork"):
        post.again().start()


def test_a_newer_pointer_that_is_over_ends_the_older_one_too(post: Post) -> None:
    """It was withdrawn by the newer one; that nobody confirmed the newer one does not bring it back."""
    from sealwright.registry.pointer import make_pointer

    facts = {
        "project": post.house.project, "channel": "live", "sequence": 2, "number": 2, "not_before": START - timedelta(days=9),
        "expires": START - timedelta(days=2), "previous": post.state.now.pointer, "revocations": 0, "reason": "short", "by": "ada",
    }  # fmt: skip
    data, _ = make_pointer(facts, post.house.version(2).package, post.house.stolen("releases"))
    post.put(post.house.pointer, data)
    post.holder.refresh()
    with pytest.raises(NotReady):
        post.holder.serving()


@pytest.mark.parametrize("whose", ["another workspace", "another branch"])
def test_a_pointer_signed_with_another_key_is_refused(post: Post, tmp_path: Path, whose: str) -> None:
    from sealwright.registry.pointer import make_pointer

    if whose == "another workspace":
        unlock = trust.KeyFile(post.house.home / "key")
        trust.create_keyring(tmp_path / "other-keys", "ws_2", unlock).close()
        signer = open_vault(tmp_path / "other-keys", unlock).signers["releases"]
    else:
        signer = post.house.stolen("statements")
    facts = {
        "project": post.house.project, "channel": "live", "sequence": 9, "number": 2, "not_before": START,
        "previous": "sha256:" + "ab" * 32,
        "expires": START + timedelta(days=7), "revocations": 0, "reason": "mine now", "by": "eve",
    }  # fmt: skip
    data, _ = make_pointer(facts, post.house.version(2).package, signer)
    post.put(post.house.pointer, data)
    post.holder.refresh()
    assert post.number() == 1
    assert post.holder.not_ready() != ""
    with pytest.raises(VerificationFailed):
        post.again().start()


@pytest.mark.parametrize(
    "name",
    ["model.onnx", "interface.json", "card.md", "statements/gate.json", "statements/performance.json", "model.sig"],
)
def test_a_newer_release_whose_package_was_changed_ends_the_answers(post: Post, name: str) -> None:
    """Fail closed: the older release was withdrawn by the newer pointer, and the newer one cannot be verified."""
    version = post.house.version(2)
    post.house.promote(2)
    path = post.house.home / "packages" / version.package[7:] / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    post.put(path, bytes(data))
    post.holder.refresh()
    with pytest.raises(NotReady):
        post.holder.serving()
    with pytest.raises(VerificationFailed):
        post.again().start()


def test_swapped_packages_are_refused(post: Post) -> None:
    """T-52: both folders are genuine, each stands in the other's place."""
    version = post.house.version(2)
    packages = post.house.home / "packages"
    first, second = packages / post.holder.serving().package[7:], packages / version.package[7:]
    first.rename(packages / "aside")
    second.rename(first)
    (packages / "aside").rename(second)
    with pytest.raises(VerificationFailed):
        post.again().start()


def test_a_missing_package_is_refused(post: Post) -> None:
    shutil.rmtree(post.house.home / "packages" / post.holder.serving().package[7:])
    with pytest.raises(VerificationFailed):
        post.again().start()


def test_what_is_in_service_needs_its_files_no_more(post: Post) -> None:
    """It answers from the bytes that were verified, whatever happens to the folder afterwards (T-49)."""
    shutil.rmtree(post.house.home / "packages" / post.holder.serving().package[7:])
    post.holder.refresh()
    assert post.number() == 1


def test_a_revoked_package_stops_answering_at_the_next_look(post: Post) -> None:
    post.house.registry.revoke(post.holder.serving().package, "ada", "trained on data that had to be erased")
    post.holder.refresh()
    with pytest.raises(NotReady):
        post.holder.serving()
    assert "revocations" in post.holder.not_ready()
    with pytest.raises(VerificationFailed, match="revoked"):
        post.again().start()


def test_a_revocation_counts_even_while_the_pointer_file_is_broken(post: Post) -> None:
    post.house.registry.revoke(post.holder.serving().package, "ada", "trained on data that had to be erased")
    post.put(post.house.pointer, b"{}")
    post.holder.refresh()
    with pytest.raises(NotReady):
        post.holder.serving()


@pytest.mark.parametrize("how", ["gone", "changed", "older", "empty"])
def test_a_revocation_list_that_went_missing_or_back_ends_the_answers(post: Post, how: str) -> None:
    first = post.house.version(2)
    second = post.house.version(3)
    post.house.registry.revoke(first.package, "ada", "never released")
    older = post.house.revocations.read_bytes()
    post.house.registry.revoke(second.package, "ada", "never released")
    post.holder.refresh()
    assert post.number() == 1
    if how == "gone":
        post.house.revocations.unlink()
    else:
        post.put(post.house.revocations, {"changed": older[:-9] + b"x" + older[-8:], "older": older, "empty": b""}[how])
    post.holder.refresh()
    with pytest.raises(NotReady):
        post.holder.serving()
    with pytest.raises(VerificationFailed):
        post.again().start()


def test_a_fresh_server_is_not_fooled_by_an_older_revocation_list_than_the_pointer_knew(post: Post) -> None:
    first = post.house.version(2)
    post.house.registry.revoke(first.package, "ada", "never released")
    post.house.promote(1)
    post.house.revocations.unlink()
    (post.folder / "state.json").unlink()
    with pytest.raises(VerificationFailed, match="revocation list"):
        post.again().start()


def test_the_highest_sequence_is_on_disk_before_the_release_is_taken(post: Post) -> None:
    post.house.promote(2)
    post.holder.refresh()
    assert json.loads((post.folder / "state.json").read_bytes())["sequence"] == 2


def test_a_release_that_cannot_be_remembered_is_not_taken(post: Post) -> None:
    """Disk full or read-only: the newest pointer must not be acted on and then forgotten."""
    post.house.promote(2)
    state = post.folder / "state.json"
    moved = post.folder.rename(post.folder.with_name("elsewhere"))
    post.holder.refresh()
    assert post.number() == 1
    assert post.holder.not_ready() != ""
    moved.rename(post.folder)
    post.holder.refresh()
    assert post.number() == 2
    assert state.exists()


_CANNOT = [OSError(28, "No space left on device"), trust.LedgerUnavailable("The keeper is gone.")]


@pytest.fixture(params=_CANNOT, ids=["full-disk", "no-keeper"])
def forgetful(post: Post, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Post:
    """A post whose state takes nothing newer, until `monkeypatch` is undone."""

    def change(**changes: Any) -> None:
        if any(getattr(post.state.now, name) != value for name, value in changes.items()):
            raise request.param

    monkeypatch.setattr(post.state, "change", change)
    return post


def test_a_revoked_package_stops_answering_also_where_the_list_cannot_be_remembered(forgetful: Post) -> None:
    post = forgetful
    post.house.registry.revoke(post.holder.serving().package, "ada", "trained on data that had to be erased")
    for _ in range(2):
        post.holder.refresh()
        with pytest.raises(NotReady):
            post.holder.serving()
    assert "revocations" in post.holder.not_ready()
    assert json.loads((post.folder / "state.json").read_bytes())["revocations"] == 0


def test_a_revoked_package_stops_answering_before_the_disk_is_waited_for(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[bool] = []

    def change(**_: Any) -> None:
        answered.append(post.holder._arms is not None)

    monkeypatch.setattr(post.state, "change", change)
    post.house.registry.revoke(post.holder.serving().package, "ada", "trained on data that had to be erased")
    post.holder.refresh()
    assert answered[0] is False


def test_a_list_that_touches_nothing_here_counts_in_this_process_and_is_remembered_as_soon_as_that_works(
    forgetful: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, state = forgetful, forgetful.folder / "state.json"
    spare = post.house.version(2).package
    post.house.registry.revoke(post.house.version(3).package, "ada", "never released")
    first = post.house.revocations.read_bytes()
    post.house.registry.revoke(spare, "ada", "never released")
    post.holder.refresh()
    assert post.number() == 1
    assert "state cannot be written" in post.holder.not_ready() or "ledger" in post.holder.not_ready()
    second = post.house.revocations.read_bytes()
    post.put(post.house.revocations, first)
    post.holder.refresh()
    with pytest.raises(NotReady):  # an older list than one that was seen, though no file says so
        post.holder.serving()
    post.put(post.house.revocations, second)
    monkeypatch.undo()
    post.holder.refresh()
    assert (post.number(), post.holder.not_ready()) == (1, "")
    assert json.loads(state.read_bytes())["revocations"] == 2


def test_a_state_that_cannot_be_read_does_not_start(post: Post) -> None:
    for data in (b"", b"{}", b'{"format":1,"project":"other","channel":"live"}', b"\xff"):
        post.put(post.folder / "state.json", data)
        with pytest.raises(VerificationFailed):
            post.again()


def test_no_release_does_not_start(new_house: Callable[..., Any], tmp_path: Path) -> None:
    clock = FixedClock(START)
    with pytest.raises(VerificationFailed):
        Post(new_house(clock=clock, released=False), clock, tmp_path / "state").holder.start()


def test_a_package_of_another_project_is_refused(post: Post, interface: dict[str, Any]) -> None:
    """The gate and the signature are genuine; the pointer of this project names it."""
    from sealwright.registry.pointer import make_pointer

    facts = {
        "project": "other-project", "channel": "live", "sequence": 1, "number": 1, "not_before": START, "previous": None,
        "expires": START + timedelta(days=7), "revocations": 0, "reason": "by mistake", "by": "ada",
    }  # fmt: skip
    data, _ = make_pointer(facts, post.holder.serving().package, post.house.stolen("releases"))
    place = post.house.home / "pointers" / "other-project"
    place.mkdir(mode=0o700)
    (place / "live.json").write_bytes(data)
    folder = private_folder(post.folder.with_name("other"))
    holder = Holder(
        home=post.house.home,
        project="other-project",
        channel="live",
        trust_root=post.house.keyring.trust_root,
        state=StateFile(folder / "state.json", "other-project", "live"),
        clock=post.clock,
        most_rows=1,
        note=lambda *_: None,
    )
    with pytest.raises(VerificationFailed, match="another project"):
        holder.start()


def test_a_request_keeps_the_model_it_began_with(post: Post) -> None:
    begun = post.holder.serving()
    post.house.promote(2)
    post.holder.refresh()
    assert (begun.number, post.number()) == (1, 2)
    assert begun.engine is not post.holder.serving().engine


def test_the_holder_needs_no_key_but_public_ones(post: Post) -> None:
    post.house.keyring.close()
    post.again().start()
    assert post.number() == 1
    assert isinstance(post.house.keyring.trust_root, trust.TrustRoot)
    assert asyncio.iscoroutinefunction(post.holder.refresh) is False
