"""How long one permission takes to decide, on this machine.

    python benchmarks/trust_permissions.py [--json] [--rounds 20000]

Three questions: asked again (what was parsed is kept), asked for the first time (principal and resource are parsed and held
against the schema), and the same two where 10,000 people and versions are known, or where there are 100 policies.
Figures are in microseconds: half of the decisions take less than p50, one in a hundred more than p99.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from sealwright.trust import Event, Principal, RoleGrant
from sealwright.trust.permissions.engine import Engine
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.policy_files import RuleBook, actions, rule_book
from sealwright.trust.permissions.resources import VersionResource
from sealwright.trust.permissions.roster import Member, Roster

MANY, POLICIES = 10_000, 100
VERSION = VersionResource(
    name="credit/1",
    project="credit",
    risk="high",
    stage="registered",
    trained_by=frozenset({"ada"}),
    submitted_by=frozenset({"ada"}),
    approvals=frozenset({("ben", "business_owner"), ("cora", "compliance_officer")}),
)


class Nowhere:
    def record(self, event: Event) -> None:
        """Nothing is refused here."""


def somebody(number: int) -> Principal:
    grants = frozenset({RoleGrant("ml_engineer")})
    return Principal(kind="person", name=f"person-{number}", proof="session", grants=grants, strong=True)


def more_policies(book: RuleBook) -> RuleBook:
    """The shipped policies and as many more of their kind as it takes to make a hundred, spread over the actions on versions."""
    missing = POLICIES - book.policies.count("@id(")
    about = [name for name, one in actions().items() if one.kind == "version"]
    made = "".join(
        f'\n@id("more.{n}") forbid (principal, action == Sealwright::Action::"{about[n % len(about)]}",'
        f" resource is Sealwright::Version)\n"
        f'  when {{ resource.project == "other-{n}" && resource.trained_by.containsAny(principal.counts_as) }};'
        for n in range(missing)
    )
    return replace(book, policies=book.policies + made)


def measured(rounds: int, question: Callable[[], bool]) -> tuple[float, float]:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        allowed = question()
        times.append(time.perf_counter() - start)
        assert allowed
    times.sort()
    return times[rounds // 2] * 1e6, times[int(rounds * 0.99)] * 1e6


def figures(rounds: int) -> Iterator[tuple[str, float, float]]:
    few = Roster([Member(name="person-0", grants=somebody(0).grants)])
    many = Roster([Member(name=f"person-{n}", grants=somebody(n).grants) for n in range(MANY)])
    books = {"shipped policies": rule_book(), f"{POLICIES} policies": more_policies(rule_book())}
    for name, roster, book in (
        ("as shipped", few, books["shipped policies"]),
        (f"{MANY:,} people and versions", many, books["shipped policies"]),
        (f"{POLICIES} policies", few, books[f"{POLICIES} policies"]),
    ):
        permissions = Permissions(roster, Nowhere(), engine=Engine(book))
        people = [somebody(n) for n in range(len(roster))]
        versions = [replace(VERSION, name=f"credit/{n}") for n in range(MANY if roster is many else 1)]
        turn = iter(range(10**9))

        def again(permissions: Permissions = permissions, people: list[Principal] = people) -> bool:
            return permissions.decide(people[0], "model.promote", VERSION).allowed

        def anew(
            permissions: Permissions = permissions,
            people: list[Principal] = people,
            versions: list[VersionResource] = versions,
            turn: Iterator[int] = turn,
        ) -> bool:
            n = next(turn)
            one = versions[n % len(versions)]
            one = one if len(versions) > 1 else replace(one, name=f"credit/{n}")
            return permissions.decide(people[n % len(people)], "model.promote", one).allowed

        yield (
            f"{name}: asked for the first time",
            *measured(min(rounds, len(versions)) if roster is many else rounds, anew),
        )
        yield f"{name}: asked again", *measured(rounds, anew if roster is many else again)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true")
    options.add_argument("--rounds", type=int, default=20_000)
    chosen = options.parse_args()
    found = list(figures(chosen.rounds))
    if chosen.json:
        print(json.dumps({name: {"p50_us": round(p50, 1), "p99_us": round(p99, 1)} for name, p50, p99 in found}))
        return
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {chosen.rounds:,} decisions each"
    )
    for name, p50, p99 in found:
        print(f"  {name:<48} p50 {p50:6.1f} us   p99 {p99:6.1f} us")


if __name__ == "__main__":
    main()
