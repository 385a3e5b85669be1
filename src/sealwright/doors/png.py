"""A small image as PNG (ISO/IEC 15948), so that a page can hold it without a library or a file beside it."""

import base64
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["png_address", "png_bytes"]

_MOST = 560  # pixels a side that are shown; of larger images every second, third, … pixel
_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels: colour type


def png_bytes(pixels: "NDArray[np.floating]") -> bytes:
    """An image of shape (height, width, 1 to 4), 0 to 1, with 8 bits a channel."""
    height, width, channels = pixels.shape
    values = np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), values.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_address(pixels: "NDArray[np.floating]") -> str:
    """The same as an address that a page can show, thinned where it is large."""
    step = -(-max(pixels.shape[:2]) // _MOST)
    return "data:image/png;base64," + base64.b64encode(png_bytes(pixels[::step, ::step])).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
