"""Parquet files encrypted column by column (Parquet Modular Encryption, AES-GCM, 256 bit).

Answers: how is a part written so that no column leaves memory in the clear, and read back by who has the keys?
Does not answer: is this the right, whole, newest file? Encryption alone cannot know; the signed manifest does.

Each class of columns has a key (`file_keys`). Inside a file, columns are called c0, c1, …: the key map then cannot
be broken by an odd column name, and a column left out of that map would be plaintext.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from sealwright.data.formats import ENCRYPTION_ALGORITHM, FOOTER_KEY
from sealwright.kernel import VerificationFailed
from sealwright.trust import open_sealed, seal

__all__ = ["encrypted_batches", "encrypted_writer", "read_encrypted"]


def encrypted_writer(
    sink: Any, schema: Any, key_names: Mapping[str, str], keys: Mapping[str, bytes]
) -> pq.ParquetWriter:
    """A Parquet writer whose every column is under a key.

    Parameters
    ----------
    sink : writable file object
    schema : pa.Schema
        With the physical names.
    key_names : mapping
        Physical name to the name of its key. Must cover the schema exactly.
    keys : mapping
        Name to 32 bytes, for all of those and `FOOTER_KEY`.
    """
    if set(key_names) != set(schema.names):
        raise ValueError("every column needs a key; one without would be written in the clear")
    by_key: dict[str, list[str]] = {}
    for column, key in key_names.items():
        by_key.setdefault(key, []).append(column)
    settings = pe.EncryptionConfiguration(
        footer_key=FOOTER_KEY,
        column_keys=by_key,
        encryption_algorithm=ENCRYPTION_ALGORITHM,
        plaintext_footer=False,
        double_wrapping=True,
        internal_key_material=True,
        data_key_length_bits=256,
    )
    factory = _factory(keys)
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=1,
        write_statistics=False,
        store_schema=False,
        encryption_properties=properties,
    )


def read_encrypted(data: Any, columns: list[str], keys: Mapping[str, bytes], *, link: str) -> Any:
    """Columns of an encrypted file, from bytes that were verified before.

    Raises
    ------
    VerificationFailed
        It does not decrypt: changed bytes, or written under other keys.
    """
    factory = _factory(keys)
    try:
        properties = factory.file_decryption_properties(pe.KmsConnectionConfig(), pe.DecryptionConfiguration())
        return pq.ParquetFile(pa.BufferReader(data), decryption_properties=properties).read(columns=columns)
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise VerificationFailed(
            f"{link} does not decrypt ({type(error).__name__}): its bytes or the keys are others than when it was written.",
            link=link,
        ) from None


def encrypted_batches(path: Path, columns: Sequence[str], keys: Mapping[str, bytes], *, link: str) -> Iterator[Any]:
    """Columns of an encrypted file, one row group after the other, so that memory does not grow with the file.

    Each part of it is authenticated under its keys; that it is the file that was signed, the caller has checked.

    Raises
    ------
    VerificationFailed
        As `read_encrypted`, or the file is missing.
    """
    factory = _factory(keys)
    try:
        properties = factory.file_decryption_properties(pe.KmsConnectionConfig(), pe.DecryptionConfiguration())
        with pa.OSFile(str(path)) as source, pq.ParquetFile(source, decryption_properties=properties) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=list(columns))
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise VerificationFailed(
            f"{link} does not decrypt ({type(error).__name__}): its bytes or the keys are others than when it was written.",
            link=link,
        ) from None


def _factory(keys: Mapping[str, bytes]) -> Any:
    return pe.CryptoFactory(lambda _config: _FileKeys(keys))


class _FileKeys(pe.KmsClient):  # type: ignore[misc]  # pyarrow is untyped
    """Wraps the random keys inside a file under the keys of its snapshot. Arrow calls it; no key leaves the process."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        super().__init__()
        self._keys = keys

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        sealed = seal(self._keys[master_key_identifier], bytes(key_bytes), aad=_place(master_key_identifier))
        return base64.b64encode(sealed)

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        sealed = base64.b64decode(wrapped_key, validate=True)
        return open_sealed(self._keys[master_key_identifier], sealed, aad=_place(master_key_identifier))


def _place(master_key_identifier: str) -> bytes:
    return f"sealwright/parquet-key/{master_key_identifier}".encode()
