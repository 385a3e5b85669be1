"""The data card of a snapshot in Croissant 1.0 (MLCommons), with the fields of its responsible-AI vocabulary.

Answers: what is in this dataset, where from, on what basis, how sensitive, with which known limits, in a form that other
tools read? Does not answer: anything no statement backs; a field nobody stated is left out, never guessed.

Files are listed with their SHA-256 as they lie encrypted on disk; columns with the name they have inside those files.
Specifications: Croissant 1.0 (http://mlcommons.org/croissant/1.0) and Croissant RAI 1.0 (…/croissant/RAI/1.0).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.data.manifest import FileEntry, Manifest
from sealwright.kernel import hex_of

__all__ = ["croissant_card"]

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "category": "sc:Text",
    "text": "sc:Text",
}
_SENSITIVE = ("personal", "special")


def croissant_card(
    manifest: Manifest,
    *,
    snapshot: str,
    project: str,
    version: str,
    basis: Mapping[str, Any] | None = None,
    purpose: str = "",
    limits: Sequence[str] = (),
    biases: Sequence[str] = (),
    licence: str = "",
) -> dict[str, Any]:
    """The card as plain JSON-LD.

    Parameters
    ----------
    manifest : Manifest
        Of the snapshot.
    snapshot : str
        Its digest.
    version : str
        Of the dataset, "1.0.3": the number of the snapshot in its project.
    basis : mapping, optional
        The `data.basis` block as it was stated about the snapshot.
    purpose : str
        What the project's charter says the data is used for.
    limits, biases : sequence of str
        Known limits and biases, one sentence each, from measurements on file.
    licence : str
        Under which others may use it; empty where nobody stated one.
    """
    name = (basis or {}).get("dataset") or project
    rows = [entry for entry in manifest.files if entry.kind == "rows"]
    card: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": name,
        "description": _description(manifest, project),
        "identifier": snapshot,
        "version": version,
        "datePublished": manifest.created_at[:10],
        "url": f"urn:sealwright:snapshot:{hex_of(snapshot)}",
        **({"license": licence} if licence else {}),
        **({"creator": {"@type": "sc:Organization", "name": basis["controller"]["name"]}} if basis else {}),
        "distribution": [_file(entry) for entry in rows],
        "recordSet": [_records(manifest, rows[0])],
        **_responsible(manifest, basis, purpose, limits, biases),
    }
    return card


def _description(manifest: Manifest, project: str) -> str:
    synthetic = sum(entry.rows for entry in manifest.files if entry.synthetic)
    made_up = f", the last {synthetic:,} of them made up" if synthetic else ""
    return (
        f"Snapshot {manifest.sequence} of the project {project}: {manifest.identity.rows:,} rows{made_up},"
        f" {len(manifest.kept)} columns, {manifest.identity.quarantined:,} rows set aside. The files are encrypted"
        " (Parquet Modular Encryption); whoever has the keys reads them, everybody can check them."
    )


def _file(entry: FileEntry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry.name,
        "name": entry.name,
        "description": f"{entry.rows:,} rows, encrypted" + (", made up" if entry.synthetic else ""),
        "contentUrl": entry.name,
        "contentSize": f"{entry.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": hex_of(entry.digest),
    }


def _records(manifest: Manifest, first: FileEntry) -> dict[str, Any]:
    layout = manifest.layout
    order = list(manifest.kept)
    fields = []
    for name, column in manifest.kept.items():
        sealed = layout.sealed_class(name)
        physical = f"c{order.index(name)}" if sealed is None else f"s-{sealed}"
        said = [f"class {column.data_class}", f"role {column.role}"]
        said += [f"{column.min} to {column.max}"] if column.min is not None and column.max is not None else []
        said += [f"one of {len(column.categories)} categories"] if column.categories else []
        said += ["sealed with the other cells of this class under a key of the person"] if sealed else []
        fields.append(
            {
                "@type": "cr:Field",
                "@id": f"rows/{name}",
                "name": name,
                "description": "; ".join(said),
                "dataType": _TYPES[column.type],
                "source": {"fileObject": {"@id": first.name}, "extract": {"column": physical}},
            }
        )
    return {"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}


def _responsible(
    manifest: Manifest, basis: Mapping[str, Any] | None, purpose: str, limits: Sequence[str], biases: Sequence[str]
) -> dict[str, Any]:
    """The responsible-AI fields that something on file backs."""
    sensitive = [
        f"{name} ({column.data_class})" for name, column in manifest.kept.items() if column.data_class in _SENSITIVE
    ]
    steps = []
    if manifest.derivation is not None:
        counts = ", ".join(f"{step}: {cells:,} cells" for step, cells in manifest.derivation.changes.items())
        steps.append(f"{manifest.derivation.kind} of an earlier snapshot" + (f" ({counts})" if counts else ""))
    if manifest.identity.quarantined:
        steps.append(f"{manifest.identity.quarantined:,} rows that break the contract were set aside, encrypted")
    steps += [f"{rows:,} rows left out: {reason.replace('_', ' ')}" for reason, rows in manifest.withheld.items()]
    found: dict[str, Any] = {
        "rai:personalSensitiveInformation": sensitive,
        "rai:dataPreprocessingProtocol": steps,
        "rai:dataUseCases": purpose,
        "rai:dataLimitations": list(limits),
        "rai:dataBiases": list(biases),
    }
    if basis is not None:
        source = basis.get("source") or {}
        found["rai:dataCollection"] = ", ".join(str(source[key]) for key in ("from", "by") if source.get(key))
        found["rai:dataCollectionTimeframe"] = [
            str(source[key]) for key in ("collected_from", "collected_until") if source.get(key)
        ]
        keep = (basis.get("retention") or {}).get("keep")
        found["rai:dataReleaseMaintenancePlan"] = f"Kept for {keep}, then disposed of with proof." if keep else ""
    return {name: value for name, value in found.items() if value}
