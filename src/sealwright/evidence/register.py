"""The register of people: who is enrolled here today, in which roles, with which key.

Answers: does the workspace vouch for this person now?
Does not answer: where their private keys are. They hold them themselves.
"""

from collections.abc import Mapping
from dataclasses import replace

from sealwright.engines import Database
from sealwright.evidence.ledger_view import view_of
from sealwright.evidence.people import (
    REVOKED_PERSON_TYPE,
    Standing,
    end_of_enrolment,
    read_end_of_enrolment,
    standing_of,
)
from sealwright.evidence.store import Filed, StatementStore
from sealwright.evidence.verify import verify_any
from sealwright.kernel import Clock, Conflict, NotFound, Refused, VerificationFailed, canonical_json, rfc3339
from sealwright.trust import Ledger, Person, Signer, TrustRoot, person_statement, sign_statement, verify_person

__all__ = ["NotInStanding", "PeopleRegister"]


class NotInStanding(Refused):
    """This person may not sign that today. `why` is a stable word that names nobody."""

    code = "person.not_in_standing"

    def __init__(self, message: str, *, why: str) -> None:
        super().__init__(message)
        self.why = why


class PeopleRegister:
    """Enrolments and their ends. Each is a signed statement, on file and in the ledger."""

    def __init__(
        self,
        db: Database,
        statements: StatementStore,
        ledger: Ledger,
        trust_root: TrustRoot,
        clock: Clock,
        standing_root: TrustRoot | None = None,
    ) -> None:
        self._db = db
        self._statements = statements
        self._ledger = ledger
        self._trust_root, self._standing_root = trust_root, standing_root or trust_root
        self._clock = clock

    def enrol(self, person: Person, signer: Signer, *, actor: str = "") -> bytes:
        """Vouch for a person for a year; returns the enrolment, which they sign with.

        Enrolling again renews it, and is how roles change.

        Raises
        ------
        Conflict
            The key is enrolled under another name, or the name with another key that still stands.
        Refused
            The key was revoked. A revoked key never comes back.
        """
        standing = self.standing()
        for other in standing.values():
            same_key = other.person.public.key_id == person.public.key_id
            if same_key and other.person.name != person.name:
                raise Conflict(f"This key is enrolled as {other.person.name}. One key is one person.")
            if same_key and other.revoked:
                raise Refused(f"This key of {person.name} was revoked: {other.revoked}. Make a new one.")
            if other.person.name == person.name and not same_key and not other.problem_at(self._clock()):
                raise Conflict(f"{person.name} is enrolled with another key. End that enrolment first.")
        now = self._clock()
        statement = person_statement(person, enrolled_at=now)
        envelope = sign_statement(statement, signer)
        self._file(envelope, actor)
        with self._db.write() as tx:
            tx.hold_writers("people")
            tx.run("DELETE FROM people WHERE name = :name", name=person.name)
            tx.run(
                "INSERT INTO people (name, roles, public_key, envelope, enrolled_at)"
                " VALUES (:name, :roles, :public_key, :envelope, :enrolled_at)",
                name=person.name,
                roles=",".join(person.roles),
                public_key=canonical_json(person.public.to_json()).decode("utf-8"),
                envelope=envelope.decode("utf-8"),
                enrolled_at=rfc3339(now),
            )
        return envelope

    def end(self, name: str, signer: Signer, *, reason: str, actor: str = "") -> Filed:
        """End a person's enrolment, at once and for good as far as this key goes.

        Raises
        ------
        NotFound
            Nobody of that name is enrolled.
        """
        found = self.standing().get(name)
        if found is None:
            raise NotFound(f"Nobody called {name!r} is enrolled here. See who is with: sealwright people list")
        statement = end_of_enrolment(found.person, reason=reason, now=self._clock())
        return self._file(sign_statement(statement, signer), actor)

    def enrolment(self, name: str) -> bytes:
        """The current enrolment of a person, as they need it to sign.

        Raises
        ------
        NotFound
            Nobody of that name is enrolled.
        """
        with self._db.read() as tx:
            rows = tx.run("SELECT envelope FROM people WHERE name = :name", name=name)
        if not rows:
            raise NotFound(f"Nobody called {name!r} is enrolled here. Enrol them with: sealwright people add {name}")
        return str(rows[0]["envelope"]).encode("utf-8")

    def standing(self) -> Mapping[str, Standing]:
        """Everybody ever enrolled under their name, with what the workspace says of them today.

        Raises
        ------
        VerificationFailed
            An enrolment on file was changed, or one that the ledger knows is not on file.
        """
        with self._db.read() as tx:
            rows = tx.run("SELECT name, envelope FROM people ORDER BY name")
        ended, view = self._ended(), view_of(self._ledger)
        ended_keys, latest = view.ended_keys(), view.latest_enrolments()
        result: dict[str, Standing] = {}
        for row in rows:
            envelope = str(row["envelope"]).encode("utf-8")
            enrolment = verify_person(envelope, self._trust_root.keys_of("statements"))
            key = f"sha256:{enrolment.person.public.key_id}"
            if enrolment.person.name != row["name"] or latest.get(key) != verify_any(envelope, self._trust_root).digest:
                raise VerificationFailed(
                    f"The enrolment of {row['name']} on file is not the latest in the ledger.\n"
                    "Restore database and ledger from the same backup.",
                    link=f"people/{row['name']}",
                )
            why = ended.get(key, "its end stands in the ledger") if key in ended_keys else ""
            standing = standing_of(enrolment)
            result[row["name"]] = replace(standing, revoked=why)
        here = {f"sha256:{one.person.public.key_id}" for one in result.values()}
        self._miss({key: digest for key, digest in latest.items() if key not in here | ended_keys})
        return result

    def refuse_unless_in_standing(
        self, name: str, key_id: str, role: str, barred: Mapping[str, str], *, project: str
    ) -> None:
        """Return if this person may speak in this role in a project today.

        Raises
        ------
        NotInStanding
            Barred under this or another name, not enrolled, with another key, ended, or without the role.
        """
        everybody = self.standing()
        for other, why in barred.items():
            if other in everybody and everybody[other].person.public.key_id == key_id:
                raise NotInStanding(f"{name} {why} and cannot approve it. Ask somebody who did not.", why="barred")
        found = everybody.get(name)
        if found is None or found.person.public.key_id != key_id:
            raise NotInStanding(f"{name} is not enrolled here with this key.", why="not_enrolled")
        problem = found.problem_at(self._clock())
        if problem:
            raise NotInStanding(f"{name} cannot sign: {problem}.", why="ended")
        if not found.person.holds(role, project):
            held = ", ".join(found.person.roles)
            raise NotInStanding(f"{name} does not hold the role {role} in {project}, but {held}.", why="lacks_role")

    def _miss(self, absent: Mapping[str, str]) -> None:
        """Enrolments that the ledger knows and the table lacks: each must have run out, or somebody took a row away."""
        for digest in absent.values():
            try:
                envelope = self._statements.get(digest).envelope
            except NotFound:
                envelope = b""
            enrolment = verify_person(envelope, self._trust_root.keys_of("statements")) if envelope else None
            if enrolment is None or not standing_of(enrolment).problem_at(self._clock()):
                raise VerificationFailed(
                    "An enrolment that the ledger knows is not on file any more.\n"
                    "Restore database and ledger from the same backup.",
                    link="people",
                )

    def _ended(self) -> dict[str, str]:
        """Digest of a key -> why its enrolment ended."""
        keys = self._trust_root.keys_of("statements")
        files = self._statements.of_project("", REVOKED_PERSON_TYPE)
        return {one.subject: read_end_of_enrolment(one.envelope, keys) for one in files}

    def _file(self, envelope: bytes, actor: str) -> Filed:
        statement = verify_any(envelope, self._standing_root)
        return self._statements.file(
            statement, envelope, project="", ledger=self._ledger, now=self._clock(), actor=actor
        )
