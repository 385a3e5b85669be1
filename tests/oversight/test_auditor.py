"""The auditor's verifier: a second opinion in one file, which stands alone and agrees with ours on what holds.

It always runs in a child process: `python -I`, in an empty folder, with an empty environment. Evidence is made by the
real rooms (auditor_house). What does not hold is in test_auditor_flips and test_auditor_attacks.
"""

import ast
import importlib.util
import json
import sys
from typing import Any

import auditor_house
import pytest
import rfc8785
from auditor_bench import VERIFIER, Auditor, Bench, Evidence, files_of, flips, in_bundle, run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealwright.kernel import SealwrightError, canonical_json, digest_of
from sealwright.pipeline import trust_root_from
from sealwright.trust import inclusion_path, leaf_hash, tree_root

# ---- it stands alone -----------------------------------------------------------------------------------------------


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(VERIFIER.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Name):
            assert node.id not in {"__import__", "eval", "exec", "compile", "open", "getattr"}
    assert found - sys.stdlib_module_names == {"cryptography"}
    assert not found & {"socket", "ssl", "urllib", "http", "subprocess", "importlib", "ctypes", "pickle", "tempfile"}


def test_it_can_be_read_in_one_sitting() -> None:
    text = VERIFIER.read_text()
    quiet: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            quiet |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = list(enumerate(text.splitlines(), start=1))
    code = [line for place, line in lines if line.strip() and not line.strip().startswith("#") and place not in quiet]
    assert len(code) <= 575
    assert max(len(line) for _, line in lines) <= 120


def test_it_loads_no_part_of_sealwright_and_writes_nothing(bench: Bench, auditor: Auditor, evidence: Evidence) -> None:
    path = bench.put(evidence.bundle)
    before = sorted(bench.folder.rglob("*"))
    assert auditor.ask(path, "--trust", evidence.trust)[0] == 0
    loaded = {name.partition(".")[0] for name in auditor.modules}
    assert "cryptography" in loaded
    assert not loaded & {"sealwright", "rfc8785", "msgspec", "pydantic", "onnx", "numpy", "joserfc"}
    assert sorted(bench.folder.rglob("*")) == before


# ---- it agrees on what holds ---------------------------------------------------------------------------------------


def test_as_an_auditor_runs_it_every_kind_of_evidence_holds_and_says_what_was_not_checked(
    evidence: Evidence, bench: Bench
) -> None:
    fingerprint = evidence.trust_root.fingerprint
    kinds: dict[str, Any] = {
        "bundle": evidence.bundle,
        "receipt": evidence.receipt,
        "package": evidence.package,
        "ledger": evidence.ledger,
    }
    for kind, content in kinds.items():
        path = bench.put(content)
        done = run(path, "--trust", evidence.trust, "--fingerprint", fingerprint, folder=bench.folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"This {kind} holds.\n")
        assert "\nChecked:\n  + " in done.stdout
        assert "\nNot checked:\n  - " in done.stdout
        assert "whether what was signed is true" in done.stdout
        told = json.loads(run(path, "--trust", evidence.trust, "--json", folder=bench.folder).stdout)
        assert (told["holds"], told["kind"]) == (True, kind)
        assert any("fingerprint" in line for line in told["not_checked"])
        bench.accept(path)


def test_the_bundle_says_who_signed_what_was_allowed_and_where_it_serves(bench: Bench, evidence: Evidence) -> None:
    said = bench.accept(evidence.bundle)
    assert "bela as compliance_officer, carl as business_owner" in said
    assert "mia as ml_engineer" in said
    assert "performance.roc_auc" in said  # asked for less than was promised before the results
    assert "parity.largest" in said  # a person's word instead of a measurement
    assert "this package serves at credit/live" in said
    assert "version: 1" in said


