"""The program inside the confinement: one job in on standard input, one answer out on standard output.

Started by `service` as `python -m sealwright.training.child`. It holds no key, no path of the workspace and no
open file besides its three pipes. Progress goes to standard error as lines "@progress SHARE WORDS"; whatever
the code it runs prints goes there too, so that it cannot mix with the answer.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sealwright.kernel import SealwrightError
from sealwright.training.errors import RecipeFailed, UntrainableData
from sealwright.training.frames import frame, read_frame
from sealwright.training.packed import Packed

__all__ = ["main"]

_RECIPE_FOLDER = "recipe"


def main() -> None:
    """Read the job, do it, answer. Every failure is an answer too; only a lost pipe is not."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # print() of foreign code becomes a log line
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    header, bodies = read_frame(sys.stdin.buffer)
    try:
        result, made = _parity(header, bodies) if header["job"] == "parity" else _train(header, bodies)
        _answer(answers, frame({"result": result}, made))
    except MemoryError:
        _answer(answers, frame({"error": {"kind": "memory", "message": "", "trace": ""}}, {}))
    except SealwrightError as error:
        kind = (
            "recipe" if isinstance(error, RecipeFailed) else "data" if isinstance(error, UntrainableData) else "input"
        )
        trace = error.trace if isinstance(error, RecipeFailed) else ""
        words = {"kind": kind, "message": str(error).removesuffix(trace).rstrip(), "trace": trace}
        _answer(answers, frame({"error": words}, {}))
    with suppress(Exception):
        sys.stdout.flush()
    # foreign code may have left threads or exit handlers; the answer is out, so nothing more may happen
    os._exit(0)


def _answer(stream: BinaryIO, pieces: Iterable[bytes | memoryview]) -> None:
    stream.writelines(pieces)
    stream.flush()


def _progress(line: str, share: float) -> None:
    words = " ".join(str(line).split())[:200]
    os.write(2, f"@progress {share:.3f} {words}\n".encode(errors="replace"))


def _train(header: Mapping[str, Any], bodies: Mapping[str, bytearray]) -> tuple[dict[str, Any], dict[str, bytes]]:
    _progress("starting the training libraries", 0.01)
    import threadpoolctl  # type: ignore[import-untyped]

    threadpoolctl._HAS_PROCFS = False  # noqa: SLF001 (/proc is shut here; it then asks the loader for the libraries)
    from sealwright.training.environment import environment_here
    from sealwright.training.hardening_spec import HardeningSpec
    from sealwright.training.job import Job
    from sealwright.training.mitigation.groups import GroupKey
    from sealwright.training.mitigation_spec import MitigationSpec

    spec = header["spec"]
    classes = tuple(header["classes"])
    regression = header["task"] == "regression"
    job = Job(
        recipe=spec["recipe"],
        task=header["task"],
        classes=classes,
        positive=classes.index(header["positive"]) if header["positive"] is not None else 0,
        rows=Packed.from_wire("rows", header["rows"], bodies),
        target=np.frombuffer(bodies["target"], dtype="<f8" if regression else "<i4"),
        holdout=Packed.from_wire("holdout", header["holdout"], bodies),
        seed=spec["seed"],
        folds=spec["folds"],
        trials=spec["search"]["trials"],
        seconds=spec["search"]["seconds"],
        metric=spec["search"]["metric"],
        params=spec["params"],
        number_names=tuple(header["numbers"]),
        string_names=tuple(header["strings"]),
        mitigation=MitigationSpec.model_validate(spec["mitigation"]) if "mitigation" in spec else None,
        groups=GroupKey.from_json(header["groups"]) if "groups" in header else None,
        hardening=HardeningSpec.model_validate(spec["hardening"]) if spec["hardening"] else None,
        privacy=spec.get("privacy"),
        declared=header.get("declared") or {},
    )
    _progress(f"training {job.recipe} on {job.rows.rows:,} rows", 0.04)
    if ":" in job.recipe:
        from sealwright.training.adapters.own_code import train_own_code

        folder = _unpack(header["files"], bodies)
        made = train_own_code(job, folder, _progress)
    elif job.privacy is not None:
        from sealwright.training.adapters.private.training import train_private

        made = train_private(job, _progress)
    else:
        import sklearn

        from sealwright.training.adapters.built_in import train_built_in

        sklearn.set_config(skip_parameter_validation=True)  # ours are checked already
        made = train_built_in(job, _progress)
    result = {
        "parameters": dict(made.parameters),
        "cv": dict(made.cv),
        "search": made.search,
        "notes": made.notes,
        "environment": environment_here(),
        "privacy": dict(made.privacy) if made.privacy is not None else None,
    }
    out = {"model": made.model}
    if made.predictions is not None:
        out["predictions"] = np.ascontiguousarray(made.predictions, dtype="<f8").tobytes()
    return result, out


def _unpack(names: Iterable[str], bodies: Mapping[str, bytearray]) -> Path:
    """Write the recipe's files, which are code and no data, into the temporary folder."""
    folder = Path(_RECIPE_FOLDER).resolve()
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bodies[f"file:{name}"])
    return folder


def _parity(header: Mapping[str, Any], bodies: Mapping[str, bytearray]) -> tuple[dict[str, Any], dict[str, bytes]]:
    from sealwright.training.adapters.onnx_run import differences

    expected = None
    if "predictions" in bodies:
        expected = np.frombuffer(bodies["predictions"], dtype="<f8").reshape(-1, int(header["width"]))
    rows = Packed.from_wire("holdout", header["holdout"], bodies)
    return differences(bytes(bodies["model"]), rows, expected, header["task"], header["width"], header["positive"]), {}


if __name__ == "__main__":
    main()
