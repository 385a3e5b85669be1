"""What `make up` does: the whole way on real data, by the commands a person would type.

Two projects: german-credit is made, judged, approved, sealed, released and served; job-screening is stopped by its
policy. Everything lands in .demo/ and stays there. `--no-wait` stops the server at the end instead of keeping it.

One machine plays five people here: ada trains, sofia and ben approve, mia releases, a branch office asks. In real life
each of them holds their own key. Ada is not enrolled: she is whoever opens the workspace, and once mia is, ada cannot
release what she made.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DEMO = Path(os.environ.get("SEALWRIGHT_DEMO") or ROOT / ".demo")
KEYS = DEMO / "keys"  # apart from the workspace: whoever copies one of the two can open nothing
SEALWRIGHT = [sys.executable, "-c", "from sealwright.doors.cli import main; main()"]
ENVIRONMENT = {**os.environ, "SEALWRIGHT_HOME": str(DEMO / "home"), "SEALWRIGHT_KEY_FILE": str(KEYS / "root.key")}
_STOPPED = 3  # exit status: something its policy asks for is missing
PLAIN = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR"))


def main() -> int:
    began = time.monotonic()
    KEYS.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = free_port()

    chapter(
        "1  A credit model, from charter to sealed version", "risk class high: two people in two roles must approve"
    )
    if not (DEMO / "home" / "workspace.json").exists():
        sealwright("workspace create --name 'Example bank'")
    known = {one["name"] for one in ask("people list --json")}
    for name, role in {"sofia": "security_officer", "ben": "business_owner", "mia": "ml_engineer"}.items():
        if name not in known:
            sealwright(f"people add {name} --role {role} --person-key {KEYS / name}.key --as ada")
    if sealwright("run examples/german-credit --as ada", accept={0, _STOPPED}) == _STOPPED:
        approve("sofia", "security_officer", "Training was confined, the model file is admitted")
        approve("ben", "business_owner", "Better than the scorecard it replaces, and even-handed")
        sealwright("run examples/german-credit --as ada", quiet=True)
    sealwright("report examples/german-credit")

    chapter("2  A job-screening model, stopped by its policy", "every reason, the evidence behind it, and who must act")
    sealwright("run examples/job-screening --as ada", accept={_STOPPED})
    sealwright("report examples/job-screening")

    chapter("3  Served", "TLS, a token, and a receipt in every answer")
    version = ask("versions german-credit --json")[-1]["number"]
    sealwright(f"who-can model.promote german-credit/{version}")
    mia = f"--as mia --person-key {KEYS / 'mia'}.key"
    sealwright(f"promote examples/german-credit {version} {mia} --reason 'Released by the demonstration'")
    sealwright(f"token german-credit --for branch-office {mia} --to {KEYS / 'branch-office.curl'}")
    return serve(version, port, began)


def serve(version: int, port: int, began: float) -> int:
    """Start the server, ask it as a client would, verify the receipt, and keep it running."""
    command = f"serve german-credit --port {port} --as ada"
    say(command)
    server = subprocess.Popen([*SEALWRIGHT, *shlex.split(command)], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE)
    try:
        wait_for(port, server)
        curl = f"curl --silent --cacert {shown(DEMO / 'home/serving/tls/ca.pem')} --config {shown(KEYS / 'branch-office.curl')}"
        url = f"https://localhost:{port}/v1/models/german-credit"
        example = json.loads(shell(f"{curl} {url}/openapi.json"))["paths"]["/v1/models/german-credit/predict"]["post"][
            "requestBody"
        ]["content"]["application/json"]["examples"]["row"]["value"]
        (DEMO / "request.json").write_text(json.dumps(example))
        predict = (
            f"{curl} --header 'Content-Type: application/json'"
            f" --data-binary @{shown(DEMO / 'request.json')} --output {shown(DEMO / 'answer.json')} {url}/predict"
        )
        shell(predict)
        answer = json.loads((DEMO / "answer.json").read_text())["answer"]
        verify = f"verify {shown(DEMO / 'answer.json')} --request {shown(DEMO / 'request.json')}"
        sealwright(verify, quiet=True)
        summary(version, answer, predict, verify, time.monotonic() - began)
        if "--no-wait" not in sys.argv:
            print("\nServing until Ctrl-C.", flush=True)
            server.wait()
    except KeyboardInterrupt:
        print("\nStopping the server in good order.")
    finally:
        server.terminate()
        server.wait(30)
    return 0


def summary(version: int, answer: dict[str, Any], predict: str, verify: str, seconds: float) -> None:
    """What was proven, what was not, what is served, and what to type next."""
    gate = ask("gate examples/german-credit --json")
    stopped = ask("gate examples/job-screening --json", accept={_STOPPED})
    package = ask(f"verify {shown(DEMO)}/home/packages/{gate['package'].removeprefix('sha256:')} --json")
    met = sum(1 for one in gate["results"] if one["outcome"] == "pass")
    reasons = [one["check"] for one in stopped["results"] if one["outcome"] == "fail"]
    chapter("Done", f"{seconds:.0f} seconds after the installation")
    print("Proven")
    print(
        f"  german-credit version {version}: {met} requirements of the {gate['risk_class']}-risk policy met on signed evidence"
    )
    print(
        f"  approved by {' and '.join(one['by'] + ' (' + one['role'].replace('_', ' ') + ')' for one in gate['approvals'])}, not by ada who trained it"
    )
    print(f"  package {gate['package']}")
    for line in package["checked"][:4]:
        print(f"    + {line}")
    print("Not proven")
    for line in package["not_checked"]:
        print(f"  - {line}")
    print("Stopped by its policy")
    print(f"  job-screening: {', '.join(reasons)}")
    print("Served")
    print(
        f"  one answer so far: {answer['label']}, {json.dumps(answer['probabilities'])}, decision {answer['decision']}"
    )
    print("\nLook at the reports")
    for name in (f"german-credit-v{version}", "job-screening-unreleased"):
        print(f"  {(DEMO / 'home' / 'reports' / f'{name}.html').as_uri()}")
    print("\nAsk it yourself: a prediction with a receipt")
    print(f"  {predict}")
    print("Verify that receipt, offline")
    print(f"  SEALWRIGHT_HOME={shown(DEMO)}/home .venv/bin/sealwright {verify}")


def approve(name: str, role: str, reason: str) -> None:
    sealwright(
        f"approve examples/german-credit --as {name} --role {role} --person-key {KEYS / name}.key --reason '{reason}'"
    )


def sealwright(command: str, *, accept: set[int] | None = None, quiet: bool = False) -> int:
    """Run one command as a person would, shown on the screen; its exit status."""
    say(command)
    done = subprocess.run(
        [*SEALWRIGHT, *shlex.split(command)], cwd=ROOT, env=ENVIRONMENT, check=False, capture_output=quiet, text=True
    )
    if done.returncode not in (accept or {0}):
        if quiet:
            print(done.stdout, done.stderr, sep="\n")
        sys.exit(f"This command ended with status {done.returncode}, which was not expected. See above.")
    return done.returncode


def ask(command: str, *, accept: set[int] | None = None) -> Any:
    """The JSON answer of a command."""
    done = subprocess.run(
        [*SEALWRIGHT, *shlex.split(command)], cwd=ROOT, env=ENVIRONMENT, check=False, capture_output=True, text=True
    )
    if done.returncode not in (accept or {0}):
        sys.exit(f"sealwright {command} ended with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def shell(command: str) -> str:
    """Run curl exactly as it is printed for the person to repeat."""
    return subprocess.run(shlex.split(command), cwd=ROOT, check=True, capture_output=True, text=True).stdout


def free_port() -> int:
    """8443 if it is free, else any."""
    for port in (8443, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    sys.exit("No port is free on this machine.")


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            sys.exit("The server did not start; see its message above.")
        time.sleep(0.1)
    sys.exit("The server did not answer within 30 seconds.")


def chapter(title: str, text: str) -> None:
    print(f"\n{bold(title)}\n{text}", flush=True)


def say(command: str) -> None:
    print(f"\n{bold('$ sealwright ' + command.replace(str(ROOT) + '/', ''))}", flush=True)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def bold(text: str) -> str:
    return text if PLAIN else f"\x1b[1m{text}\x1b[0m"


if __name__ == "__main__":
    sys.exit(main())
