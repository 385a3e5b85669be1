"""Keys are withdrawn by a numbered list that no key signs about itself, and trust roots follow each other by signed steps."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import Conflict, InvalidInput, VerificationFailed, canonical_json, strict_json
from sealwright.trust import (
    SIGNING_BRANCHES,
    Event,
    InsecurePassphraseForTests,
    KeyListFile,
    KeyListOlder,
    KeyRevocations,
    Keyring,
    LocalSigner,
    RevokedKey,
    Secret,
    TrustRoot,
    create_keyring,
    follow_chain,
    heed,
    make_key_revocations,
    make_statement,
    open_keyring,
    read_chain,
    revoke,
    rotate_signing,
    sign_statement,
    verify_key_revocations,
    verify_statement,
)
from sealwright.trust import key_journal as journal
from sealwright.trust.key_revocation import no_revocations
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.renewal import prepare, take
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.trust_chain import TrustRootOlder, make_link

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery"))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STATEMENT = make_statement([("m", "sha256:" + "1" * 64)], "https://slsa.dev/provenance/v1", {"a": 1})


class Kept:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


class Full(Kept):
    def record(self, event: Event) -> None:
        raise OSError(f"disk full: {event.action}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_keyring(tmp_path / "keys", "ws_1", UNLOCK).close()
    return tmp_path


def opened(home: Path) -> Keyring:
    return open_keyring(home / "keys", UNLOCK)


def rotated(home: Path, branch: str) -> TrustRoot:
    with opened(home) as ring:
        return rotate_signing(ring, home / "keys", UNLOCK, branch, audit=Kept(), by="ada")


def stolen(home: Path, branch: str) -> LocalSigner:
    """The key in use, with those beside it, as a thief has it, who asks no signer."""
    return open_vault(home / "keys", UNLOCK).signers[branch]


def entry(root: TrustRoot, branch: str, place: int, reason: str = "compromised", since: int = 10) -> RevokedKey:
    key = root.keys[branch][place].key_id
    return RevokedKey(key_id=key, branch=branch, reason=reason, since=since, at=NOW, by="ada")


def listed(root: TrustRoot, *entries: RevokedKey) -> KeyRevocations:
    found = no_revocations(NOW)
    for one in entries:
        found = revoke(found, one, root, now=NOW)
    return found


def test_a_rotated_key_signs_and_the_old_one_still_verifies(home: Path) -> None:
    before = opened(home)
    old, first = sign_statement(STATEMENT, before.signer("statements")), before.signer("statements").key_id
    root = rotated(home, "statements")
    ring = opened(home)
    assert ring.trust_root == before.trust_root == root
    assert [key.key_id for key in root.keys["statements"]] == [first, ring.signer("statements").key_id]
    assert before.signer("statements").key_id == ring.signer("statements").key_id, "what was open follows"
    for data in (old, sign_statement(STATEMENT, before.signer("statements"))):
        assert verify_statement(data, root.keys_of("statements")) == STATEMENT
    assert sorted(path.name for path in (home / "keys").glob("statements.*")) == ["statements.v2.json"]


@pytest.mark.parametrize("branch", sorted(SIGNING_BRANCHES))
def test_every_signing_branch_rotates_twice_and_the_chain_leads_on(home: Path, branch: str) -> None:
    first = opened(home).trust_root
    rotated(home, branch)
    last = rotated(home, branch)
    assert len(last.keys[branch]) == 3
    assert follow_chain(first, read_chain(home / "keys" / "trust-chain.json")) == (last, 2)
    data = sign_statement(STATEMENT, stolen(home, "releases"))
    assert verify_statement(data, last.keys_of("releases")) == STATEMENT


def test_what_cannot_be_recorded_is_not_rotated(home: Path) -> None:
    before = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
    with pytest.raises(OSError, match="disk full"):
        rotate_signing(opened(home), home / "keys", UNLOCK, "releases", audit=Full(), by="ada")
    assert {path.name: path.read_bytes() for path in (home / "keys").iterdir()} == before


@pytest.mark.parametrize("dies_before", range(6))
def test_a_rotation_that_was_cut_off_is_finished_by_whoever_opens_next_t58(
    home: Path, monkeypatch: pytest.MonkeyPatch, dies_before: int
) -> None:
    written, count = journal.write_atomically, [0]

    def dying(path: Path, data: bytes, *, mode: int = 0o600) -> None:
        if count[0] == dies_before:
            raise OSError("power cut")
        count[0] += 1
        written(path, data, mode=mode)

    first = opened(home).trust_root
    monkeypatch.setattr(journal, "write_atomically", dying)
    vault = open_vault(home / "keys", UNLOCK)
    with pytest.raises(OSError, match="power cut") if dies_before < 5 else _nothing():
        take(prepare(vault, "releases"), vault, KeyMemory(vault.memory))
    monkeypatch.undo()
    ring = opened(home)
    assert len(ring.trust_root.keys["releases"]) == (1 if dies_before == 0 else 2)
    chain = read_chain(home / "keys" / "trust-chain.json")
    assert follow_chain(first, chain)[0] == ring.trust_root
    assert not (home / "keys" / "changes.journal").exists()


class _nothing:  # noqa: N801 - reads like the context it stands for
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_compromised_key_counts_for_nothing_except_what_the_ledger_had_before_t85(home: Path) -> None:
    old = sign_statement(STATEMENT, stolen(home, "statements"))
    root = rotated(home, "statements")
    standing = heed(root, listed(root, entry(root, "statements", 0, since=10)))
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(old, standing.keys_of("statements"))
    assert verify_statement(old, standing.as_of(9).keys_of("statements")) == STATEMENT
    for index in (10, 11):
        with pytest.raises(VerificationFailed, match="unknown key"):
            verify_statement(old, standing.as_of(index).keys_of("statements"))
    new = sign_statement(STATEMENT, stolen(home, "statements"))
    assert verify_statement(new, standing.keys_of("statements")) == STATEMENT
    assert standing.fingerprint == root.fingerprint


@pytest.mark.parametrize("reason", ["superseded", "destroyed"])
def test_a_key_that_was_never_in_other_hands_ends_where_the_time_is_known(home: Path, reason: str) -> None:
    old = sign_statement(STATEMENT, stolen(home, "releases"))
    root = rotated(home, "releases")
    standing = heed(root, listed(root, entry(root, "releases", 0, reason, since=10)))
    assert verify_statement(old, standing.keys_of("releases")) == STATEMENT
    assert verify_statement(old, standing.as_of(9).keys_of("releases")) == STATEMENT
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(old, standing.as_of(10).keys_of("releases"))


def test_a_compromised_second_key_takes_its_signatures_with_it(home: Path) -> None:
    old = sign_statement(STATEMENT, stolen(home, "releases"))
    root = rotated(home, "releases-pq")
    standing = heed(root, listed(root, entry(root, "releases-pq", 0)))
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(old, standing.keys_of("releases"))
    new = sign_statement(STATEMENT, stolen(home, "releases"))
    assert verify_statement(new, standing.keys_of("releases")) == STATEMENT


def test_the_list_goes_round_and_is_signed_twice(home: Path) -> None:
    root = rotated(home, "models")
    known = listed(root, entry(root, "models", 0), entry(root, "tokens", 0, "destroyed"))
    data = make_key_revocations(known, stolen(home, "authority"))
    assert len(strict_json(data)["signatures"]) == 2
    assert verify_key_revocations(data, root) == known
    for at in range(0, len(data), 13):
        with pytest.raises(VerificationFailed):
            verify_key_revocations(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], root)
    cut = canonical_json(strict_json(data) | {"signatures": strict_json(data)["signatures"][:1]})
    with pytest.raises(VerificationFailed, match="second signature"):
        verify_key_revocations(cut, root)


def test_no_other_branch_and_no_older_authority_signs_the_list(home: Path) -> None:
    older = stolen(home, "authority")
    root = rotated(home, "authority")
    known = listed(root, entry(root, "tokens", 0))
    for signer in (stolen(home, "statements"), stolen(home, "releases"), older):
        with pytest.raises(VerificationFailed, match="unknown key"):
            verify_key_revocations(make_key_revocations(known, signer), root)
    half = stolen(home, "authority")
    newer = rotated(home, "authority-pq")
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_key_revocations(make_key_revocations(known, half), newer)
    assert verify_key_revocations(make_key_revocations(known, stolen(home, "authority")), newer) == known


def test_no_key_revokes_itself_and_none_is_revoked_twice_or_unknown(home: Path) -> None:
    root = rotated(home, "authority")
    for branch in ("authority", "authority-pq"):
        with pytest.raises(Conflict, match="no key revokes itself"):
            listed(root, entry(root, branch, -1))
    assert listed(root, entry(root, "authority", 0)).sequence == 1
    with pytest.raises(Conflict, match="revoked already"):
        listed(root, entry(root, "models", 0), entry(root, "models", 0, "destroyed"))
    with pytest.raises(InvalidInput, match="no key"):
        listed(root, replace(entry(root, "models", 0), branch="tokens"))
    with pytest.raises(InvalidInput, match="one of: compromised"):
        entry(root, "models", 0, "bored")
    forged = KeyRevocations(sequence=1, issued_at=NOW, keys={"k": entry(root, "authority", -1)})
    with pytest.raises(VerificationFailed, match="no key revokes itself"):
        verify_key_revocations(make_key_revocations(forged, stolen(home, "authority")), root)
    wrong = replace(listed(root, entry(root, "models", 0)), sequence=2)
    with pytest.raises(VerificationFailed, match="as many keys"):
        verify_key_revocations(make_key_revocations(wrong, stolen(home, "authority")), root)


def test_an_older_list_and_a_missing_one_are_refused_once_a_newer_was_seen_t85(home: Path) -> None:
    ring, file = opened(home), KeyListFile(home)
    root = ring.trust_root
    assert file.read(root, now=NOW).sequence == 0
    one = listed(root, entry(root, "models", 0))
    two = revoke(one, entry(root, "tokens", 0), root, now=NOW)
    older, newer = (make_key_revocations(known, stolen(home, "authority")) for known in (one, two))
    file.put(older, root)
    file.put(newer, root)
    assert KeyListFile(home).read(root, now=NOW) == two
    with pytest.raises(KeyListOlder, match="2 was seen before"):
        file.put(older, root)
    path = home / "key-revocations.json"
    path.write_bytes(older)
    with pytest.raises(KeyListOlder):
        file.read(root, now=NOW)
    path.unlink()
    with pytest.raises(VerificationFailed, match="cannot be read"):
        file.read(root, now=NOW)


def test_a_newer_list_that_was_brought_is_remembered(home: Path) -> None:
    ring = opened(home)
    data = make_key_revocations(listed(ring.trust_root, entry(ring.trust_root, "models", 0)), stolen(home, "authority"))
    (home / "key-revocations.json").write_bytes(data)
    assert KeyListFile(home).read(ring.trust_root, now=NOW).sequence == 1
    (home / "key-revocations.json").unlink()
    with pytest.raises(VerificationFailed, match="cannot be read"):
        KeyListFile(home).read(ring.trust_root, now=NOW)


@pytest.mark.parametrize("branch", ["authority", "authority-pq"])
def test_the_list_is_signed_anew_when_its_authority_is_replaced(home: Path, branch: str) -> None:
    ring = opened(home)
    known = listed(ring.trust_root, entry(ring.trust_root, "models", 0))
    KeyListFile(home).put(make_key_revocations(known, ring.signer("authority")), ring.trust_root)
    root = rotated(home, branch)
    assert KeyListFile(home).read(root, now=NOW) == known


def test_a_chain_is_followed_from_any_of_its_roots_and_never_back(home: Path) -> None:
    roots = [opened(home).trust_root, *(rotated(home, branch) for branch in ("models", "authority", "tokens"))]
    chain = read_chain(home / "keys" / "trust-chain.json")
    for known in roots:
        assert follow_chain(known, chain, at_least=3) == (roots[-1], 3)
    assert follow_chain(roots[0], []) == (roots[0], 0)
    with pytest.raises(TrustRootOlder, match="3 was seen before"):
        follow_chain(roots[0], chain[:2], at_least=3)
    for wrong in (chain[1:], [chain[0], chain[2]], [chain[1], chain[0], chain[2]], [*chain, chain[2]]):
        with pytest.raises(VerificationFailed):
            follow_chain(roots[0], wrong)


def test_a_step_needs_the_old_authority_the_new_one_and_both_kinds_of_signature(home: Path, tmp_path: Path) -> None:
    ring = opened(home)
    old = ring.trust_root
    thief = LocalSigner("ed25519", b"\7" * 32, beside=(LocalSigner("ml-dsa-65", b"\7" * 32),))
    evil = replace(old, keys={**old.keys, "authority": (*old.keys["authority"], thief.public())})
    mine, alone = stolen(home, "authority"), stolen(home, "authority").with_beside()
    for signers in ([thief], [mine], [alone, thief], [stolen(home, "releases"), thief]):
        with pytest.raises(VerificationFailed, match="does not verify"):
            make_link(old, evil, 1, signers)
    dropped = replace(old, keys={**old.keys, "models": (LocalSigner("ecdsa-p256-sha256", b"\1" * 32).public(),)})
    with pytest.raises(VerificationFailed, match="only added"):
        make_link(old, dropped, 1, [mine])
    other = create_keyring(tmp_path / "other", "ws_2", UNLOCK)
    with pytest.raises(VerificationFailed):
        make_link(old, other.trust_root, 1, [mine])
    with pytest.raises(VerificationFailed, match="on no step"):
        rotated(home, "models")
        follow_chain(other.trust_root, read_chain(home / "keys" / "trust-chain.json"))


def test_no_flipped_byte_of_a_step_is_followed(home: Path) -> None:
    first = opened(home).trust_root
    rotated(home, "models")
    (step,) = read_chain(home / "keys" / "trust-chain.json")
    for at in range(0, len(step), 61):
        with pytest.raises(VerificationFailed):
            follow_chain(first, [step[:at] + bytes([step[at] ^ 1]) + step[at + 1 :]])


@pytest.mark.parametrize(
    "content",
    [b"{}x", b"[]", b'{"root.json":"AAAA"}', b'{"../../x":"AAAA"}', b'{"trust.json":"%%"}', b'{"trust.json":1}'],
)
def test_a_journal_that_is_not_ours_writes_nothing(home: Path, content: bytes) -> None:
    before = (home / "keys" / "trust.json").read_bytes()
    (home / "keys" / "changes.journal").write_bytes(content)
    with pytest.raises(VerificationFailed, match="journal"):
        opened(home)
    assert (home / "keys" / "trust.json").read_bytes() == before
