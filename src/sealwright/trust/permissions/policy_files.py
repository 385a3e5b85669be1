"""The rule book as files: read once, with the name and the words of every policy.

Answers: which actions are there, what do they mean, and what does a policy say of itself?
Does not answer: what follows for a request. That is `engine`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from sealwright.kernel import InvalidInput

__all__ = ["Action", "PolicyWords", "RuleBook", "action_named", "actions", "policy_words", "rule_book"]

_ACTION = re.compile(r'@doc\("([^"]+)"\)\s+action "([a-z_]+\.[a-z_]+)" appliesTo \{[^}]*resource: \[([A-Za-z]+)\]')
_POLICY = re.compile(r'@id\("([a-z_.]+)"\)\s+@because\("([^"]+)"\)\s+(permit|forbid) \(')
_KINDS = {"Account": "person"}  # elsewhere a kind is its entity type in small letters


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Policies and schema as text. What was signed or compared is exactly this."""

    policies: str
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that can be allowed."""

    name: str  # noun.verb
    kind: str  # of the resource it is done to, e.g. "version"
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWords:
    """What a policy says of itself."""

    id: str
    because: str
    forbids: bool


@lru_cache(maxsize=1)
def rule_book() -> RuleBook:
    """The policies and the schema this version of Sealwright ships."""
    folder = files("sealwright.trust.permissions")
    return RuleBook(
        policies=folder.joinpath("policies.cedar").read_text(encoding="utf-8"),
        schema=folder.joinpath("schema.cedarschema").read_text(encoding="utf-8"),
    )


@lru_cache(maxsize=1)
def actions() -> Mapping[str, Action]:
    """Every action there is, in the order of the schema."""
    return {
        name: Action(name=name, kind=_KINDS.get(entity, entity.lower()), meaning=meaning)
        for meaning, name, entity in _ACTION.findall(rule_book().schema)
    }


def action_named(name: str) -> Action:
    """One action.

    Raises
    ------
    InvalidInput
        There is no such action; close ones are named.
    """
    found = actions().get(name)
    if found is None:
        noun = name.partition(".")[0]
        near = [one for one in actions() if one.startswith(f"{noun}.")] or list(actions())
        raise InvalidInput(f"There is no action {name[:64]!r}. Actions are: {', '.join(near)}.")
    return found


@lru_cache(maxsize=1)
def policy_words() -> Mapping[str, PolicyWords]:
    """Every policy by its id, in the order of the file."""
    return {
        name: PolicyWords(id=name, because=because, forbids=effect == "forbid")
        for name, because, effect in _POLICY.findall(rule_book().policies)
    }
