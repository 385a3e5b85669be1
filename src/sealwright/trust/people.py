"""Keys of people: an approval is signed by a person, not by the workspace.

Answers: which key is this person's, in which roles was it enrolled, and did they sign?
Does not answer: may they approve this model? `evidence` decides.
A folder people/ holds <name>.json (public) and <name>.key.json (the private key, wrapped by the
person's own passphrase or key file). What counts for others is not these files but the enrolment:
a person statement signed by the workspace's "statements" key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    check_name,
    from_rfc3339,
    private_folder,
    read_limited,
    rfc3339,
    strict_json,
    write_atomically,
)
from sealwright.trust.public_keys import ED25519, PublicKey
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.statements import Statement, make_statement, verify_statement
from sealwright.trust.unlock import Unlock
from sealwright.trust.wrapping import unwrap, wrap

__all__ = [
    "PERSON",
    "ROLES",
    "Enrolment",
    "Person",
    "PersonSigner",
    "create_person",
    "open_person",
    "person_statement",
    "verify_person",
]

PERSON = "urn:sealwright:predicate:person:v1"

ROLES = (
    "data_scientist",
    "ml_engineer",
    "security_officer",
    "compliance_officer",
    "business_owner",
    "reviewer",
    "auditor",
    "administrator",
)
"""The roles a person can act in. What each may do: trust/permissions/policies.cedar."""

_NEVER_OF_ONE_PROJECT = ("administrator",)
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is here: a name, roles in the order of `ROLES`, and an Ed25519 public key.

    A role counts in every project, or written "role@project" in that one.
    """

    name: str
    roles: tuple[str, ...]
    public: PublicKey

    def __post_init__(self) -> None:
        check_name(self.name, what="person")
        if not self.roles or len(set(self.roles)) != len(self.roles) or not all(map(_is_role, self.roles)):
            raise InvalidInput(
                f"Roles of {self.name}: {', '.join(map(str, self.roles))[:200] or 'none'}. "
                f"Give at least one, each once, of: {', '.join(ROLES)}; for one project alone as ROLE@PROJECT."
            )
        for role in self.roles:
            name, _, project = role.partition("@")
            if project and name in self.roles:
                raise InvalidInput(f"{self.name} is {name} in every project, so {role} says nothing more.")
            if project and name in _NEVER_OF_ONE_PROJECT:
                raise InvalidInput(f"The role {name} is about the whole workspace. Give it without a project.")
        if self.public.algorithm != ED25519:
            raise InvalidInput(f"A person signs with Ed25519; {self.name} has a key for {self.public.algorithm}.")
        ordered = sorted(self.roles, key=lambda role: (ROLES.index(role.partition("@")[0]), role))
        object.__setattr__(self, "roles", tuple(ordered))

    def holds(self, role: str, project: str | None) -> bool:
        """Whether this role counts in a project; None: whether it does in any."""
        if project is None:
            return any(held.partition("@")[0] == role for held in self.roles)
        return role in self.roles or f"{role}@{project}" in self.roles

    def to_json(self) -> dict[str, Any]:
        """A JSON object `from_json` reads."""
        return {"name": self.name, "roles": list(self.roles), "public_key": self.public.to_json()}

    @classmethod
    def from_json(cls, value: object) -> "Person":
        """The person `to_json` wrote.

        Raises
        ------
        InvalidInput
            Fields missing, unknown or unusable.
        """
        if not isinstance(value, Mapping) or set(value) != {"name", "roles", "public_key"}:
            raise InvalidInput("A person has exactly the fields name, roles and public_key.")
        roles = value["roles"]
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise InvalidInput("The roles of a person are a list of role names.")
        return cls(value["name"], tuple(roles), PublicKey.from_json(value["public_key"]))


