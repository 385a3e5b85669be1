"""The servers that are compared, and how each is started.

Answers: which command, in which environment, asked in which dialect? Peers start as their documentation says.
`*-ort` is the same server with ONNX Runtime inside, `*-batching` with its own adaptive batching.
Does not answer: how ours is started; `ours` does, from a sealed and released package.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from dialects import BENTOML, EMPTY, KSERVE, MLFLOW, OIP, ROWS, SEALWRIGHT, SEALWRIGHT_ROWS, Dialect

__all__ = ["APPS", "OURS", "SERVERS", "Server", "named"]

APPS = Path(__file__).parent / "apps"
Group = Literal["ours", "bound", "by hand", "as documented", "tuned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server. `{python}`, `{bin}`, `{port}`, `{files}` and `{apps}` are filled in where a command holds them."""

    name: str
    group: Group
    about: str
    dialect: Dialect
    environment: str = ""  # a lock in locks/; "" is the environment the benchmark itself runs in
    engine: Literal["", "sklearn", "onnx"] = "onnx"
    prepare: tuple[str, ...] = ()
    command: tuple[str, ...] = ()  # empty: ours
    variables: Mapping[str, str] = field(default_factory=dict)
    both_cores: bool = False  # else the server has one core
    load_beside: bool = False  # the load shares the server's cores; else it has one of its own
    loads: tuple[str, ...] = ()  # only these kinds of load; empty: all


_UVICORN = ("--host", "127.0.0.1", "--port", "{port}")
_QUIET = ("--lifespan", "off", "--no-access-log")
_NONE: Mapping[str, str] = MappingProxyType({})
_BATCHING = {"BENCH_BATCHING": "1"}
_ALONE = {"BENCH_PARALLEL": "0"}  # no worker process beside the server
_MLSERVER = ("{bin}/mlserver", "start", "{files}")
_SETTINGS = ("{python}", "{apps}/app_mlserver.py", "{files}")
_STORE = ("{python}", "{apps}/app_mlflow.py", "{files}")


def _asgi(name: str, about: str, app: str, *, granian: bool = False, group: Group = "bound") -> Server:
    uvicorn = ("{python}", "-m", "uvicorn", app, *_UVICORN, *_QUIET)
    with_granian = ("{bin}/granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", "{port}", app)
    return Server(
        name=name,
        group=group,
        about=about,
        dialect=EMPTY if "hello" in app else ROWS,
        environment="granian" if granian else "",
        engine="" if "hello" in app else "onnx",
        command=with_granian if granian else uvicorn,
    )


def _fastapi(name: str, about: str, app: str, engine: Literal["sklearn", "onnx"], *more: str) -> Server:
    return Server(
        name=name,
        group="by hand",
        about=about,
        dialect=ROWS,
        environment="fastapi",
        engine=engine,
        command=("{python}", "-m", "uvicorn", app, *_UVICORN, *more),
    )


def _peer(
    name: str,
    environment: str,
    dialect: Dialect,
    command: tuple[str, ...],
    *,
    about: str,
    group: Group = "as documented",
    engine: Literal["sklearn", "onnx"] = "sklearn",
    prepare: tuple[str, ...] = (),
    variables: Mapping[str, str] = _NONE,
) -> Server:
    return Server(
        name=name, group=group, about=about, dialect=dialect, environment=environment, engine=engine, prepare=prepare,
        command=command, variables=variables,
    )  # fmt: skip


def _mlflow(name: str, about: str, group: Group, engine: Literal["sklearn", "onnx"]) -> Server:
    serve = ("{bin}/mlflow", "models", "serve", "--model-uri", f"{{files}}/mlflow-{engine}", "--env-manager", "local")
    command = (*serve, "--host", "127.0.0.1", "--port", "{port}")
    return _peer(name, "mlflow", MLFLOW, command, about=about, group=group, engine=engine, prepare=_STORE)


def _bentoml(
    name: str, about: str, group: Group, engine: Literal["sklearn", "onnx"], variables: Mapping[str, str] = _NONE
) -> Server:
    serve = ("{bin}/bentoml", "serve", "app_bentoml:Credit", "--working-dir", "{apps}")
    command = (*serve, "--host", "127.0.0.1", "--port", "{port}")
    return _peer(name, "bentoml", BENTOML, command, about=about, group=group, engine=engine, variables=variables)


