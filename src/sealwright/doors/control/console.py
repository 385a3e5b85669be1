"""What every page of the console knows: whose it is, where one logs in, whom to tell about a weakness."""

from dataclasses import dataclass, field
from datetime import timedelta

from sealwright.kernel import Clock, InvalidInput, rfc3339

__all__ = ["Console"]

_GOOD_FOR = timedelta(days=180)


@dataclass(kw_only=True)
class Console:
    """Facts for all pages, and whether this process is about to end."""

    organisation: str
    clock: Clock = field(repr=False)
    login_path: str = ""  # where accounts are wired in; "" where there are none
    logout_path: str = ""
    account_path: str = ""
    step_up_path: str = ""
    provider_path: str = ""  # where a login at the organisation's own provider begins; "" where there is none
    security_contact: str = ""  # "mailto:…" or "https://…"
    draining: bool = False

    def __post_init__(self) -> None:
        contact = self.security_contact
        fits = contact.startswith(("mailto:", "https://")) and contact.isascii() and contact.isprintable()
        if contact and not (fits and " " not in contact and len(contact) <= 300):
            raise InvalidInput("The security contact must be a mailto: or https:// address.")

    def security_txt(self) -> str:
        """The file of RFC 9116."""
        until = rfc3339(self.clock() + _GOOD_FOR)
        return f"Contact: {self.security_contact}\nExpires: {until}\nPreferred-Languages: en\n"