class PersonSigner(LocalSigner):
    """A signer that knows whose it is."""

    __slots__ = ("_person",)

    def __init__(self, person: Person, secret: bytes) -> None:
        super().__init__(ED25519, secret)
        self._person = person

    @property
    def person(self) -> Person:
        return self._person

    @property
    def name(self) -> str:
        return self._person.name


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person as the workspace vouches for them."""

    person: Person
    enrolled_at: datetime


def create_person(folder: Path, name: str, roles: Sequence[str], unlock: Unlock) -> Person:
    """Make a key pair for a person, kept in `folder` (made private).

    Raises
    ------
    Conflict
        There is a person of that name; a key is never overwritten.
    InvalidInput
        A name, role or passphrase that cannot be used.
    KeyFileUnsafe
        A key file we do not use.
    """
    check_name(name, what="person")
    secret = new_secret(ED25519)
    person = Person(name, tuple(roles), LocalSigner(ED25519, secret).public())
    wrapped = wrap(secret, _path(name), unlock)
    private_folder(folder)
    if any((folder / file).exists() or (folder / file).is_symlink() for file in (_public(name), _private(name))):
        raise Conflict(f"{name} has a key already, and a key is never overwritten. Choose another name.")
    write_atomically(folder / _private(name), wrapped)
    write_atomically(folder / _public(name), canonical_json(person.to_json()))
    return person


def open_person(folder: Path, name: str, unlock: Unlock) -> PersonSigner:
    """The signer of a person, for as long as they need it.

    Raises
    ------
    NotFound
        Nobody of that name has a key here.
    WrongUnlock
        The wrong passphrase or key file.
    VerificationFailed
        The files were changed, or belong to different people.
    """
    check_name(name, what="person")
    if not (folder / _public(name)).exists():
        raise NotFound(f"Nobody called {name} has a key in {folder}.\nEnrol them with: sealwright people add {name}")
    link = f"people/{_public(name)}"
    try:
        data = read_limited(folder / _public(name), _MOST_BYTES)
        person = Person.from_json(strict_json(data, what=link))
        wrapped = read_limited(folder / _private(name), _MOST_BYTES)
    except SealwrightError as error:
        raise VerificationFailed(f"The files of {name} are not as we wrote them: {error}", link=link) from None
    if person.name != name or canonical_json(person.to_json()) != data:
        raise VerificationFailed(f"{link} is not as we wrote it for {name}.", link=link)
    signer = PersonSigner(person, unwrap(wrapped, _path(name), unlock, link=f"people/{_private(name)}"))
    if signer.public() != person.public:
        raise VerificationFailed(f"The public key in {link} is not the one of the private key beside it.", link=link)
    return signer


def person_statement(person: Person, *, enrolled_at: datetime) -> Statement:
    """The enrolment of a person, to be signed by the workspace's "statements" key. Its subject is the key."""
    predicate = {**person.to_json(), "enrolled_at": rfc3339(enrolled_at)}
    return make_statement([(person.name, f"sha256:{person.public.key_id}")], PERSON, predicate)


def verify_person(data: bytes, keys: Sequence[PublicKey]) -> Enrolment:
    """The person an enrolment vouches for.

    Parameters
    ----------
    keys : sequence of PublicKey
        `TrustRoot.keys_of("statements")`.

    Raises
    ------
    VerificationFailed
        Not signed by those keys, or not an enrolment.
    """
    statement = verify_statement(data, keys, predicate_type=PERSON)
    fields = dict(statement.predicate)
    try:
        enrolled_at = from_rfc3339(fields.pop("enrolled_at", None))
        person = Person.from_json(fields)
    except (SealwrightError, TypeError) as error:
        raise VerificationFailed(f"This is not the enrolment of a person: {error}", link="person") from None
    if statement.subjects != ((person.name, f"sha256:{person.public.key_id}"),):
        raise VerificationFailed(f"The enrolment of {person.name} is about another key.", link="person")
    return Enrolment(person, enrolled_at)


def _is_role(text: str) -> bool:
    """ "role" or "role@project"."""
    name, at, project = text.partition("@")
    if name not in ROLES:
        return False
    return not at or bool(check_name(project, what="project"))


def _path(name: str) -> str:
    return f"sealwright/people/{name}/v1"


def _public(name: str) -> str:
    return f"{name}.json"


def _private(name: str) -> str:
    return f"{name}.key.json"