def test_a_receipt_holds_with_its_request_and_an_answer_with_its_receipt(bench: Bench, evidence: Evidence) -> None:
    said = bench.accept(evidence.receipt, auditor_house.REQUEST)
    checked = said.partition("Not checked:")[0]
    assert "the request is the one that was answered" in checked
    body = b'{"answer":' + auditor_house.ANSWER + b',"receipt":' + evidence.receipt + b"}"
    bench.accept(body)
    bench.accept(json.dumps(json.loads(body), indent=2).encode())  # as people look at it
    bench.refuse(body.replace(b'"good":0.81', b'"good":0.91', 1), "receipt")


def test_a_receipt_with_a_promise_holds_and_says_that_its_proof_is_missing(bench: Bench, evidence: Evidence) -> None:
    said = bench.accept(evidence.promised, auditor_house.REQUEST)
    checked, _, left = said.partition("Not checked:")
    assert "promised that" in checked
    assert "put its proof into the receipt" in left


def test_an_erased_record_leaves_a_ledger_that_holds(bench: Bench, evidence: Evidence) -> None:
    lines = evidence.decisions["entries.log"].split(b"\n")
    lines[2] = lines[2].partition(b"\t")[0] + b"\terased"
    said = bench.accept({**evidence.decisions, "entries.log": b"\n".join(lines)})
    assert "4 attachments" in said


def test_what_a_running_server_has_not_signed_yet_is_said_and_not_counted(bench: Bench, evidence: Evidence) -> None:
    files = dict(evidence.decisions)
    assert "not signed yet" not in bench.accept(files)
    files["entries.log"] += b'{"action":"decision","actor":"'
    assert "0 entries and 30 bytes at its end are not signed yet" in bench.accept(files)
    previous = evidence.decisions["entries.log"].split(b"\n")[-2].partition(b"\t")[0]
    entry = json.loads(previous)
    entry |= {"i": entry["i"] + 1, "prev": digest_of(previous), "action": "model.loaded", "detail": {}}
    del entry["sealed"]
    files["entries.log"] = evidence.decisions["entries.log"] + canonical_json(entry) + b"\n"
    assert "1 entries and 0 bytes at its end are not signed yet" in bench.accept(files)


def test_a_bundle_written_beside_a_running_server_holds(bench: Bench, evidence: Evidence) -> None:
    log = evidence.house.home / "serving" / "credit" / "live" / "ledger" / "entries.log"
    whole = log.read_bytes()
    try:
        log.write_bytes(whole + b'{"action":"decision","actor":"')  # the server is in the middle of a line
        bench.accept(evidence.house.bundle(1, bench.folder / "beside.json"))
    finally:
        log.write_bytes(whole)


def test_a_revoked_package_is_shown_as_revoked_and_an_old_list_is_refused(bench: Bench, evidence: Evidence) -> None:
    home = bench.folder / "revoking"
    house = auditor_house.AuditorHouse(home)
    package = house.seal(house.let_through(house.candidate()))
    number = house.release(package)
    old = house.bundle(number, bench.folder / "old.json").read_bytes()
    other = house.workspace.registry.register(house.seal(house.let_through(house.candidate(weight=0.75))), by="ada")
    house.workspace.registry.promote("credit", other.number, "live", "ada", "because the first is withdrawn")
    house.workspace.registry.revoke(package.digest, "ada", "found to be wrong")
    bench.root, bench.trust = house.trust_root, bench.put(house.trust_root.to_bytes())
    assert "revoked: no" in bench.accept(old)
    new = house.bundle(number, bench.folder / "new.json").read_bytes()
    house.close()
    said = bench.accept(new)
    assert "revoked: YES" in said
    assert "another package serves at credit/live" in said
    stale = in_bundle(new, {"revocations.json": files_of(old)["revocations.json"]})
    bench.refuse(stale, "bundle/revocations.json")
    said = bench.accept(in_bundle(new, {"revocations.json": None}))  # the ledger knows
    assert "revoked: YES" in said


# ---- whom to trust, and how it is asked ----------------------------------------------------------------------------


