"""Write the generated pages of docs/reference: commands, error codes, the project file's schema, policies, permissions.

`--check` writes nothing and fails if a page is not what the code says now; the tests run it so.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ |= {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}  # read once, when imported

import sealwright
from sealwright.kernel import SealwrightError

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
HEAD = "<!-- Made by tools/make_reference.py from the code. Change the code, then run: make docs -->\n\n"
COMMANDS = [
    "init",
    "schema",
    "policy",
    "run",
    "ingest",
    "train",
    "assess",
    "compare",
    "gate",
    "attest",
    "approve",
    "seal",
    "report",
    "verify",
    "export",
    "versions",
    "promote",
    "rollback",
    "revoke",
    "history",
    "serve",
    "score",
    "token",
    "login",
    "logout",
    "whoami",
    "who-can",
    "why-not",
    "up",
    "control",
    "control-token",
    "doctor",
    "alerts",
]
GROUPS = {
    "workspace": ("create", "show", "trust"),
    "people": ("add", "renew", "list", "end", "link", "provider"),
    "break-glass": ("request", "confirm", "end", "list"),
    "signer": ("part",),
    "siem": ("send", "status", "print"),
    "decisions": ("seal", "check", "list", "show", "receipt", "export", "keep", "end"),
    "client": ("add", "list", "revoke-tokens", "remove"),
    "api-key": ("make", "list", "revoke"),
    "certificate": ("issue", "list", "revoke", "publish"),
    "keys": ("list", "rotate", "revoke", "split", "recover", "protect", "follow"),
    "ledger": ("show", "search", "export", "proof", "verify", "anchor", "witnesses", "stamps", "buckets"),
    "rollout": ("start", "status", "watch", "run", "advance", "promote", "back", "stop", "outcomes"),
    "witness": ("add", "show"),
}


def commands() -> str:
    """Every verb with its own help text."""
    lines = [HEAD, "# Commands\n\n"]
    lines += [
        "Exit status everywhere: 0 done, 1 the machine could not, 2 wrong usage, 3 stopped by a policy, 4 verification failed.\n"
    ]
    verbs = [[name] for name in COMMANDS] + [["data", *verb] for verb in data_verbs()]
    verbs += [["witness"], ["signer"]]  # verbs and groups
    verbs += [[group, verb] for group, names in GROUPS.items() for verb in names]
    for verb in verbs:
        lines.append(f"\n## sealwright {' '.join(verb)}\n\n```text\n{help_of(verb)}\n```\n")
    return "".join(lines)


def data_verbs() -> list[list[str]]:
    """The verbs around data, in the order of their names; a group's own verbs after it."""
    import typer

    from sealwright.doors.cli.data.verbs import app

    def below(group: Any) -> Iterator[list[str]]:
        for name, command in sorted(group.commands.items()):
            if hasattr(command, "commands"):
                yield from ([name, *verb] for verb in below(command))
            else:
                yield [name]

    return list(below(typer.main.get_command(app)))


def help_of(verb: list[str]) -> str:
    """What `--help` prints, on a page 100 columns wide and without colour."""
    from sealwright.doors.cli import main as program

    said, before = io.StringIO(), sys.argv
    sys.argv = ["sealwright", *verb, "--help"]
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            program()
    finally:
        sys.argv = before
    return "\n".join(line.rstrip() for line in said.getvalue().strip("\n").splitlines())


