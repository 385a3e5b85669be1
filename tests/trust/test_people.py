"""People sign with their own key, and the workspace vouches which key is whose."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import Conflict, InvalidInput, NotFound, Refused, VerificationFailed, canonical_json, strict_json
from sealwright.trust import (
    ECDSA_P256,
    ED25519,
    PERSON,
    ROLES,
    InsecurePassphraseForTests,
    KeyFileUnsafe,
    LocalSigner,
    Person,
    Secret,
    WrongUnlock,
    create_key_file,
    create_person,
    make_statement,
    open_person,
    person_statement,
    sign_statement,
    verify_person,
    verify_statement,
)

WORDS = InsecurePassphraseForTests(Secret("seven green lanterns"))
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
WORKSPACE, EVIL = LocalSigner(ED25519, b"w" * 32), LocalSigner(ED25519, b"e" * 32)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return tmp_path / "people"


def test_a_person_signs_and_anyone_can_check(people: Path) -> None:
    person = create_person(people, "ada", ["reviewer", "data_scientist"], WORDS)
    signer = open_person(people, "ada", WORDS)
    assert (signer.name, signer.person, person.roles) == ("ada", person, ("data_scientist", "reviewer"))
    data = sign_statement(make_statement([("m", "sha256:" + "0" * 64)], "urn:x", {}), signer)
    assert verify_statement(data, [person.public]).predicate == {}


def test_a_key_file_opens_a_person_too(people: Path, tmp_path: Path) -> None:
    key = create_key_file(tmp_path / "k")
    person = create_person(people, "ada", ["auditor"], key)
    assert open_person(people, "ada", key).public() == person.public
    key.path.chmod(0o644)
    with pytest.raises(KeyFileUnsafe):
        open_person(people, "ada", key)


def test_two_people_have_two_keys(people: Path) -> None:
    one, two = (create_person(people, name, ["reviewer"], WORDS) for name in ("ada", "bo"))
    assert one.public != two.public


def test_a_persons_private_key_is_wrapped_and_private(people: Path) -> None:
    create_person(people, "ada", ["reviewer"], WORDS)
    assert people.stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in people.iterdir()} == {"ada.json": 0o600, "ada.key.json": 0o600}


def test_a_wrong_passphrase_is_refused(people: Path) -> None:
    create_person(people, "ada", ["reviewer"], WORDS)
    with pytest.raises(WrongUnlock, match="people/ada"):
        open_person(people, "ada", InsecurePassphraseForTests(Secret("some other words")))


def test_somebody_elses_key_under_my_name_is_refused(people: Path) -> None:
    for name in ("ada", "bo"):
        create_person(people, name, ["reviewer"], WORDS)
    stolen = (people / "bo.key.json").read_bytes()
    (people / "ada.key.json").write_bytes(stolen)
    with pytest.raises(VerificationFailed, match="holds the key of 'sealwright/people/bo/v1'"):
        open_person(people, "ada", WORDS)
    (people / "ada.key.json").write_bytes(stolen.replace(b"people/bo/", b"people/ada/"))
    with pytest.raises(WrongUnlock):
        open_person(people, "ada", WORDS)


def test_a_public_file_of_another_key_is_refused(people: Path) -> None:
    create_person(people, "ada", ["reviewer"], WORDS)
    other = Person("ada", ("reviewer",), EVIL.public())
    (people / "ada.json").write_bytes(canonical_json(other.to_json()))
    with pytest.raises(VerificationFailed, match="not the one of the private key"):
        open_person(people, "ada", WORDS)


def test_every_byte_of_a_persons_files_counts(people: Path) -> None:
    """Except the roles: what roles count is what the enrolment says."""
    create_person(people, "ada", ["reviewer"], WORDS)
    for path in sorted(people.iterdir()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises((VerificationFailed, WrongUnlock)):
                open_person(people, "ada", WORDS)
        path.write_bytes(whole)
    open_person(people, "ada", WORDS)


def test_a_key_is_never_overwritten(people: Path) -> None:
    create_person(people, "ada", ["reviewer"], WORDS)
    before = (people / "ada.key.json").read_bytes()
    with pytest.raises(Conflict, match="never overwritten"):
        create_person(people, "ada", ["auditor"], WORDS)
    assert (people / "ada.key.json").read_bytes() == before


def test_nobody_of_that_name(people: Path) -> None:
    with pytest.raises(NotFound, match="Nobody called ada"):
        open_person(people, "ada", WORDS)
    with pytest.raises(InvalidInput, match="person name"):
        open_person(people, "../ada", WORDS)
    create_person(people, "ada", ["reviewer"], WORDS)
    (people / "ada.key.json").unlink()
    with pytest.raises(VerificationFailed, match="not as we wrote them"):
        open_person(people, "ada", WORDS)


def test_a_people_folder_open_to_others_is_refused(people: Path) -> None:
    people.mkdir(mode=0o755)
    with pytest.raises(Refused, match="chmod 700"):
        create_person(people, "ada", ["reviewer"], WORDS)


@pytest.mark.parametrize("roles", [[], ["king"], ["reviewer", "reviewer"], ["reviewer", "king"]])
def test_only_known_roles_each_once(people: Path, roles: list[str]) -> None:
    with pytest.raises(InvalidInput, match="Give at least one"):
        create_person(people, "ada", roles, WORDS)
    assert not people.exists()


@pytest.mark.parametrize("name", ["", "Ada", "a/b", "../a", "a b", "ada\n"])
def test_a_name_is_safe_everywhere(people: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="person name"):
        create_person(people, name, ["reviewer"], WORDS)


# ---- enrolment


def enrolled(person: Person) -> bytes:
    return sign_statement(person_statement(person, enrolled_at=NOW), WORKSPACE)


ADA = Person("ada", ("reviewer",), LocalSigner(ED25519, b"a" * 32).public())


def test_the_workspace_vouches_for_a_person() -> None:
    enrolment = verify_person(enrolled(ADA), [WORKSPACE.public()])
    assert (enrolment.person, enrolment.enrolled_at) == (ADA, NOW)


def test_an_enrolment_by_anybody_else_is_refused() -> None:
    data = sign_statement(person_statement(ADA, enrolled_at=NOW), EVIL)
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_person(data, [WORKSPACE.public()])


def test_a_person_does_not_enrol_themselves() -> None:
    own = LocalSigner(ED25519, b"a" * 32)
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_person(sign_statement(person_statement(ADA, enrolled_at=NOW), own), [WORKSPACE.public()])


def test_an_enrolment_of_another_shape_is_refused() -> None:
    good = dict(person_statement(ADA, enrolled_at=NOW).predicate)
    subject = ("ada", f"sha256:{ADA.public.key_id}")
    cases = [
        ([subject], PERSON + "x", good),
        ([("bo", subject[1])], PERSON, good),
        ([("ada", f"sha256:{EVIL.key_id}")], PERSON, good),
        ([subject, ("bo", subject[1])], PERSON, good),
        ([subject], PERSON, {**good, "roles": ["king"]}),
        ([subject], PERSON, {**good, "roles": []}),
        ([subject], PERSON, {**good, "roles": "reviewer"}),
        ([subject], PERSON, {**good, "roles": [7]}),
        ([subject], PERSON, {**good, "extra": 1}),
        ([subject], PERSON, {**good, "name": 7}),
        ([subject], PERSON, {**good, "enrolled_at": "yesterday"}),
        ([subject], PERSON, {**good, "enrolled_at": 7}),
        ([subject], PERSON, {k: v for k, v in good.items() if k != "enrolled_at"}),
        ([subject], PERSON, {**good, "public_key": LocalSigner(ECDSA_P256, b"\1" * 32).public().to_json()}),
    ]
    for subjects, kind, predicate in cases:
        data = sign_statement(make_statement(subjects, kind, predicate), WORKSPACE)
        with pytest.raises(VerificationFailed):
            verify_person(data, [WORKSPACE.public()])


def test_a_role_counts_everywhere_or_in_the_project_it_names() -> None:
    ada = Person("ada", ("auditor", "reviewer@credit", "reviewer@loans"), ADA.public)
    assert Person.from_json(strict_json(canonical_json(ada.to_json()))) == ada
    assert verify_person(enrolled(ada), [WORKSPACE.public()]).person.roles == (
        "reviewer@credit",
        "reviewer@loans",
        "auditor",
    )
    assert [ada.holds("reviewer", project) for project in ("credit", "loans", "other", None)] == [
        True,
        True,
        False,
        True,
    ]
    assert [ada.holds("auditor", project) for project in ("credit", "other", None)] == [True] * 3
    assert not ada.holds("data_scientist", None)
    assert not ada.holds("reviewer", "")


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        (["reviewer", "reviewer@credit"], "says nothing more"),
        (["administrator@credit"], "the whole workspace"),
        (["king@credit"], "Give at least one"),
        (["@credit"], "Give at least one"),
        (["reviewer@"], "project name"),
        (["reviewer@../credit"], "project name"),
        (["reviewer@a@b"], "project name"),
        (["reviewer@*"], "project name"),
        (["reviewer@credit", "reviewer@credit"], "each once"),
    ],
)
def test_a_role_of_one_project_is_written_in_one_way(people: Path, roles: list[str], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        create_person(people, "ada", roles, WORDS)
    assert not people.exists()


def test_roles_have_one_order() -> None:
    assert Person("ada", tuple(reversed(ROLES)), ADA.public) == Person("ada", ROLES, ADA.public)
    assert Person.from_json(strict_json(canonical_json(ADA.to_json()))) == ADA
