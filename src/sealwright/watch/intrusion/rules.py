"""The rules: what an attack looks like in our own events, each with the numbers it goes by.

Answers: does this stream hold guessing, stolen tokens, probing, mass reading, extraction, tampering?
Does not answer: who did it. An alert names pseudonyms, and a person looks.

The numbers leave room for people's mistakes: three wrong passwords are a Monday morning, ten are not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sealwright.watch.intrusion.model import Alert, Rule, Severity
from sealwright.watch.intrusion.window import Counted, Window
from sealwright.watch.seen import Seen

__all__ = ["RULES"]

_LOGINS = frozenset({"login", "oidc.login", "step_up", "recovery_code.use"})
_CREDENTIALS = frozenset({"token.use", "api_key.use", "predict.usage"})
_READS = frozenset(
    {
        "data.read",
        "data.key_unwrapped",
        "data.extract",
        "data.reidentified",
        "evidence.export",
        "ledger.export",
        "model.decision_opened",
    }
)
_GUESSES, _SPRAYED, _BEFORE_SUCCESS = 10, 8, 5
_GUESSED_CREDENTIALS = 100
_PROBES = 6
_SOURCES = 4
_MANY_READS, _MANY_ROWS = 20, 100_000.0
_EXTRACTION_ROWS, _EXTRACTION_NEW = 20_000.0, 0.9
_SIGNS_OF_TAMPERING = frozenset(
    {"ledger.recovered", "environment.compare", "signer.sign", "checkpoint.witness", "checkpoint.timestamp"}
)


_OUTAGES = frozenset({"keys.backend_unavailable"})  # a device or service that did not answer


def _alert(rule: Rule, seen: Seen, counted: Counted, about: str, severity: Severity, says: str) -> Alert:
    return Alert(
        rule=rule.id,
        severity=severity,
        about=about,
        since=counted.since,
        at=seen.at,
        first=counted.first,
        last=seen.uid,
        count=counted.events,
        says=says,
    )


def _sources(seen: Seen) -> dict[str, int]:
    """How many requests came from where: an event speaks of one, or sums many up."""
    sources = seen.detail.get("sources")
    if isinstance(sources, dict):
        return {str(source): int(times) for source, times in sources.items()}
    return {seen.source: max(1, int(seen.detail.get("count", 1)))} if seen.source else {}


def _one(seen: Seen) -> Counted:
    """The event alone."""
    return Counted(1, 1, 1, seen.at, seen.uid)


@dataclass(slots=True)
class _BruteForce:
    """Many refused logins on one account, or from one address on many accounts; many refused tokens from one address."""

    id: str = "intrusion.brute_force"
    title: str = "passwords, codes or tokens are being guessed"
    techniques: tuple[str, ...] = ("T1110.001", "T1110.003", "T1110.004", "AML.T0012")
    _of_account: Window = field(default_factory=lambda: Window(timedelta(minutes=10)))
    _of_source: Window = field(default_factory=lambda: Window(timedelta(minutes=10)))

    def see(self, seen: Seen) -> Alert | None:
        if not seen.refused:
            return None
        if seen.action in _CREDENTIALS:
            return self._credentials(seen)
        return self._logins(seen) if seen.action in _LOGINS else None

    def _credentials(self, seen: Seen) -> Alert | None:
        if seen.reason.endswith(".expired"):
            return None  # a client that was not given a new token in time
        for source, times in _sources(seen).items():
            counted = self._of_source.add(source, seen, amount=times)
            if counted.amount >= _GUESSED_CREDENTIALS:
                self._of_source.forget(source)
                says = f"{counted.amount:.0f} refused tokens or keys from one address in 10 minutes"
                return _alert(self, seen, counted, source, "medium", says)
        return None

    def _logins(self, seen: Seen) -> Alert | None:
        times = max(1, int(seen.detail.get("count", 1)))  # a summary of many stands for all of them
        account = seen.subject or seen.actor
        if account:
            counted = self._of_account.add(account, seen, amount=times)
            if counted.amount >= _GUESSES:
                self._of_account.forget(account)
                return _alert(
                    self,
                    seen,
                    counted,
                    account,
                    "medium",
                    f"{counted.amount:.0f} refused logins on one account in 10 minutes",
                )
        if seen.source:
            counted = self._of_source.add(seen.source, seen, account, amount=times)
            if counted.different >= _SPRAYED or counted.amount >= 3 * _GUESSES:
                self._of_source.forget(seen.source)
                says = f"{counted.amount:.0f} refused logins on {counted.different} accounts from one address in 10 minutes"
                return _alert(self, seen, counted, seen.source, "high", says)
        return None


@dataclass(slots=True)
class _Guessed:
    """A login that succeeds right after many that did not."""

    id: str = "intrusion.guessed"
    title: str = "a guessed login may have succeeded"
    techniques: tuple[str, ...] = ("T1110", "T1078", "AML.T0012")
    _failures: Window = field(default_factory=lambda: Window(timedelta(minutes=30)))

    def see(self, seen: Seen) -> Alert | None:
        account = seen.subject or seen.actor
        if seen.action not in _LOGINS or not account:
            return None
        if seen.refused:
            self._failures.add(account, seen)
            return None
        counted = self._failures.of(account, seen.at)
        self._failures.forget(account)
        if counted.events < _BEFORE_SUCCESS:
            return None
        return _alert(
            self, seen, counted, account, "high", f"a login succeeded after {counted.events} that were refused"
        )


@dataclass(slots=True)
class _ImpossibleToken:
    """A token or key used after it was taken back, or from many addresses at once."""

    id: str = "intrusion.impossible_token"
    title: str = "a token or key is used where it cannot be"
    techniques: tuple[str, ...] = ("T1550.001", "T1528", "AML.T0012")
    _sources: Window = field(default_factory=lambda: Window(timedelta(minutes=5)))
    _told: Window = field(default_factory=lambda: Window(timedelta(hours=1)))

    def see(self, seen: Seen) -> Alert | None:
        if seen.action not in _CREDENTIALS:
            return None
        about = seen.subject or seen.actor
        if seen.refused and seen.reason.endswith((".revoked", ".replayed")):
            return self._taken_back(seen, seen.subject or next(iter(_sources(seen)), about))
        sources = _sources(seen)
        if seen.refused or not about or not sources:
            return None
        counted = [self._sources.add(about, seen, source) for source in sources][-1]
        if counted.different < _SOURCES:
            return None
        self._sources.forget(about)
        return _alert(
            self, seen, counted, about, "high", f"one token or key from {counted.different} addresses in 5 minutes"
        )

    def _taken_back(self, seen: Seen, about: str) -> Alert | None:
        """Told once an hour, however often it is tried."""
        if self._told.of(about, seen.at).events:
            return None
        self._told.add(about, seen)
        return _alert(self, seen, _one(seen), about, "high", f"refused: {seen.reason}")


@dataclass(slots=True)
class _ScopeProbing:
    """One actor refused many different things."""

    id: str = "intrusion.scope_probing"
    title: str = "somebody tries what they may do"
    techniques: tuple[str, ...] = ("T1069", "T1087", "AML.T0049")
    _asked: Window = field(default_factory=lambda: Window(timedelta(minutes=10)))

    def see(self, seen: Seen) -> Alert | None:
        who = seen.actor or seen.source
        if not seen.refused or seen.action in _LOGINS or not who:
            return None
        counted = self._asked.add(who, seen, f"{seen.action} {seen.subject}")
        if counted.different < _PROBES:
            return None
        self._asked.forget(who)
        return _alert(self, seen, counted, who, "medium", f"refused {counted.different} different things in 10 minutes")


@dataclass(slots=True)
class _MassRead:
    """One actor reads very much."""

    id: str = "intrusion.mass_read"
    title: str = "protected data is read in bulk"
    techniques: tuple[str, ...] = ("T1213", "T1530", "AML.T0025")
    _read: Window = field(default_factory=lambda: Window(timedelta(hours=1)))

    def see(self, seen: Seen) -> Alert | None:
        if seen.action not in _READS or seen.outcome != "done" or not seen.actor:
            return None
        rows = seen.detail.get("rows", 0)
        amount = float(rows) if isinstance(rows, (int, float)) else 0.0
        counted = self._read.add(seen.actor, seen, amount=amount)
        if counted.events < _MANY_READS and counted.amount < _MANY_ROWS:
            return None
        self._read.forget(seen.actor)
        return _alert(
            self, seen, counted, seen.actor, "high", f"{counted.events} reads of {counted.amount:,.0f} rows in one hour"
        )


@dataclass(slots=True)
class _Extraction:
    """A caller asks the model for very many rows, nearly all of them new: what copying a model takes."""

    id: str = "intrusion.extraction"
    title: str = "a model may be being copied by asking it"
    techniques: tuple[str, ...] = ("AML.T0024.002", "AML.T0024", "AML.T0040")
    _rows: Window = field(default_factory=lambda: Window(timedelta(hours=24)))
    _new: Window = field(default_factory=lambda: Window(timedelta(hours=24)))

    def see(self, seen: Seen) -> Alert | None:
        if seen.action != "predict.usage":
            return None
        about = str(seen.detail.get("caller", "")) or seen.actor
        rows, new = float(seen.detail.get("rows", 0)), float(seen.detail.get("different", 0))
        asked = self._rows.add(about, seen, amount=rows)
        fresh = self._new.add(about, seen, amount=new)
        if asked.amount < _EXTRACTION_ROWS or fresh.amount < _EXTRACTION_NEW * asked.amount:
            return None
        self._rows.forget(about)
        self._new.forget(about)
        says = f"one caller asked for {asked.amount:,.0f} rows in a day, {fresh.amount / asked.amount:.0%} of them different"
        return _alert(self, seen, asked, about, "medium", says)


@dataclass(slots=True)
class _Tampering:
    """A record, an installation or a signature that is not as it was, or a clock set back."""

    id: str = "intrusion.tampering"
    title: str = "something was changed that must not change"
    techniques: tuple[str, ...] = ("T1565.001", "T1070", "AML.T0107")

    def see(self, seen: Seen) -> Alert | None:
        wrong = seen.action in _SIGNS_OF_TAMPERING and seen.outcome != "done" and seen.reason not in _OUTAGES
        cut = seen.action == "ledger.recovered"
        set_back = seen.action == "ledger.clock_set_back" or "clock_set_back" in seen.detail
        if not (wrong or cut or set_back):
            return None
        severity: Severity = "critical" if seen.action in ("checkpoint.witness", "signer.sign") else "medium"
        return _alert(
            self,
            seen,
            _one(seen),
            seen.subject or seen.action,
            severity,
            f"{seen.action}: {seen.reason or seen.outcome}",
        )


RULES: tuple[Callable[[], Rule], ...] = (
    _BruteForce,
    _Guessed,
    _ImpossibleToken,
    _ScopeProbing,
    _MassRead,
    _Extraction,
    _Tampering,
)
"""Makes a fresh rule each."""