def test_the_wrong_organisation_is_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    stranger = auditor_house.AuditorHouse(bench.folder / "stranger")
    stranger.close()
    bench.root, bench.trust = stranger.trust_root, bench.put(stranger.trust_root.to_bytes())
    for content, link in (
        (evidence.package, "package/model.sig"),
        (evidence.ledger, "ledger/checkpoints.log"),
        (evidence.decisions, "ledger/checkpoints.log"),
        (evidence.receipt, "receipt/proof"),
        (evidence.promised, "receipt/promise"),
        (evidence.bundle, "bundle/trust.json"),
    ):
        bench.refuse(content, link)


def test_a_trust_root_with_another_fingerprint_or_another_byte_is_refused(bench: Bench, evidence: Evidence) -> None:
    package, fingerprint = bench.put(evidence.package), evidence.trust_root.fingerprint
    asked = ["--fingerprint", fingerprint]
    assert bench.auditor.ask(package, "--trust", evidence.trust, *asked)[0] == 0
    code, said = bench.auditor.ask(package, "--trust", evidence.trust, "--fingerprint", digest_of(b"another"))
    assert (code, fingerprint in said, "trust.json" in said) == (4, True, True)
    for changed in flips(evidence.trust.read_bytes(), 20, "trust"):
        assert bench.auditor.ask(package, "--trust", bench.put(changed), *asked)[0] == 4
        with pytest.raises(SealwrightError):
            trust_root_from(changed, fingerprint)


def test_keys_that_do_not_belong_together_are_no_trust_root(bench: Bench, evidence: Evidence) -> None:
    package, value = bench.put(evidence.package), json.loads(evidence.trust.read_bytes())
    keys = value["keys"]
    for wrong in (
        {**value, "format": 2},
        {**value, "more": 1},
        {**value, "keys": keys | {"statements": [keys["releases"][0] | {"key_id": keys["statements"][0]["key_id"]}]}},
        {**value, "keys": keys | {"statements": keys["releases"]}},
        {**value, "keys": keys | {"models": keys["tls"]}},
        {**value, "keys": keys | {"tokens": keys["statements"]}},
        {**value, "keys": keys | {"tokens": [keys["tokens"][0] | {"key_id": "0" * 64}]}},
        {**value, "keys": {}},
    ):
        code, said = bench.auditor.ask(package, "--trust", bench.put(canonical_json(wrong)))
        assert code == 4, said


def test_wrong_usage_ends_with_2_and_says_what_is_wrong(bench: Bench, evidence: Evidence) -> None:
    package = bench.put(evidence.package)
    for arguments, word in (
        ((), "required"),
        ((package,), "--trust"),
        ((package, "--trust", bench.folder / "none.json"), "there is no"),
        ((bench.folder / "none", "--trust", evidence.trust), "there is no"),
        ((package, "--trust", evidence.trust, "--fingerprint", "sha256:12ab"), "64 hex digits"),
        ((package, "--trust", evidence.trust, "--frobnicate"), "unrecognized"),
    ):
        done = run(*arguments, folder=bench.folder)
        assert (done.returncode, done.stdout, word in done.stderr) == (2, "", True)
    assert run("--help", folder=bench.folder).returncode == 0


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no json": b"PK\x03\x04",
    "another document": b'{"hello":"world"}',
    "a list": b"[1,2,3]",
    "a number": b"1",
    "text": b'"files"',
    "deep": b'{"files":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "long number": b'{"files":' + b"9" * 100_000 + b"}",
    "not a number": b'{"files":NaN}',
    "too large": b'{"files":1e999}',
    "byte-order mark": b'\xef\xbb\xbf{"files":{}}',
    "utf-16": '{"files":{}}'.encode("utf-16"),
    "half a surrogate pair": b'{"files":"\\ud800"}',
    "a statement alone": b'{"payload":"","payloadType":"","signatures":[]}',
    "answer without receipt": b'{"answer":1,"receipt":null}',
    "empty bundle": b'{"files":{},"project":"p","type":"urn:sealwright:bundle:v1","version":1}',
    "terminal codes": b'{"files":{"\x1b[2Jpackage\\u001b[31m":""},"project":"p","type":"urn:sealwright:bundle:v1","version":1}',
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_whatever_is_thrown_at_it_is_refused_in_words(bench: Bench, kind: str) -> None:
    code, said = bench.theirs(bench.put(HOSTILE[kind]))
    assert code == 4
    assert said.startswith("This does not hold.")
    assert len(said) < 1000
    assert said.replace("\n", "").isprintable()


def test_an_empty_folder_is_refused_by_both(bench: Bench) -> None:
    (bench.folder / "nothing").mkdir()
    bench.refuse(bench.folder / "nothing", "package/")


# ---- its JSON is the canonical JSON of everybody else --------------------------------------------------------------


def loaded() -> Any:
    """The file as a module: only to look at its pure functions."""
    if "sealwright_verify_here" not in sys.modules:
        spec = importlib.util.spec_from_file_location("sealwright_verify_here", VERIFIER)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["sealwright_verify_here"] = module
        spec.loader.exec_module(module)
    return sys.modules["sealwright_verify_here"]


WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | WHOLE
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_its_canonical_json_is_that_of_rfc8785(value: Any) -> None:
    assert loaded().jcs(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400, "\ud800", {"\ud800": 1}, {1}])
