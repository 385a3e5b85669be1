"""What a file really is, told by its first bytes, so that a refusal can say so.

Answers: which format that is not ONNX does this look like?
Does not answer: is it harmless? Nothing here is ever opened; ONNX itself is recognised by
walking the whole file (`wire`), not by its first bytes.
"""

__all__ = ["format_of"]

_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive (PyTorch, Keras, NumPy .npz and skops files are ZIP archives)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (an older Keras model)"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"GGUF", "a GGUF model"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ\x00", "xz-compressed data"),
    (b"]\x00\x00", "lzma-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data"),
    (b"\x78\x01", "zlib-compressed data (a joblib file may look like this)"),
    (b"\x78\x5e", "zlib-compressed data (a joblib file may look like this)"),
    (b"\x78\x9c", "zlib-compressed data (a joblib file may look like this)"),
    (b"\x78\xda", "zlib-compressed data (a joblib file may look like this)"),
    (b"ZF0x", "an old joblib file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"%PDF", "a PDF file"),
    (b"<", "an XML or HTML file"),
)
_PICKLE_STARTS = b"(]}cI\x8cKMGNX"  # opcodes that begin a pickle of protocol 0 to 2
_ONNX_START = b"\x08"  # the field ir_version, which every writer puts first


def format_of(data: bytes) -> str:
    """Words for the format `data` looks like; "" if it may be ONNX.

    Parameters
    ----------
    data : bytes
        The whole file, or at least its first 300 bytes.
    """
    if not data:
        return "an empty file"
    for magic, words in _MAGIC:
        if data.startswith(magic):
            return words
    if data[:1] == b"\x80" and data[1:2] in (b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, which is a program"
    if data[257:262] == b"ustar":
        return "a tar archive"
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") < 100 << 20:
        return "a safetensors file (weights without a graph)"
    if data[:1] != _ONNX_START:
        pickled = data[:1] in _PICKLE_STARTS and (data.rstrip()[-1:] == b"." or b"\n" in data[:200])
        return "a Python pickle, which is a program" if pickled else "an unknown format"
    return ""
