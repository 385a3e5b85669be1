"""Ledgers, receipts and bundles that somebody tampered with, knowing the formats: both verifiers refuse them."""

import base64
import hashlib
import json
from collections.abc import Callable

import auditor_house
import pytest
from auditor_bench import (
    LEDGER_FILES,
    Bench,
    Evidence,
    Files,
    files_of,
    in_bundle,
    ledger_in,
    payload_of,
    resigned,
    restated,
    statement_digest,
)

from sealwright.kernel import canonical_json, digest_of
from sealwright.trust import EMPTY_ROOT, Entry, Ledger, LocalSigner, Signer, leaf_hash, tree_root

THIEF = LocalSigner("ed25519", b"\x07" * 32)
CHARTER = "statements/charter.json"


# ---- ledgers -------------------------------------------------------------------------------------------------------


def entries(files: Files) -> list[bytes]:
    return files["entries.log"].split(b"\n")[:-1]


def with_entries(files: Files, lines: list[bytes]) -> dict[str, bytes]:
    return {**files, "entries.log": b"".join(line + b"\n" for line in lines)}


def records(files: Files) -> list[bytes]:
    parts = files["checkpoints.log"].split(b"\n\n")[:-1]
    return [b"\n\n".join(pair) + b"\n\n" for pair in zip(parts[::2], parts[1::2], strict=True)]


def rechained(lines: list[bytes], *, numbered: bool = True) -> list[bytes]:
    """Predecessors, and numbers too, made right again, as a careful forger would."""
    out, before = [], "sha256:" + "0" * 64
    for index, line in enumerate(lines):
        leaf, tab, tail = line.partition(b"\t")
        leaf = canonical_json(json.loads(leaf) | ({"i": index} if numbered else {}) | {"prev": before})
        before = digest_of(leaf)
        out.append(leaf + tab + tail)
    return out


def edited(files: Files, index: int, **fields: object) -> list[bytes]:
    lines = entries(files)
    leaf, tab, tail = lines[index].partition(b"\t")
    lines[index] = canonical_json(json.loads(leaf) | fields) + tab + tail
    return lines


def reattached(files: Files, index: int, tail: bytes) -> list[bytes]:
    lines = entries(files)
    lines[index] = lines[index].partition(b"\t")[0] + tail
    return lines


LEDGERS: dict[str, Callable[[Files], Files]] = {
    "last entry cut off": lambda f: with_entries(f, entries(f)[:-1]),
    "all entries cut off": lambda f: with_entries(f, []),
    "first entry cut off": lambda f: with_entries(f, rechained(entries(f)[1:])),
    "entry in the middle deleted": lambda f: with_entries(f, entries(f)[:2] + entries(f)[3:]),
    "entry in the middle deleted, rest made right": lambda f: with_entries(f, rechained(entries(f)[:2] + entries(f)[3:])),
    "two entries exchanged": lambda f: with_entries(f, [*entries(f)[:2], entries(f)[3], entries(f)[2], *entries(f)[4:]]),
    "two entries exchanged, rest made right": lambda f: with_entries(
        f, rechained([*entries(f)[:2], entries(f)[3], entries(f)[2], *entries(f)[4:]])
    ),
    "entry repeated": lambda f: with_entries(f, [*entries(f)[:2], entries(f)[1], *entries(f)[2:]]),
    "entry inserted, rest made right": lambda f: with_entries(
        f, rechained([*entries(f)[:2], entries(f)[1], *entries(f)[2:]])
    ),
    "entry edited": lambda f: with_entries(f, edited(f, 2, actor="mallory")),
    "entry edited, rest made right": lambda f: with_entries(f, rechained(edited(f, 2, actor="mallory"))),
    "last entry edited": lambda f: with_entries(f, edited(f, -1, actor="mallory")),
    "entry dated earlier, rest made right": lambda f: with_entries(
        f, rechained(edited(f, -1, at="2020-01-01T00:00:00.000Z"))
    ),
    "newest checkpoint removed": lambda f: {**f, "checkpoints.log": b"".join(records(f)[:-1])},
    "all checkpoints removed": lambda f: {**f, "checkpoints.log": b""},
    "checkpoints exchanged": lambda f: {
        **f, "checkpoints.log": b"".join([*records(f)[:2], records(f)[3], records(f)[2], *records(f)[4:]])
    },
    "words between checkpoints": lambda f: {
        **f, "checkpoints.log": b"".join([*records(f)[:2], b"a word\n\n", *records(f)[2:]])
    },
    "no entries.log but words": lambda f: {**f, "entries.log": b"{}\n"},
    "older state of the entries and their checkpoints": lambda f: {
        **with_entries(f, entries(f)[:-1]), "checkpoints.log": b"".join(records(f)[:-1])
    },
}  # fmt: skip