def test_what_has_no_canonical_json_is_refused(value: Any) -> None:
    with pytest.raises((loaded().Broken, OverflowError, UnicodeEncodeError, TypeError)):
        loaded().jcs(value).encode()


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_it_reads_back_every_canonical_value_as_canonical(value: Any) -> None:
    data = rfc8785.dumps(value)
    assert rfc8785.dumps(canonical_again(loaded().canonical(data))) == data


def canonical_again(value: Any) -> Any:
    """Whole numbers beyond 2**53 are doubles, which rfc8785 wants to be told."""
    if isinstance(value, dict):
        return {key: canonical_again(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical_again(item) for item in value]
    return float(value) if type(value) is int and abs(value) >= 2**53 else value


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=500, deadline=None)
@example(5e-324)
@example(1.7976931348623157e308)
@example(1e21)
@example(1e20)
@example(999999999999999900000.0)
@example(1e-6)
@example(1e-7)
@example(123456789012345680000.0)
@example(-0.0)
@example(0.1)
@example(9007199254740993.0)
@example(4.35)
def test_its_numbers_are_those_of_ecmascript(value: float) -> None:
    """The examples are the borders of the ways to write a number in ECMA-262, and some of RFC 8785 appendix B."""
    assert loaded().number(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"b":1,"a":1}',
        '{ "a":1}',
        "1.0",
        "1E2",
        "01",
        "-0",
        '"\\u0041"',
        '"\\/"',
        "[1,]",
        "NaN",
        "1e999",
    ],
)
def test_any_other_spelling_is_not_canonical(text: str) -> None:
    verifier = loaded()
    with pytest.raises((verifier.Broken, ValueError)):
        verifier.canonical(text.encode())


# ---- and its tree that of RFC 9162 ---


@given(size=st.integers(1, 40), data=st.data())
@settings(max_examples=30, deadline=None)
def test_inclusion_proofs_of_any_place_in_any_tree_lead_to_the_root(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    nodes = {(0, index): leaf for index, leaf in enumerate(leaves)}
    verifier = loaded()
    for level in range(1, 7):
        for index in range(size >> level):
            left, right = nodes[level - 1, 2 * index], nodes[level - 1, 2 * index + 1]
            nodes[level, index] = verifier.node_hash(right, left)
    root = tree_root(size, lambda level, index: nodes[level, index])
    place = data.draw(st.integers(0, size - 1))
    path = inclusion_path(place, size, lambda level, index: nodes[level, index])
    assert verifier.climb(leaves[place], place, size, path) == root
    for wrong in ([*path, root], path[:-1], [root, *path]):
        if wrong != path:
            with pytest.raises(verifier.Broken):
                assert verifier.climb(leaves[place], place, size, wrong) == root, "refused by its root"
                raise verifier.Broken
