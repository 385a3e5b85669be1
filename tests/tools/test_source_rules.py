"""The rules over our own source find what they are written against; a rule that finds nothing is no rule."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]

BAD = {
    "code-in-model-files": ["import pickle as p\np.loads(b'')", "from torch import load\nload('m.pt')", "import joblib\njoblib.load('m')",
                            "import numpy as np\nnp.load('a.npy', allow_pickle=True)", "socket.recv_pyobj()"],
    "code-from-text": ["eval(x)", "import os\nos.system(x)", "import subprocess\nsubprocess.run(x, shell=True)", "import yaml\nyaml.load(x)",
                       "from jinja2 import Template\nTemplate(x)"],
    "token-read-elsewhere": ["from joserfc import jwt\njwt.decode(raw, key)"],
    "transport-without-proof": ["import ssl\nmode = ssl.CERT_NONE", "context.check_hostname = False", "client.get(url, verify=False)"],
    "request-past-the-guard": ["import httpx\nhttpx.get(url)", "from urllib.request import urlopen\nurlopen(url)"],
    "archive-extraction": ["archive.extractall(place)", "import tarfile\ntarfile.open(path)"],
    "weak-digest": ["import hashlib\nhashlib.md5(data)"],
    "secret-from-plain-chance": ["import random\nsession_token = random.getrandbits(128)"],
    "secret-compared-in-the-open": ["if given.api_key == kept:\n    pass"],
    "temporary-name": ["import tempfile\ntempfile.mktemp()"],
    "sql-from-parts": ["tx.run(f'SELECT {column} FROM people')", "tx.run('SELECT ' + column)"],
    "yaml-past-the-strict-reader": ["import yaml\nyaml.safe_load(text)"],
}  # fmt: skip


@pytest.fixture(scope="module")
def tool(oracles: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_source", ROOT / "tools" / "check_source.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.TOOLS = oracles.parent
    return module


def test_every_rule_finds_each_of_its_bad_examples_and_nothing_in_good_code(tool: ModuleType, tmp_path: Path) -> None:
    for rule, sources in BAD.items():
        for number, source in enumerate(sources):
            (tmp_path / f"{rule.replace('-', '_')}_{number}.py").write_text(source + "\n")
    (tmp_path / "good.py").write_text(
        "import hmac\nimport json\n\nsame = hmac.compare_digest(a, b)\nvalue = json.loads(text)\n"
    )
    found = tool.semgrep(str(tmp_path))
    for rule, sources in BAD.items():
        for number in range(len(sources)):
            name = f"{rule.replace('-', '_')}_{number}.py"
            assert any(name in line and f" {rule}: " in line for line in found), (name, sources[number])
    assert not [line for line in found if "good.py" in line]


def test_a_folder_nobody_could_look_at_is_a_finding(tool: ModuleType, tmp_path: Path) -> None:
    assert tool.semgrep(str(tmp_path / "empty")) != []


def test_bandit_is_asked_and_what_was_decided_has_a_reason(tool: ModuleType) -> None:
    assert all(reason for reason in (*tool.DECIDED.values(), *tool.DECIDED_HERE.values()))
    assert all((ROOT / place).is_file() for _, place in tool.DECIDED_HERE)
