"""What we depend on: no hook runs at start, licences are ours to use, nothing locked is known to be broken, the list is not stale.

A stale list of known faults fails the check, unless locks/advisories.waiver.json says until when and why it may be stale.
"""

import json
import re
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from sealwright.kernel import from_rfc3339
from sealwright.trust import (
    Advisories,
    Installed,
    StaleAdvisories,
    licence_problems,
    normal_name,
    read_advisories,
    start_hooks,
)

LOCKS = Path(__file__).parents[1] / "locks"
_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[a-z0-9, -]+\])?==([^\s;\\]+)")


def locked() -> list[Installed]:
    """Every pin of every lock file."""
    return sorted(
        {
            Installed(name=normal_name(name), version=version)
            for path in LOCKS.glob("*.lock")
            for name, version in _PIN.findall(path.read_text())
        },
        key=lambda one: (one.name, one.version),
    )


def known_faults(listed: Advisories, now: datetime) -> list[str]:
    """What the list says against our pins, and the list itself where it is too old."""
    found = [
        f"{fault.package} {fault.version} is affected by {fault.advisory.id}" for fault in listed.faults_in(locked())
    ]
    try:
        listed.check_fresh(now)
    except StaleAdvisories as stale:
        if not waived(now):
            found.append(str(stale))
    return found


def waived(now: datetime) -> bool:
    """Whether somebody said, with a reason, that the list may be old today."""
    path = LOCKS / "advisories.waiver.json"
    if not path.exists():
        return False
    waiver = json.loads(path.read_text())
    return bool(waiver["reason"].strip()) and now < from_rfc3339(waiver["until"])


def main() -> int:
    now = datetime.now(UTC)
    listed = read_advisories(LOCKS / "advisories.json")
    found = [f"{hook.path.name} {hook.why}" for hook in start_hooks(sys.path)]
    found += [
        f"licence of {one.name}: {one.licence or 'nothing said'}"
        for one in licence_problems(d.metadata for d in metadata.distributions() if d.name)
    ]
    found += known_faults(listed, now)
    age = (now - listed.taken).days
    print(
        "\n".join(found)
        or f"{len(locked())} pins: no start hook, licences known, no known fault in a list {age} days old"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
