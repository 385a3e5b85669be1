"""Two verifiers on one bench: ours in this process, the auditor's single file in a child process that has nothing
of ours, and the hands of an attacker: changed bytes, and documents signed again with keys that were stolen.
"""

import base64
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright import oversight
from sealwright.kernel import SealwrightError, canonical_json, digest_of, system_clock
from sealwright.pipeline import verify_path
from sealwright.trust import Signer, TrustRoot, make_statement, sign_model_files, sign_statement
from sealwright.trust.signing.vault import open_vault

VERIFIER = Path(oversight.__file__).parent / "auditor" / "sealwright_verify.py"
LEDGER_FILES = ("entries.log", "checkpoints.log", "checkpoint")

Edit = Callable[[dict[str, Any]], object]
Files = Mapping[str, bytes]

# Runs the file once per line of its input, so that a thousand changed bytes do not cost a thousand starts.
DRIVER = """
import contextlib, importlib.util, io, json, sys
spec = importlib.util.spec_from_file_location("sealwright_verify", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["sealwright_verify"] = module
spec.loader.exec_module(module)
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = module.main(json.loads(line))
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, said.getvalue(), sorted(sys.modules)]), flush=True)
"""


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """The file as an auditor runs it: isolated, in a folder without anything of ours, with an empty environment."""
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Auditor:
    """A child process that has loaded the file and answers question after question."""

    def __init__(self, folder: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-c", DRIVER, str(VERIFIER)],
            cwd=folder,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.modules: list[str] = []

    def ask(self, *arguments: object) -> tuple[int, str]:
        """Exit status, and everything it printed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps([str(one) for one in arguments]) + "\n")
        self._child.stdin.flush()
        code, said, self.modules = json.loads(self._child.stdout.readline())
        return code, said

    def close(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        assert self._child.wait(timeout=20) == 0
        self._child.stdout.close()


@dataclass(frozen=True)
class Evidence:
    """What the house left behind, read once; attacks work on copies."""

    house: Any
    trust: Path
    trust_root: TrustRoot
    package: Files
    ledger: Files
    decisions: Files
    bundle: bytes
    promised: bytes  # a receipt as it was given out
    receipt: bytes  # the same, with the proof of its entry
    blocked_gate: bytes  # what the gate said before anybody approved
    other: Files  # another package of the same workspace

    def key(self, branch: str) -> Signer:
        """A stolen key."""
        return open_vault(self.house.home / "keys", self.house.unlock).signers[branch]


class Bench:
    """Both verifiers, asked about the same thing."""

    def __init__(self, evidence: Evidence, auditor: Auditor, folder: Path) -> None:
        self.auditor, self.folder = auditor, folder
        self.trust, self.root = evidence.trust, evidence.trust_root
        self._count = 0

    def put(self, content: bytes | Files) -> Path:
        """Write a file or a folder."""
        self._count += 1
        path = self.folder / str(self._count)
        if isinstance(content, bytes):
            path.write_bytes(content)
            return path
        for name, data in content.items():
            place = path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(0o644)
        return path

    def ours(self, path: Path, request: bytes | None = None) -> str:
        """What our own verifier has against it; empty if nothing."""
        try:
            verify_path(path, self.root, now=system_clock(), request=request)
        except SealwrightError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def theirs(self, path: Path, request: bytes | None = None) -> tuple[int, str]:
        more = ["--request", self.put(request)] if request is not None else []
        return self.auditor.ask(path, "--trust", self.trust, *more)

    def accept(self, content: bytes | Files | Path, request: bytes | None = None) -> str:
        """Both say that it holds; returns what the auditor's verifier says."""
        path = content if isinstance(content, Path) else self.put(content)
        code, said = self.theirs(path, request)
        assert (code, self.ours(path, request)) == (0, ""), said
        return said

    def refuse(self, content: bytes | Files | Path, link: str = "", request: bytes | None = None) -> str:
        """Both say that it does not hold, the auditor's verifier at `link`; returns what it says."""
        path = content if isinstance(content, Path) else self.put(content)
        code, said = self.theirs(path, request)
        assert code == 4, f"the auditor's verifier said {code}: {said}"
        assert f"  {link}" in said
        assert "NameError" not in said
        assert "UnboundLocalError" not in said
        assert self.ours(path, request), f"only the auditor's verifier refused it: {said}"
        return said


def files_in(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def ledger_in(folder: Path) -> dict[str, bytes]:
    """A ledger's files once its newest checkpoint is published, which takes a writer a second."""
    for _ in range(200):
        files = {name: (folder / name).read_bytes() for name in LEDGER_FILES}
        if files["checkpoints.log"].endswith(b"\n" + files["checkpoint"] + b"\n"):
            return files
        time.sleep(0.05)
    raise AssertionError("the ledger did not settle")


# ---- changed bytes -------------------------------------------------------------------------------------------------


def flips(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """Copies of `data` with one byte changed: first, last, and `count` in between; every bit gets its turn."""
    chance = random.Random(seed)
    places = {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(count))}
    for turn, place in enumerate(sorted(places)):
        bit = 0x20 if turn % 3 == 0 else 1 << turn % 8  # 0x20 changes the case of a letter, which may mean the same
        yield data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


# ---- documents -----------------------------------------------------------------------------------------------------


def payload_of(envelope: bytes) -> dict[str, Any]:
    """The statement in an envelope, unverified. What is beyond 2**53 was a double when it was written."""
    payload = base64.b64decode(json.loads(envelope)["payload"])
    value: dict[str, Any] = json.loads(payload, parse_int=lambda text: int(text) if len(text) < 16 else float(text))
    return value


def statement_digest(envelope: bytes) -> str:
    return digest_of(base64.b64decode(json.loads(envelope)["payload"]))


def unchanged(_said: dict[str, Any]) -> None:
    """Leave everything as it is."""


def restated(envelope: bytes, signer: Signer, edit: Edit = unchanged, **subjects: str) -> bytes:
    """A statement with its predicate edited and subjects replaced, signed by `signer`."""
    said = payload_of(envelope)
    edit(said["predicate"])
    about = {one["name"]: f"sha256:{one['digest']['sha256']}" for one in said["subject"]} | subjects
    return sign_statement(make_statement(list(about.items()), said["predicateType"], said["predicate"]), signer)


def enveloped(payload: bytes, signer: Signer) -> bytes:
    """These exact bytes in a DSSE envelope with a good signature, well formed or not."""
    kind = b"application/vnd.in-toto+json"
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signatures = [
        {"keyid": one.key_id, "sig": base64.b64encode(one.sign(message)).decode()} for one in (signer, *signer.beside)
    ]
    text = base64.b64encode(payload).decode()
    return canonical_json({"payload": text, "payloadType": kind.decode(), "signatures": signatures})


def resigned(evidence: Evidence, files: Files, signer: Signer | None = None) -> dict[str, bytes]:
    """The files under a new model signature: what the holder of that key could do alone."""
    rest = {name: data for name, data in files.items() if name != "model.sig"}
    return rest | {"model.sig": sign_model_files("0" * 64, rest, signer or evidence.key("models"))}


def files_of(bundle: bytes) -> dict[str, bytes]:
    return {name: base64.b64decode(text) for name, text in json.loads(bundle)["files"].items()}


def in_bundle(bundle: bytes, changes: Mapping[str, bytes | None], **fields: object) -> bytes:
    """The bundle with other files, spelled as a bundle is."""
    files = {**files_of(bundle), **changes}
    texts = {name: base64.b64encode(data).decode() for name, data in files.items() if data is not None}
    return canonical_json({**json.loads(bundle), "files": texts, **fields})
