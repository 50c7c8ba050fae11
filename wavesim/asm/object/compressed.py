"""Compressed offload bundles (CCOB), as clang writes them with --offload-compress: header, then zlib or zstd.

The header of the versions 1 to 3 is in LLVM's clang documentation, "Clang Offload Bundler".
"""

from __future__ import annotations

import importlib
import struct
import zlib
from typing import Any

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.limits import MAX_INPUT_BYTES

MAGIC = b"CCOB"
_HEADERS = {1: "<4sHHIQ", 2: "<4sHHIIQ", 3: "<4sHHQQQ"}
"""Magic, version, method, [bytes of the file,] bytes of the bundle, hash."""
_ZLIB, _ZSTD = 0, 1
_INSTALL = "pip install 'wavesim-cdna[code-objects]'"


def decompressed(image: bytes, file: str) -> bytes:
    """The bundle in a compressed one.

    Raises:
        LimitExceeded: it is larger than wavesim reads.
        UserError: an unknown version or method, content that is not of that method, or nothing is installed
            that knows zstd.
    """
    span = SourceSpan(file)
    version = struct.unpack_from("<H", image, 4)[0] if len(image) >= 8 else 0
    form = _HEADERS.get(version)
    if form is None or len(image) < struct.calcsize(form):
        raise UserError(
            f"a compressed offload bundle of version {version}", span, "versions 1 to 3 are known"
        )
    _, _, method, *sizes, _ = struct.unpack_from(form, image)
    start, end = struct.calcsize(form), sizes[0] if len(sizes) == 2 else len(image)
    if sizes[-1] > MAX_INPUT_BYTES:
        raise LimitExceeded(f"the bundle has more than {MAX_INPUT_BYTES} bytes", span)
    packed = image[start:end]
    if method == _ZLIB:
        found = _inflated(packed, sizes[-1], span)
    elif method == _ZSTD:
        found = _of_zstd(packed, sizes[-1], span)
    else:
        raise UserError(f"an offload bundle compressed by method {method}", span, "zlib is 0, zstd 1")
    if len(found) != sizes[-1]:
        raise UserError(f"a compressed offload bundle of {len(found)} bytes says {sizes[-1]}", span)
    return found


def _inflated(packed: bytes, size: int, span: SourceSpan) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise UserError(f"a compressed offload bundle: {error}", span) from None


def _of_zstd(packed: bytes, size: int, span: SourceSpan) -> bytes:
    """By Python's own library (3.14), its backport, or the package zstandard."""
    for name in ("compression.zstd", "backports.zstd"):
        library = _library(name)
        if library is not None:
            try:
                found: bytes = library.ZstdDecompressor().decompress(packed, size + 1)
                return found
            except (library.ZstdError, EOFError) as error:
                raise UserError(f"a compressed offload bundle: {error}", span) from None
    library = _library("zstandard")
    if library is None:
        raise UserError("an offload bundle compressed by zstd, which nothing here reads", span, _INSTALL)
    try:
        whole: bytes = library.ZstdDecompressor().stream_reader(packed).read(size + 1)
        return whole
    except library.ZstdError as error:
        raise UserError(f"a compressed offload bundle: {error}", span) from None


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