@pytest.mark.parametrize("attack", sorted(LEDGERS))
@pytest.mark.parametrize("which", ["ledger", "decisions"])
def test_a_ledger_that_was_tampered_with_is_refused_by_both(
    bench: Bench, evidence: Evidence, which: str, attack: str
) -> None:
    files = evidence.ledger if which == "ledger" else evidence.decisions
    bench.refuse(LEDGERS[attack](files), "ledger")


_TAILS = [
    b"",
    b"\t",
    b"\terase",
    b"\tAAAA",
    b"\terased\t",
    b"\terased ",
    b"\tZXJhc2Vk",
    b"\tmoved:",
    b"\tmoved:a.b",
    b"\tmoved:a b.",
]


@pytest.mark.parametrize("tail", [b"\terased...", b"\tmoved:2026-03-02T06", b"\tmoved:2026-03-02T06..."])
def test_a_record_that_was_erased_or_moved_is_taken_by_both(bench: Bench, evidence: Evidence, tail: bytes) -> None:
    bench.accept(with_entries(evidence.decisions, reattached(evidence.decisions, 2, tail)))


@pytest.mark.parametrize("tail", _TAILS)
def test_an_attachment_that_is_not_the_one_named_is_refused_by_both(
    bench: Bench, evidence: Evidence, tail: bytes
) -> None:
    bench.refuse(with_entries(evidence.decisions, reattached(evidence.decisions, 2, tail)), "ledger/entry 2")


def test_a_fork_under_the_same_key_is_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    """The holder of the key wrote two histories; parts of both do not make one."""
    folder = bench.folder / "fork"
    origin = f"sealwright/{evidence.house.workspace.id}/decisions/credit/live"
    key = evidence.key("decision-checkpoints")
    with Ledger.open(folder, origin=origin, signer=key, clock=evidence.house.clock, create=True) as ledger:
        for _ in entries(evidence.decisions):
            ledger.append("decision", "the same package", {"another": "history"})
    fork = ledger_in(folder)
    bench.accept(fork)
    bench.refuse({**evidence.decisions, "checkpoint": fork["checkpoint"]}, "ledger/checkpoint")
    bench.refuse({**evidence.decisions, "entries.log": fork["entries.log"]}, "ledger/entries")
    both = b"".join([*records(evidence.decisions), records(fork)[-1]])
    bench.refuse({**evidence.decisions, "checkpoints.log": both}, "ledger/checkpoints.log")
    mixed = b"".join([*records(evidence.decisions)[:-1], records(fork)[-1]])
    bench.refuse({**evidence.decisions, "checkpoints.log": mixed, "checkpoint": fork["checkpoint"]}, "ledger/entries")


