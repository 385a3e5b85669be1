"""The serving benchmark: the same model behind every server, and a page with what was found.

    python benchmarks/serving/run.py [--only NAMES] [--rounds 3] [--seconds 3] [--quick] [--foreign SHARE] [--json FILE]

Needs wrk, Linux and two cores. Peers' environments are made below .bench from locks with hashes; a peer that cannot
be had is listed as not measured. The whole run writes docs/reference/serving-benchmark.md; a partial one (--only,
--quick) prints a summary and writes a page only where --page says.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from abuse import answers
from bounds import judge
from load import Unavailable, need_wrk, wrk_version
from made import Made, make
from measuring import CELLS, MOST_FOREIGN, QUICK, Plan, visit
from medians import Found, Table
from ours import Workspace
from page import Results, as_json, machine, page, summary
from servers import Server, named
from starting import Site, check, up

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "serving-benchmark.md"
_SECOND_MODEL = ("sealwright", "onnx-uvicorn", "fastapi-pandas", "bentoml", "mlflow")  # enough to see that it is alike
_ABUSED = ("sealwright", "mlflow", "bentoml", "mlserver", "kserve", "litserve", "fastapi-pandas")


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended from outside."))  # so that servers are stopped, too
    need_wrk()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("This benchmark needs two cores: one for the server, one for the load. Here is one.")
    results = _results(named(options.only), _plan(options), options, cores)
    print(summary(results))
    whole = not options.only and not options.quick
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1))
    if place := options.page or (PAGE if whole else None):
        place.write_text(page(results))
        print(f"wrote {place}")


def _results(servers: list[Server], plan: Plan, options: argparse.Namespace, cores: list[int]) -> Results:
    """Every server with the first model, a few with the second, and bad requests at some."""
    at, about, tables, abuse = datetime.now(UTC), machine(), {}, {}
    first = make("boosting")
    with _site(options.home, first, cores) as site:
        tables["boosting"] = _measured(servers, site, plan)
        if not options.quick:
            abuse = _abused([one for one in servers if one.name in _ABUSED], site)
    few = [one for one in servers if one.name in _SECOND_MODEL]
    if few and not options.quick:
        with _site(options.home, make("logistic"), cores) as site:
            tables["logistic"] = _measured(few, site, replace(plan, loads=QUICK))
    return Results(
        at=at,
        command=_command(options, plan),
        plan=plan,
        load=wrk_version(),
        machine=about,
        tables=tables,
        bounds=judge(tables["boosting"], len(first.model)),
        abuse=abuse,
    )


def _measured(servers: list[Server], site: Site, plan: Plan) -> Table:
    """Every server once a round, in another order each time."""
    found = {server.name: Found() for server in servers}
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(plan.rounds):
            order = [server for server in servers if not found[server.name].why_not]
            random.Random(turn).shuffle(order)
            for server in order:
                print(
                    f"{site.made.kind}, round {turn + 1} of {plan.rounds}: {server.name}", file=sys.stderr, flush=True
                )
                try:
                    with up(server, site) as there:
                        check(there, site.made)
                        found[server.name].visits.append(visit(there, site, plan, Path(scratch)))
                except Unavailable as why:
                    found[server.name] = Found(found[server.name].visits, str(why))
                    print(f"  not measured: {why}", file=sys.stderr, flush=True)
    return Table(found)


def _abused(servers: list[Server], site: Site) -> dict[str, dict[str, str]]:
    """The corpus of bad requests, at every server that starts."""
    found = {}
    for server in servers:
        print(f"bad requests: {server.name}", file=sys.stderr, flush=True)
        with contextlib.suppress(Unavailable), up(server, site) as there:
            found[server.name] = answers(there, site.made.rows[0])
    return found


@contextlib.contextmanager
def _site(home: Path, made: Made, cores: list[int]) -> Iterator[Site]:
    """Our workspace with the released model; its files last as long as the block."""
    home.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(Workspace(Path(folder) / "home", made)) as workspace,
    ):
        yield Site(home=home, made=made, workspace=workspace, server_core=cores[0], load_core=cores[1])


def _command(options: argparse.Namespace, plan: Plan) -> str:
    """How to do it again, without the places of this machine."""
    words = [f"--only {options.only}"] if options.only else []
    words += ["--quick"] if options.quick else []
    words += [f"--foreign {plan.most_foreign:g}"] if plan.most_foreign != MOST_FOREIGN else []
    return " ".join(
        ["python benchmarks/serving/run.py", f"--rounds {plan.rounds}", f"--seconds {plan.seconds:g}", *words]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAMES", help="some servers, by name, separated by commas")
    parser.add_argument("--rounds", type=int, help="how often every server is visited (default 3)")
    parser.add_argument(
        "--seconds", type=float, help="of load in the longest runs (default 3; wrk wants whole seconds)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round, one second, two kinds of load, no bad requests"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run, as JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="where the page goes")
    parser.add_argument("--home", type=Path, default=ROOT / ".bench", metavar="DIR", help="of the peers' environments")
    parser.add_argument(
        "--foreign", type=float, default=MOST_FOREIGN, metavar="SHARE",
        help="of the machine that others may use beside a run that counts (default 0.25; with 1 every run counts)",
    )  # fmt: skip
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        loads=QUICK if options.quick else CELLS,
        seconds=options.seconds or (1 if options.quick else 3),
        rounds=options.rounds or (1 if options.quick else 3),
        most_foreign=options.foreign,
    )


if __name__ == "__main__":
    main()
