"""Where a model came from, as a SLSA v1 provenance predicate.

Answers: which snapshot, code, settings, versions and machine rules made this digest, when, in which run?
Does not answer: who signs it; the caller does. Format: https://slsa.dev/spec/v1.0/provenance
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sealwright.kernel import InvalidInput, hex_of, rfc3339
from sealwright.training.model import TrainingResult
from sealwright.training.spec import TrainingSpec

__all__ = ["BUILD_TYPE", "PROVENANCE", "provenance_predicate"]

PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:sealwright:build:training:v1"


def provenance_predicate(
    result: TrainingResult,
    spec: TrainingSpec,
    *,
    project: str,
    snapshot: str,
    lock: str | None,
    builder: str,
    version: str,
    run: str,
    started: datetime,
    finished: datetime,
    split: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The predicate for the model `result.model_digest`.

    Parameters
    ----------
    snapshot, lock : str
        Digests of the snapshot and, if there is one, of the lock file of the environment.
    builder : str
        Who built: an identifier of the place and kind of build, such as "urn:sealwright:builder:local:ws_…".
    version : str
        Version of this software.
    run : str
        Id of the run.
    started, finished : datetime
        Aware times; finished is not before started.
    split : mapping, optional
        How training and hold-out rows were parted.

    Raises
    ------
    InvalidInput
        Times without a zone or in the wrong order, or something that is no digest.
    """
    if finished < started:
        raise InvalidInput("A run cannot finish before it started.")
    resolved = [_dependency("snapshot", snapshot), _dependency("environment", result.environment_digest)]
    resolved += [_dependency(f"code:{name}", digest) for name, digest in sorted(result.code.items())]
    if lock is not None:
        resolved.append(_dependency("lock", lock))
    parity = result.parity.to_json() if result.parity is not None else {"performed": False}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "project": project,
                "snapshot": snapshot,
                "training": spec.model_dump(mode="json"),
                **({"split": dict(split)} if split is not None else {}),
            },
            "internalParameters": {
                "parameters": dict(result.parameters),
                "crossValidation": dict(result.cv),
                "search": [dict(trial) for trial in result.search],
                "notes": list(result.notes),
                **({"privacy": dict(result.privacy)} if result.privacy is not None else {}),
                "environment": dict(result.environment),
                "confinement": dict(result.confinement),
            },
            "resolvedDependencies": resolved,
        },
        "runDetails": {
            "builder": {"id": builder, "version": {"sealwright": version}},
            "metadata": {"invocationId": run, "startedOn": rfc3339(started), "finishedOn": rfc3339(finished)},
            "byproducts": [
                {"name": "parity", "content": parity},
                {
                    "name": "usage",
                    "content": {
                        "rows": result.rows,
                        "holdout_rows": result.holdout_rows,
                        "seconds": round(result.seconds, 3),
                        "cpu_seconds": round(result.cpu_seconds, 3),
                        "peak_memory_bytes": result.peak_memory_bytes,
                    },
                },
            ],
        },
    }


def _dependency(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "uri": f"urn:sealwright:{name}:{hex_of(digest)}", "digest": {"sha256": hex_of(digest)}}