def test_a_ledger_of_another_key_or_name_is_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    workspace = evidence.house.workspace.id
    for place, (origin, signer) in enumerate(
        [
            (f"sealwright/{workspace}/ledger", THIEF),
            (f"sealwright/{workspace}/ledger", evidence.key("decision-checkpoints")),
            (f"sealwright/{workspace}/decisions/credit/live", evidence.key("checkpoints")),
            ("sealwright/ws_other/ledger", evidence.key("checkpoints")),
            (f"sealwright/{workspace}", evidence.key("checkpoints")),
        ]
    ):
        with Ledger.open(bench.folder / f"log{place}", origin=origin, signer=signer, create=True) as ledger:
            ledger.append("model.loaded", "x", {})
        bench.refuse(ledger_in(bench.folder / f"log{place}"), "ledger/checkpoints.log")


# ---- ledgers that were never right, well signed ----------------------------------------------------------------------


def signed_note(text: str, name: str, signer: Signer) -> bytes:
    """A signed note (c2sp.org/signed-note) over any text, under any name."""
    key = hashlib.sha256(name.encode() + b"\n\x01" + signer.public().raw()).digest()[:4]
    blob = base64.b64encode(key + signer.sign(text.encode())).decode()
    return f"{text}\n\N{EM DASH} {name} {blob}\n".encode()


def head(origin: str, lines: list[bytes], size: str | None = None) -> str:
    """The text of a checkpoint over these lines, with their true root; its size perhaps written otherwise."""
    nodes = [leaf_hash(line.partition(b"\t")[0]) for line in lines]
    root = tree_root(len(lines), lambda level, index: _node(nodes, level, index)) if lines else EMPTY_ROOT
    return f"{origin}\n{size or len(lines)}\n{base64.b64encode(root).decode()}\n"


def _node(leaves: list[bytes], level: int, index: int) -> bytes:
    if level == 0:
        return leaves[index]
    parts = [_node(leaves, level - 1, 2 * index + side) for side in (0, 1)]
    return hashlib.sha256(b"\x01" + b"".join(parts)).digest()


def log(
    e: Evidence, lines: list[bytes], *, branch: str = "decision-checkpoints", name: str = "", text: str = ""
) -> Files:
    """A ledger of these lines under one checkpoint, signed by the right key whatever it says."""
    origin = name or f"sealwright/{e.house.workspace.id}/decisions/credit/live"
    note = signed_note(text or head(origin, lines), origin, e.key(branch))
    entries_log = b"".join(line + b"\n" for line in lines)
    return {"entries.log": entries_log, "checkpoints.log": note + b"\n", "checkpoint": note}


def two_logs(e: Evidence) -> Files:
    """Checkpoints of two channels, both right, in one file."""
    lines, files = entries(e.decisions), log(e, entries(e.decisions))
    other = f"sealwright/{e.house.workspace.id}/decisions/credit/canary"
    note = signed_note(head(other, lines[:2]), other, e.key("decision-checkpoints"))
    return {**files, "checkpoints.log": note + b"\n" + files["checkpoints.log"]}


def origin_of(e: Evidence) -> str:
    return f"sealwright/{e.house.workspace.id}/decisions/credit/live"


def changed_leaf(e: Evidence, **fields: object) -> list[bytes]:
    return rechained(edited(e.decisions, 2, **fields), numbered=False)


def spaced(e: Evidence) -> list[bytes]:
    """The last entry in another spelling."""
    lines = entries(e.decisions)
    leaf, tab, tail = lines[-1].partition(b"\t")
    lines[-1] = json.dumps(json.loads(leaf), sort_keys=True).encode() + tab + tail
    return lines


def broken_chain(e: Evidence) -> list[bytes]:
    return edited(e.decisions, -1, prev=digest_of(b"another"))


