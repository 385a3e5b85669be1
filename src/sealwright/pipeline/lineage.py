"""From the source to the decision and back: which data is in which model, and which model came from which data.

Answers: what was this made from, and what was made from this? From signed statements and the ledger, nothing else.
Does not answer: was it right to make it. Statements about quality, basis and gates hang on the same digests.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sealwright.data import SNAPSHOT_TYPE
from sealwright.evidence import verify_any
from sealwright.kernel import NotFound, VerificationFailed
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import decision_origin
from sealwright.training import PROVENANCE
from sealwright.trust import DECISIONS, Ledger, Principal, Statement

__all__ = ["ORDER", "Edge", "Lineage", "Node", "lineage_of", "outline"]

Kind = Literal["source", "snapshot", "model", "version", "decisions"]
ORDER: tuple[Kind, ...] = ("source", "snapshot", "model", "version", "decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing. `id` is its digest; for decisions the channel and the package."""

    id: str
    kind: Kind
    label: str  # a few words for people
    statement: str  # digest of the signed statement that says so; empty for decisions, which the ledger has
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`to` was made from `of`, by `how`."""

    of: str
    to: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """All of a project, or what belongs to one thing in it."""

    project: str
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    def around(self, digest: str) -> "Lineage":
        """Only what this was made from, and what was made from it.

        Raises
        ------
        NotFound
            Nothing here begins with that.
        """
        found = [name for name in self.nodes if name == digest or name.removeprefix("sha256:").startswith(digest)]
        if len(found) != 1 or not digest:
            raise NotFound(
                f"{len(found)} things in the lineage of {self.project} begin with {digest[:80]!r}; name one."
            )
        wanted = {found[0], *self._reach(found[0], up=True), *self._reach(found[0], up=False)}
        return Lineage(
            project=self.project,
            nodes={name: node for name, node in self.nodes.items() if name in wanted},
            edges=tuple(edge for edge in self.edges if edge.of in wanted and edge.to in wanted),
        )

    def roots(self) -> list[Node]:
        """What nothing here was made before."""
        made = {edge.to for edge in self.edges}
        return [node for name, node in self.nodes.items() if name not in made]

    def made_from(self, name: str) -> list[tuple[Edge, Node]]:
        """What was made from a node, in order."""
        return [(edge, self.nodes[edge.to]) for edge in self.edges if edge.of == name]

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "nodes": [
                {"id": one.id, "kind": one.kind, "label": one.label, "statement": one.statement, **one.facts}
                for one in self.nodes.values()
            ],
            "edges": [{"of": one.of, "to": one.to, "how": one.how} for one in self.edges],
        }

    def _reach(self, start: str, *, up: bool) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            here = waiting.pop()
            steps = [edge.of if up else edge.to for edge in self.edges if here == (edge.to if up else edge.of)]
            waiting += [step for step in steps if step not in found]
            found.update(steps)
        return found


def lineage_of(workspace: Workspace, project: str, *, by: Principal) -> Lineage:
    """The lineage of a project.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    NotFound
        Nothing was ingested for it.
    VerificationFailed
        A statement on file was changed, or a package is not as it was sealed.
    """
    allow(workspace, by, "project.view", project_named(project))
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for part in (_snapshots, _models, _versions, _decisions):
        for thing in part(workspace, project):
            if isinstance(thing, Node):
                nodes.setdefault(thing.id, thing)
            else:
                edges.append(thing)
    if not nodes:
        raise NotFound(f"Nothing was ingested for {project}.\nBegin with: sealwright run PROJECT_FOLDER")
    ordered = sorted(nodes.values(), key=lambda node: ORDER.index(node.kind))
    known = [edge for edge in dict.fromkeys(edges) if edge.of in nodes and edge.to in nodes]
    return Lineage(project=project, nodes={node.id: node for node in ordered}, edges=tuple(known))


def _statements(workspace: Workspace, project: str, kind: str) -> Iterator[Statement]:
    for filed in evidence_of(workspace, look=True).statements.of_project(project, kind):
        try:
            yield verify_any(filed.envelope, workspace.trust_root)
        except VerificationFailed as error:
            raise VerificationFailed(f"A statement on file was changed: {error}", link=filed.digest) from None


def _snapshots(workspace: Workspace, project: str) -> Iterator[Node | Edge]:
    states = {one.digest: one.state for one in SnapshotIndex(workspace.db).of_project(project, kept=False)}
    for statement in _statements(workspace, project, SNAPSHOT_TYPE):
        said, digest = statement.predicate, statement.subject_digests[0]
        derivation = said.get("derivation")
        kind = derivation["kind"] if derivation else "ingest"
        rows = said["identity"]["rows"]
        yield Node(
            id=digest,
            kind="snapshot",
            label=f"{kind}, {rows:,} rows",
            statement=statement.digest,
            facts={"rows": rows, "at": said["created_at"], "state": states.get(digest, "elsewhere")},
        )
        if derivation:
            yield from (Edge(of=parent, to=digest, how=_words(derivation)) for parent in derivation["parents"])
        else:
            source = said["source"]
            name = source["digest"]
            facts = {"format": source["kind"], "digest_of": source["digest_of"]}
            yield Node(id=name, kind="source", label=source["name"], statement=statement.digest, facts=facts)
            yield Edge(of=name, to=digest, how="ingest")


def _words(derivation: Mapping[str, Any]) -> str:
    """One step in words: what it took out and put in."""
    counted = [f"{derivation[what]:,} {what}" for what in ("removed", "added", "synthetic") if derivation[what]]
    changed = sum(derivation["changes"].values())
    return ", ".join([derivation["kind"], *counted, *([f"{changed:,} cells changed"] if changed else [])])


def _models(workspace: Workspace, project: str) -> Iterator[Node | Edge]:
    for statement in _statements(workspace, project, PROVENANCE):
        said, digest = statement.predicate, statement.subject_digests[0]
        outer = said["buildDefinition"]["externalParameters"]
        meta = said["runDetails"]["metadata"]
        yield Node(
            id=digest,
            kind="model",
            label=f"{outer['training']['recipe']} model",
            statement=statement.digest,
            facts={"run": meta["invocationId"], "at": meta["finishedOn"]},
        )
        yield Edge(of=outer["snapshot"], to=digest, how="training")


def _versions(workspace: Workspace, project: str) -> Iterator[Node | Edge]:
    registry = workspace.registry_to_read
    for version in registry.versions(project):
        statements = registry.package(version.package).statements
        yield Node(
            id=version.package,
            kind="version",
            label=f"version {version.number}",
            statement=statements["provenance"].digest if "provenance" in statements else "",
            facts={"number": version.number},
        )
        yield Edge(of=version.model, to=version.package, how="sealed")


def _decisions(workspace: Workspace, project: str) -> Iterator[Node | Edge]:
    folder = workspace.folder("serving") / project
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (place / "ledger" / "checkpoints.log").is_file():
            yield from _of_channel(workspace, project, place.name)


def _of_channel(workspace: Workspace, project: str, channel: str) -> Iterator[Node | Edge]:
    """Decisions counted by package. The entries say so in the clear; no record is opened."""
    with Ledger.open(
        workspace.folder("serving") / project / channel / "ledger",
        origin=decision_origin(workspace.id, project, channel),
        signer=None,
        keys=workspace.trust_root.keys_of("decision-checkpoints"),
    ) as ledger:
        taken: dict[str, list[str]] = {}
        counts: Counter[str] = Counter()
        for entry in ledger.entries():
            if entry.action in DECISIONS:
                taken.setdefault(entry.subject, []).append(entry.at)
                counts[entry.subject] += int(entry.detail.get("rows", 1))
    for package, times in taken.items():
        name, count = f"{channel}/{package}", counts[package]
        facts = {"channel": channel, "count": count, "first": times[0], "last": times[-1]}
        label = f"{count:,} decision{'s' if count > 1 else ''}, {channel}"
        yield Node(id=name, kind="decisions", label=label, statement="", facts=facts)
        yield Edge(of=package, to=name, how="served")


def outline(lineage: Lineage) -> Iterable[tuple[int, str, Node]]:
    """The lineage as lines for a screen: depth, how it was made, what. A node that is reached twice stands once."""
    seen: set[str] = set()

    def walk(node: Node, how: str, depth: int) -> Iterator[tuple[int, str, Node]]:
        if node.id in seen:
            return
        seen.add(node.id)
        yield depth, how, node
        steps: Sequence[tuple[Edge, Node]] = lineage.made_from(node.id)
        for edge, following in steps:
            yield from walk(following, edge.how, depth + 1)

    for root in lineage.roots():
        yield from walk(root, "", 0)
