"""The one place that asks Cedar: a request in, yes or no out, and no way to a yes by accident.

Answers: what do policies and schema say about exactly these entities?
Does not answer: where the entities come from. `permissions` builds them.

Cedar skips a `forbid` whose condition cannot be evaluated, and has a third decision besides Allow and Deny. So a yes
here takes all of: decision Allow, no error at all, principal and resource among the entities, a schema every time,
and a policy that says so. Whatever raises is a no with a reason of its own.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import cedarpy

from sealwright.trust.permissions.policy_files import RuleBook

__all__ = ["Answer", "Engine", "Entity", "Request"]

NAMESPACE = "Sealwright"
ENGINE_FAILED = "engine.failed"
UNKNOWN_ENTITY = "engine.unknown_entity"
NOT_EVALUATED = "engine.not_evaluated"
NOBODY_ALLOWS = "engine.no_policy_allows"

_MOST_KEPT = 2048  # parsed pairs of principal and resource, about 16 kB each
_MOST_ACTIONS = 256  # the schema has fewer; unknown ones are refused, and need not fill memory


@dataclass(frozen=True, slots=True)
class Entity:
    """A principal or a resource as Cedar takes it."""

    type: str  # without the namespace
    id: str
    attributes: Mapping[str, Any]
    parents: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "uid": {"type": f"{NAMESPACE}::{self.type}", "id": self.id},
            "attrs": dict(self.attributes),
            "parents": [{"type": f"{NAMESPACE}::{kind}", "id": name} for kind, name in self.parents],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question: may `principal` (type, id) do `action` to `resource` (type, id)?"""

    principal: tuple[str, str]
    action: str
    resource: tuple[str, str]
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`policies` are those that decided; `trouble` is a stable code where no policy did."""

    allowed: bool
    policies: tuple[str, ...] = ()
    trouble: str = ""


class Engine:
    """Policies and schema, parsed once. Safe to use from many threads.

    A policy whose scope names other actions cannot match, so only the others are looked at: a hundred policies about a
    hundred actions cost as much as one.
    """

    def __init__(self, book: RuleBook) -> None:
        self._book: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(book.policies))
        self._about: dict[str, cedarpy.PolicySet] = {}
        self._schema = cedarpy.Schema.from_str(book.schema)
        self._kept: OrderedDict[object, cedarpy.Entities] = OrderedDict()
        self._lock = Lock()

    def ask(self, request: Request, entities: Sequence[Entity], *, key: object = None) -> Answer:
        """Decide.

        Parameters
        ----------
        entities : sequence of Entity
            The principal and the resource must be among them.
        key : hashable, optional
            What the entities follow from completely; with it, their parsed form is kept for the next question.
        """
        try:
            if not {request.principal, request.resource} <= {(one.type, one.id) for one in entities}:
                return Answer(allowed=False, trouble=UNKNOWN_ENTITY)
            return self._asked(request, self._parsed(entities, key))
        except Exception:  # noqa: BLE001 - whatever goes wrong in deciding is a no
            return Answer(allowed=False, trouble=ENGINE_FAILED)

    def _asked(self, request: Request, entities: cedarpy.Entities) -> Answer:
        found = cedarpy.is_authorized(
            {
                "principal": _uid(*request.principal),
                "action": _uid("Action", request.action),
                "resource": _uid(*request.resource),
                "context": dict(request.context),
            },
            self._policies(request.action),
            entities,
            self._schema,
        )
        said = found.diagnostics
        named = said.id_annotations_by_reason
        policies = tuple(sorted(named.get(one, one) for one in said.reasons))
        if said.errors or found.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny):
            return Answer(allowed=False, policies=policies, trouble=NOT_EVALUATED)
        if found.decision is cedarpy.Decision.Allow and policies:
            return Answer(allowed=True, policies=policies)
        return Answer(allowed=False, policies=policies, trouble="" if policies else NOBODY_ALLOWS)

    def _policies(self, action: str) -> cedarpy.PolicySet:
        """The policies whose scope covers an action."""
        found = self._about.get(action)
        if found is None:
            kept = {name: one for name, one in self._book["staticPolicies"].items() if _covers(one["action"], action)}
            text = cedarpy.policies_from_json_str(json.dumps({**self._book, "staticPolicies": kept}))
            found = cedarpy.PolicySet.from_str(text)
            if len(self._about) < _MOST_ACTIONS:
                self._about[action] = found
        return found

    def _parsed(self, entities: Sequence[Entity], key: object) -> cedarpy.Entities:
        if key is not None:
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None:
                    self._kept.move_to_end(key)
                    return kept
        text = json.dumps([one.to_json() for one in entities])
        parsed = cedarpy.Entities.from_json_str(text, self._schema)  # refuses a missing or misspelt attribute
        if key is not None:
            with self._lock:
                self._kept[key] = parsed
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return parsed


def _covers(scope: Mapping[str, Any], action: str) -> bool:
    """Whether a policy with this scope can say anything about an action; where we do not understand it, it might."""
    if scope["op"] == "==":
        return bool(scope["entity"]["id"] == action)
    if scope["op"] == "in" and "entities" in scope:
        return any(one["id"] == action for one in scope["entities"])
    return True


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": f"{NAMESPACE}::{kind}", "id": name}