def errors() -> str:
    """Every stable code, with what it means and what a script or client sees."""
    lines = [HEAD, "# Error codes\n\n", "A code is stable and never used again for something else.\n\n"]
    lines.append("| code | exit | HTTP | meaning |\n|---|---|---|---|\n")
    for kind in sorted(set(kinds()), key=lambda kind: (kind.code, kind.__name__)):
        meaning = (kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        lines.append(f"| `{kind.code}` | {kind.exit_code} | {kind.status} | {' '.join(meaning.split())} |\n")
    return "".join(lines)


def kinds() -> Iterator[type[SealwrightError]]:
    """Every error class that brings a code of its own."""
    for module in pkgutil.walk_packages(sealwright.__path__, "sealwright."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name and "auditor" not in module.name:
            importlib.import_module(module.name)

    def below(kind: type[SealwrightError]) -> Iterator[type[SealwrightError]]:
        for child in kind.__subclasses__():
            if "code" in vars(child) and child.__module__.startswith("sealwright."):
                yield child
            yield from below(child)

    yield from below(SealwrightError)


def schema() -> str:
    """The JSON Schema of sealwright.yaml."""
    from sealwright.pipeline import project_schema

    return json.dumps(project_schema(), indent=2, ensure_ascii=False) + "\n"


def policies() -> str:
    """The three default policies and what uses add to them, as shipped; and what settings may change beside them."""
    folder = Path(sealwright.__path__[0]) / "evidence" / "policies"
    lines = [HEAD, "# Default policies\n\n", "What each risk class asks for, with the reason for every number.\n"]
    for name in ("minimal", "limited", "high"):
        lines.append(f"\n## {name}\n\n```yaml\n{(folder / f'{name}.yaml').read_text()}```\n")
    lines.append("\n# Uses\n\nWhat `policy.use_case` adds to the policy of any risk class.\n")
    for path in sorted((folder / "uses").glob("*.yaml")):
        lines.append(f"\n## {path.stem}\n\n```yaml\n{path.read_text()}```\n")
    return "".join([*lines, *settings()])


def settings() -> Iterator[str]:
    """Which way each setting of the assurance section may change without a signature."""
    from sealwright.assurance.harder import RULED

    words = {
        "more": "may rise",
        "less": "may fall",
        "kept": "may get more items, or a first value",
        "parted": "may get more columns",
        "free": "may change",
        "fixed": "every change counts",
    }
    yield "\n# Settings of `assurance`\n\nWhat may change after results were seen without being a loosening, and why.\n"
    yield "\n| settings | without a signature | because |\n|---|---|---|\n"
    for way, why, names in RULED:
        listed = ", ".join(f"`{name}`" for name in names.split())
        freely = words[way] if isinstance(way, str) else f"may go from {' to '.join(way)}"
        yield f"| {listed} | {freely} | {why} |\n"


def permissions() -> str:
    """Every action, every policy as shipped, and the matrix that follows from them."""
    from sealwright.trust import ROLES, actions, roles_for
    from sealwright.trust.permissions.policy_files import policy_words, rule_book

    lines = [
        HEAD,
        "# Permissions\n\n",
        "[How they work](../explanation/permissions.md). All of this is made from the policies.\n",
    ]
    lines.append("\n## Actions\n\n| action | done to a | what it is | roles |\n|---|---|---|---|\n")
    for name, action in actions().items():
        lines.append(f"| `{name}` | {action.kind} | {action.meaning} | {', '.join(roles_for(name)) or '-'} |\n")
    lines.append("\n## What policies say of themselves\n\n| policy | | because |\n|---|---|---|\n")
    for name, words in policy_words().items():
        lines.append(f"| `{name}` | {'forbids' if words.forbids else 'allows'} | {words.because} |\n")
    lines.append(
        "\n## Matrix\n\n`yes`; `2nd` takes a second factor or the person's own key; empty: refused. Held in every project, and for\n"
    )
    lines.append(
        "things of one project also in that one; in another project only looking at the workspace is allowed. A version: registered.\n\n"
    )
    lines += matrix([*ROLES, "operator", "service"])
    book = rule_book()
    lines.append(f"\n## Policies\n\n```text\n{book.policies}```\n\n## Schema\n\n```text\n{book.schema}```\n")
    return "".join(lines)


def matrix(who: list[str]) -> Iterator[str]:
    """One line for each action; the operator's cell says what holds where somebody enrolled could do it, too."""
    from sealwright.trust.permissions.matrix import lines as matrix_lines

    short = [name.replace("_", " ") for name in who]
    yield f"| action | {' | '.join(short)} |\n|---|{'---|' * len(who)}\n"
    cells: dict[str, dict[str, str]] = {}
    for line in matrix_lines():
        if line.stage in {"", "registered"}:
            places = line.places
            one = places.get("every project", places.get("own project", ""))
            if line.who == "operator":
                one = "yes" if places["staffed"] == "yes" else "unstaffed" if places["unstaffed"] == "yes" else "-"
            cells.setdefault(line.action, {})[line.who] = {"strong": "2nd", "-": ""}.get(one, one)
    for action, row in cells.items():
        yield f"| `{action}` | {' | '.join(row.get(name, '') for name in who)} |\n"


PAGES = {
    "commands.md": commands,
    "errors.md": errors,
    "sealwright.schema.json": schema,
    "policies.md": policies,
    "permissions.md": permissions,
}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    if stale:
        print(f"out of date: {', '.join(stale)}. Run: make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
