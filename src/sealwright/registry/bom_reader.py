"""Which model is a bill of materials about? All that a verifier needs to know of one."""

from sealwright.kernel import InvalidInput, hex_of, strict_json

__all__ = ["model_named_in"]


def model_named_in(data: bytes) -> str:
    """Digest of the model a bill of materials is about.

    Raises
    ------
    InvalidInput
        Not CycloneDX JSON with a model and its SHA-256.
    """
    document = strict_json(data, what="bom.cdx.json")
    try:
        component = document["metadata"]["component"]
        if document["bomFormat"] != "CycloneDX" or component["type"] != "machine-learning-model":
            raise InvalidInput("bom.cdx.json is not the bill of materials of a model.")
        (digest,) = [item["content"] for item in component["hashes"] if item["alg"] == "SHA-256"]
        hex_of(f"sha256:{digest}")
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("bom.cdx.json does not name its model by SHA-256.") from None
    return f"sha256:{digest}"