OURS = (
    Server(name="sealwright", group="ours", about="everything on, plain HTTP on loopback", dialect=SEALWRIGHT),
    Server(name="sealwright-tls", group="ours", about="the same behind TLS 1.3", dialect=SEALWRIGHT),
    Server(name="sealwright-fast", group="ours", about="answers do not wait for the disk", dialect=SEALWRIGHT),
    Server(name="sealwright-rows", group="ours", about="asked for 1,000 rows as objects, not by column",
           dialect=SEALWRIGHT_ROWS, loads=("bulk",)),
    Server(name="sealwright-granian", group="ours", about="under granian, which stands behind a proxy", dialect=SEALWRIGHT),
    Server(name="sealwright-2-workers", group="ours", about="two workers on both cores, the load on one of them",
           dialect=SEALWRIGHT, both_cores=True, loads=("c16", "c64")),
    Server(name="sealwright-on-1-core", group="ours", about="one worker, its signer and the load, all on one core",
           dialect=SEALWRIGHT, load_beside=True, loads=("c64",)),
    Server(name="sealwright-on-2-cores", group="ours", about="two workers, their signer and the load, all on two cores",
           dialect=SEALWRIGHT, both_cores=True, load_beside=True, loads=("c64",)),
)  # fmt: skip
SERVERS = (
    *OURS,
    _asgi("hello-uvicorn", "empty ASGI app", "app_hello:app"),
    _asgi("hello-granian", "empty ASGI app", "app_hello:app", granian=True),
    _asgi("onnx-uvicorn", "bare ASGI, msgspec, ONNX Runtime", "app_asgi:app", group="by hand"),
    _asgi("onnx-granian", "bare ASGI, msgspec, ONNX Runtime", "app_asgi:app", granian=True, group="by hand"),
    _asgi("onnx-uvicorn-clf", "the same, words by dictionary", "app_asgi:classifier", group="by hand"),
    _fastapi("fastapi-pandas", "FastAPI, pandas, scikit-learn", "app_fastapi:app", "sklearn"),
    _fastapi("fastapi-ort", "FastAPI, ONNX Runtime", "app_fastapi:app", "onnx"),
    _fastapi("fastapi-ort-async", "the same in the event loop, no access log", "app_fastapi_async:app", "onnx", *_QUIET),
    _mlflow("mlflow", "mlflow models serve", "as documented", "sklearn"),
    _mlflow("mlflow-ort", "custom model around ONNX Runtime", "tuned", "onnx"),
    _bentoml("bentoml", "bentoml serve", "as documented", "sklearn"),
    _bentoml("bentoml-ort", "with ONNX Runtime", "tuned", "onnx"),
    _bentoml("bentoml-batching", "adaptive batching", "tuned", "sklearn", _BATCHING),
    _peer("mlserver", "mlserver", OIP, _MLSERVER, about="mlserver start", prepare=_SETTINGS),
    _peer("mlserver-p0", "mlserver", OIP, _MLSERVER, about="without a worker process", group="tuned", prepare=_SETTINGS,
          variables=_ALONE),
    _peer("mlserver-ort", "mlserver", OIP, _MLSERVER, about="runtime of our own with ONNX Runtime, no worker process",
          group="tuned", engine="onnx", prepare=_SETTINGS, variables=_ALONE),
    _peer("mlserver-batching", "mlserver", OIP, _MLSERVER, about="adaptive batching, no worker process", group="tuned",
          prepare=_SETTINGS, variables=_ALONE | _BATCHING),
    _peer("kserve", "kserve", KSERVE, ("{python}", "{apps}/app_kserve.py"), about="custom model"),
    _peer("kserve-ort", "kserve", KSERVE, ("{python}", "{apps}/app_kserve.py"), about="with ONNX Runtime", group="tuned",
          engine="onnx"),
    _peer("litserve", "litserve", ROWS, ("{python}", "{apps}/app_litserve.py"), about="LitServer, one worker"),
    _peer("litserve-ort", "litserve", ROWS, ("{python}", "{apps}/app_litserve.py"), about="with ONNX Runtime",
          group="tuned", engine="onnx"),
    _peer("litserve-batching", "litserve", ROWS, ("{python}", "{apps}/app_litserve.py"), about="sixteen at a time",
          group="tuned", variables=_BATCHING),
)  # fmt: skip


def named(names: str) -> list[Server]:
    """The servers of a comma-separated list; all for "".

    A name nobody has ends the program with the names there are.
    """
    known = {server.name: server for server in SERVERS}
    wanted = [name for name in names.split(",") if name] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"There is no server {', '.join(unknown)}. There are: {', '.join(known)}.")
    return [known[name] for name in wanted]
