"""The first person of a workspace: where nobody has an account, whoever starts the server gets a link for one.

Answers: for whom is the first link, and who vouches for them? There is no default account and no default password. The link
is good for 15 minutes, on this machine, once; somebody who is not enrolled yet becomes the workspace's administrator by it.
"""

import contextlib

from sealwright.doors.control.people_now import PeopleNow
from sealwright.evidence import PeopleRegister, StatementStore
from sealwright.kernel import Conflict, Refused
from sealwright.pipeline import Workspace
from sealwright.trust import EnrolmentLink, Identity, Passphrase, Secret, SharedLedger, create_person

__all__ = ["FirstPerson"]

_PREFERRED = ("administrator", "security_officer")
_ROLE = "administrator"


class FirstPerson:
    """Makes the first link, and enrols whoever uses it."""

    def __init__(self, workspace: Workspace, identity: Identity, people: PeopleNow, ledger: SharedLedger) -> None:
        self._workspace, self._identity, self._people, self._ledger = workspace, identity, people, ledger

    def link(self, name: str) -> EnrolmentLink | None:
        """The first link, or None where somebody has an account.

        Parameters
        ----------
        name : str
            For whom, if nobody is enrolled; else it is for somebody who is, an administrator if there is one.
        """
        members = self._people.members()
        by_role = [one.name for role in _PREFERRED for one in members if role in {held.role for held in one.grants}]
        chosen = [*by_role, *(one.name for one in members), name][0]
        with contextlib.suppress(Refused):
            return self._identity.links.make_first(chosen)
        return None

    def vouch(self, name: str, password: Secret) -> None:
        """Enrol the first person, signed by the workspace. Their own key is opened by the password they chose.

        Raises
        ------
        Conflict
            Somebody is enrolled by now: further people are enrolled by those who may.
        """
        workspace, people = self._workspace, self._people
        if people.grants(name) is not None:
            return
        if people.members():
            raise Conflict(
                "Somebody else is enrolled in this workspace by now. Start the server again for another link."
            )
        person = create_person(workspace.folder("people"), name, [_ROLE], Passphrase(password))
        with self._ledger.use() as ledger:
            register = PeopleRegister(
                workspace.db, StatementStore(workspace.db), ledger, workspace.trust_root, workspace.clock
            )
            register.enrol(person, workspace.keyring.signer("statements"), actor=name)
