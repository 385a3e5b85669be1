"""Our own source, looked over by bandit and by semgrep with the rules in tools/semgrep; offline, from the oracles' Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = Path(os.environ.get("SEALWRIGHT_ORACLES", ROOT / ".oracles" / "bin" / "python")).parent
# What bandit asks about and we decided, each for its reason; everything else it finds stops the check.
DECIDED = {
    "B101": "asserts speak to the type checker; refusals raise errors of the tree",
    "B311": "seeded pseudo-randomness is wanted in training and assurance; secrets come from `secrets`",
    "B404": "child processes are started from argument lists only",
    "B603": "child processes are started from argument lists only",
    "B606": "no shell: our own interpreter replaces this process",
    "B607": "child processes are started from argument lists only",
}
DECIDED_HERE = {
    ("B104", "src/sealwright/doors/serving.py"): "recognised here, not bound",
    ("B104", "src/sealwright/doors/control/settings.py"): "recognised here, not bound",
    ("B104", "src/sealwright/serving/transport/config.py"): "recognised here, not bound",
    ("B105", "src/sealwright/doors/control/sign_in_pages.py"): "an empty field of a form",
    ("B105", "src/sealwright/trust/machines/token_service.py"): "'Bearer' is a type of token",
    ("B106", "src/sealwright/doors/control/account_pages.py"): "an empty field of a form",
    ("B106", "src/sealwright/trust/identity/oidc_exchange.py"): "a public client has none",
    ("B105", "src/sealwright/evidence/model.py"): "'pass' is a result",
    ("B105", "src/sealwright/oversight/report/words.py"): "'passed' is a result",
    ("B108", "src/sealwright/engines/compute_ray.py"): "a private folder is made in it",
    ("B405", "src/sealwright/oversight/report/junit.py"): "XML is written here, never read",
}


def bandit() -> list[str]:
    """What bandit finds beyond what was decided."""
    command = [str(TOOLS / "bandit"), "-q", "-r", "src", "-f", "json", "--exit-zero"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    problems = [f"{fault['filename']}: {fault['reason']}" for fault in found["errors"]]
    return problems + [
        f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}"
        for one in found["results"]
        if one["test_id"] not in DECIDED and (one["test_id"], one["filename"]) not in DECIDED_HERE
    ]


def semgrep(target: str = "src", rules: Path = ROOT / "tools" / "semgrep") -> list[str]:
    """What the rules find in `target`; a rule or file that could not be read is a finding, too."""
    command = [str(TOOLS / "semgrep"), "scan", "--config", str(rules), "--metrics", "off", "--disable-version-check"]
    done = subprocess.run(
        [*command, "--json", "--quiet", target], capture_output=True, text=True, check=False, cwd=ROOT
    )
    found = json.loads(done.stdout)
    if not found["paths"]["scanned"]:
        return [f"semgrep looked at nothing in {target}"]
    return [f"semgrep: {one['message'][:200]}" for one in found["errors"]] + [
        f"{one['path']}:{one['start']['line']} {one['check_id'].rsplit('.', 1)[-1]}: {one['extra']['message']}"
        for one in found["results"]
    ]


def main() -> int:
    if not (TOOLS / "semgrep").exists():
        print("The tools are not installed here; set them up with: make oracles")
        return 1
    found = bandit() + semgrep()
    print("\n".join(found) or "bandit and semgrep: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