NEVER_RIGHT: dict[str, Callable[[Evidence], Files]] = {
    "an entry with another number": lambda e: log(e, changed_leaf(e, i=7)),
    "an entry dated before the one before": lambda e: log(e, changed_leaf(e, at="2020-01-01T00:00:00.000Z")),
    "an entry with a field more": lambda e: log(e, changed_leaf(e, note="all good")),
    "an entry in another spelling": lambda e: log(e, spaced(e)),
    "an entry with another predecessor": lambda e: log(e, broken_chain(e)),
    "an entry without its attachment": lambda e: log(e, reattached(e.decisions, 2, b"")),
    "a size with a zero in front": lambda e: log(
        e, entries(e.decisions), text=head(origin_of(e), entries(e.decisions), "06")
    ),
    "a root that is too short": lambda e: log(e, entries(e.decisions), text=f"{origin_of(e)}\n6\nAAAA\n"),
    "an extension line": lambda e: log(
        e, entries(e.decisions), text=head(origin_of(e), entries(e.decisions)) + "extension\n"
    ),
    "the name of another workspace": lambda e: log(
        e, entries(e.decisions), name="sealwright/ws_other/decisions/credit/live"
    ),
    "the name of nothing here": lambda e: log(e, entries(e.decisions), name=f"sealwright/{e.house.workspace.id}/x"),
    "a signature under another name": lambda e: {
        **log(e, entries(e.decisions)),
        "checkpoints.log": signed_note(
            head(origin_of(e), entries(e.decisions)), "somebody.example", e.key("decision-checkpoints")
        )
        + b"\n",
    },
    "checkpoints of two logs": two_logs,
}


@pytest.mark.parametrize("attack", sorted(NEVER_RIGHT))
def test_a_ledger_that_was_never_right_is_refused_by_both_even_if_it_is_signed(
    bench: Bench, evidence: Evidence, attack: str
) -> None:
    bench.refuse(NEVER_RIGHT[attack](evidence), "ledger")


def test_a_ledger_signed_by_hand_with_nothing_wrong_is_accepted_by_both(bench: Bench, evidence: Evidence) -> None:
    bench.accept(log(evidence, entries(evidence.decisions)))
    bench.accept(log(evidence, rechained(entries(evidence.decisions))))
    clock = changed_leaf(evidence, at="2020-01-01T00:00:00.000Z", action="ledger.clock_set_back")
    bench.accept(log(evidence, clock))  # a clock may be set back, but it must be said


# ---- receipts ------------------------------------------------------------------------------------------------------


def test_a_receipt_that_says_something_else_is_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    value = json.loads(evidence.receipt)
    answer = value["answer"]
    wrong = {
        "receipt/answer": {"answer": answer.replace("good", "bad ")},
        "receipt/decision": {"decision": "dec_9"},
        "receipt/proof": {"proof": value["proof"].replace("index 4", "index 3")},
        "receipt/entry": {"salt": value["salt"].upper() + " "},
        "receipt": {"type": "urn:sealwright:receipt:v1"},
        "receipt/": {"salt": "00" * 32},
        "receipt/proof/": {"entry": value["entry"].replace('"actor":""', '"actor":"x"')},
    }
    for link, fields in wrong.items():
        bench.refuse(json.dumps(value | fields).encode(), link.rstrip("/"))
    bench.refuse(json.dumps({**value, "more": "fields"}).encode(), "receipt")
    promised = json.loads(evidence.promised)
    bench.refuse(json.dumps({**value, "promise": promised["promise"]}).encode(), "receipt")
    for old, new in (("index 0", "index 1"), ("\nkept\n", "\ntaken\n"), (" promise\n", " promises\n")):
        changed = promised | {"promise": promised["promise"].replace(old, new)}
        assert changed != promised
        bench.refuse(json.dumps(changed).encode(), "receipt/promise")
    bench.refuse(evidence.receipt.replace(b'{"answer":', b'{"answer":"x","answer":'), "file")
    bench.refuse(evidence.receipt, "receipt/request", request=auditor_house.REQUEST + b" ")


def test_an_entry_that_is_no_decision_and_a_log_that_is_not_of_decisions_give_no_receipt(
    bench: Bench, evidence: Evidence
) -> None:
    """The same proof over the control ledger, or over an entry without a decision in it."""
    value = json.loads(evidence.receipt)
    folder = bench.folder / "logs"
    detail = json.loads(value["entry"])["detail"]
    for place, (name, branch, fields) in enumerate(
        [
            ("ledger", "checkpoints", detail),
            ("decisions/credit/live", "decision-checkpoints", {"answer": detail["answer"]}),
        ]
    ):
        origin = f"sealwright/{evidence.house.workspace.id}/{name}"
        with Ledger.open(folder / str(place), origin=origin, signer=evidence.key(branch), create=True) as ledger:
            appended = ledger.append_many(
                [
                    Entry(action="decision", subject=json.loads(value["entry"])["subject"], detail=fields)
                    for _ in range(3)
                ]
            )[1]
        forged = value | {"entry": appended.leaf.decode(), "proof": appended.proof.decode()}
        bench.refuse(json.dumps(forged).encode(), "receipt/")


# ---- bundles -------------------------------------------------------------------------------------------------------


def pointer(evidence: Evidence, key: str = "releases", **fields: str) -> bytes:
    """The pointer in the bundle, saying something else, signed by `key`."""
    envelope = files_of(evidence.bundle)["pointers/live.json"]
    return restated(envelope, evidence.key(key), lambda said: said.update(fields))


def with_package(evidence: Evidence, files: Files, changes: Files | None = None, **fields: object) -> bytes:
    """The bundle with another package in it."""
    gone = {name: None for name in files_of(evidence.bundle) if name.startswith("package/")}
    return in_bundle(
        evidence.bundle, gone | {f"package/{n}": d for n, d in files.items()} | dict(changes or {}), **fields
    )


def forged_entries(evidence: Evidence) -> bytes:
    """Entries after the last signed checkpoint that say the other package was registered: no key is needed for them."""
    leaves = [line.partition(b"\t")[0] for line in entries(evidence.ledger)]
    package = payload_of(evidence.other["statements/gate.json"])["predicate"]["sealwright"]["package"]
    wanted = [("version.registered", package, {"number": 9})]
    wanted += [
        ("statement.filed", statement_digest(data), {"about": "x", "project": "credit", "type": "y"})
        for name, data in evidence.other.items()
        if name.startswith("statements/")
    ]
    for action, subject, detail in wanted:
        last = json.loads(leaves[-1])
        fields = {
            "action": action,
            "subject": subject,
            "detail": detail,
            "i": last["i"] + 1,
            "prev": digest_of(leaves[-1]),
        }
        leaves.append(canonical_json({"actor": "", "at": last["at"], **fields}))
    bare = files_of(evidence.bundle)["ledger/entries.log"]
    return bare + b"".join(leaf + b"\n" for leaf in leaves[len(entries(evidence.ledger)) :])


def inside(**files: bytes | None) -> Callable[[Evidence], bytes]:
    return lambda e: in_bundle(e.bundle, files)


def ledger_at(place: str, files: Files) -> dict[str, bytes]:
    return {f"{place}/{name}": data for name, data in files.items()}


BUNDLES: dict[str, tuple[str, Callable[[Evidence], bytes]]] = {
    "other public keys": (
        "trust.json",
        lambda e: in_bundle(e.bundle, {"trust.json": e.trust_root.to_bytes().replace(b"ws_", b"wz_")}),
    ),
    "no public keys": ("trust.json", inside(**{"trust.json": None})),
    "a file without a place": ("", inside(**{"README.txt": b"all good"})),
    "a file without a place in a ledger": ("", inside(**{"ledger/notes": b"all good"})),
    "a file without a place in the package": ("package/notes.txt", inside(**{"package/notes.txt": b"all good"})),
    "no ledger": ("ledger", inside(**{f"ledger/{name}": None for name in LEDGER_FILES})),
    "no entries": ("ledger", inside(**{"ledger/entries.log": None})),
    "another version": ("ledger", lambda e: in_bundle(e.bundle, {}, version=2)),
    "a version that is text": ("", lambda e: in_bundle(e.bundle, {}, version="1")),
    "a version that is true": ("", lambda e: in_bundle(e.bundle, {}, version=True)),
    "another project": ("package", lambda e: in_bundle(e.bundle, {}, project="loans")),
    "another type": ("", lambda e: in_bundle(e.bundle, {}, type="urn:sealwright:bundle:v2")),
    "more fields": ("", lambda e: in_bundle(e.bundle, {}, note="all good")),
    "a package that was never registered": ("ledger", lambda e: with_package(e, e.other)),
    "a package of which a statement was never filed": (
        "ledger",
        lambda e: with_package(e, restated_gate(e)),
    ),
    "a package that entries without a signature register": (
        "ledger",
        lambda e: with_package(e, e.other, {"ledger/entries.log": forged_entries(e)}, version=9),
    ),
    "decisions as the ledger": ("ledger", lambda e: in_bundle(e.bundle, ledger_at("ledger", e.decisions))),
    "the ledger as decisions": ("decisions/live", lambda e: in_bundle(e.bundle, ledger_at("decisions/live", e.ledger))),
    "decisions of one channel as those of another": (
        "decisions/canary",
        lambda e: in_bundle(e.bundle, ledger_at("decisions/canary", e.decisions)),
    ),
    "an unsigned end of the ledger": (
        "ledger",
        lambda e: in_bundle(e.bundle, {"ledger/entries.log": files_of(e.bundle)["ledger/entries.log"] + b"{"}),
    ),
    "a pointer by the key for statements": (
        "pointers/live.json",
        lambda e: in_bundle(e.bundle, {"pointers/live.json": pointer(e, "statements")}),
    ),
    "a pointer that names another project": (
        "pointers/live.json",
        lambda e: in_bundle(e.bundle, {"pointers/live.json": pointer(e, project="loans")}),
    ),
    "a pointer in another channel's place": (
        "pointers/canary.json",
        lambda e: in_bundle(e.bundle, {"pointers/canary.json": files_of(e.bundle)["pointers/live.json"]}),
    ),
    "revocations by the key for statements": (
        "revocations.json",
        lambda e: in_bundle(
            e.bundle,
            {"revocations.json": restated(files_of(e.bundle)["revocations.json"], e.key("statements"))},
        ),
    ),
    "another list of revocations than it is about": (
        "revocations.json",
        lambda e: in_bundle(
            e.bundle,
            {
                "revocations.json": restated(
                    files_of(e.bundle)["revocations.json"], e.key("releases"), revocations=digest_of(b"another")
                )
            },
        ),
    ),
    "a statement as revocations": (
        "revocations.json",
        lambda e: in_bundle(e.bundle, {"revocations.json": e.package[CHARTER]}),
    ),
}


def restated_gate(evidence: Evidence) -> Files:
    """The package with its verdict said again in other words, which nobody filed."""
    name = "statements/gate.json"
    gate = restated(evidence.package[name], evidence.key("statements"), lambda said: said.update(slsaVersion="1.1"))
    return resigned(evidence, {**evidence.package, name: gate})


@pytest.mark.parametrize("attack", sorted(BUNDLES))
def test_a_bundle_whose_parts_do_not_belong_together_is_refused_by_both(
    bench: Bench, evidence: Evidence, attack: str
) -> None:
    link, make = BUNDLES[attack]
    bench.refuse(make(evidence), f"bundle/{link}".rstrip("/"))


def test_a_bundle_without_the_list_of_revoked_packages_still_knows_them_from_the_ledger(
    bench: Bench, evidence: Evidence
) -> None:
    said = bench.accept(in_bundle(evidence.bundle, {"revocations.json": None}))
    assert "revoked: no, as of this ledger" in said
    assert "list of revoked packages" not in said
