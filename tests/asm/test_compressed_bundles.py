"""Compressed offload bundles: every version of the header, both methods, and what is wrong with them."""

from __future__ import annotations

import importlib
import struct
import sys
import zlib

import pytest

from wavesim.asm.object.compressed import decompressed
from wavesim.asm.object.elf import unbundled
from wavesim.errors import LimitExceeded, UserError

CODE = b"\x7fELF\x02\x01gfx942" * 50
TARGET = b"hipv4-amdgcn-amd-amdhsa--gfx942"
BUNDLE = (
    b"__CLANG_OFFLOAD_BUNDLE__"
    + struct.pack("<Q", 1)
    + struct.pack("<QQQ", 56 + len(TARGET), len(CODE), len(TARGET))
    + TARGET
    + CODE
)


def compressed(version: int, method: int, packed: bytes, size: int = len(BUNDLE)) -> bytes:
    """As clang writes it; what follows is of the next bundle."""
    if version == 1:
        return struct.pack("<4sHHIQ", b"CCOB", 1, method, size, 7) + packed
    form, head = ("<4sHHIIQ", 24) if version == 2 else ("<4sHHQQQ", 32)
    return struct.pack(form, b"CCOB", version, method, head + len(packed), size, 7) + packed + b"CCOB"


def zstd() -> object:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip("needs backports.zstd (extra code-objects)")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_zlib(version: int) -> None:
    assert unbundled(compressed(version, 0, zlib.compress(BUNDLE)), "gfx942", "f") == CODE


@pytest.mark.parametrize("version", [1, 2, 3])
def test_zstd(version: int) -> None:
    library = zstd()
    packed = library.compress(BUNDLE)  # type: ignore[attr-defined]
    assert decompressed(compressed(version, 1, packed), "f") == BUNDLE
    with pytest.raises(UserError, match="compressed offload bundle"):
        decompressed(compressed(version, 1, b"no zstd at all"), "f")


def test_without_zstd_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match="zstd, which nothing here reads") as found:
        decompressed(compressed(3, 1, b""), "f")
    assert found.value.hint == "pip install 'wavesim-cdna[code-objects]'"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"CCOB", "of version 0"),
        (compressed(3, 0, b"")[:20], "of version 3"),
        (compressed(2, 5, b""), "compressed by method 5"),
        (compressed(2, 0, b"no zlib"), "incorrect header"),
        (compressed(2, 0, zlib.compress(BUNDLE), len(BUNDLE) + 1), "says"),
        (compressed(2, 0, zlib.compress(bytes(1 << 20)), 10), "of 11 bytes says 10"),
    ],
)
def test_what_is_wrong_is_said(image: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        decompressed(image, "f")


def test_a_bundle_that_is_too_large_is_not_unpacked() -> None:
    with pytest.raises(LimitExceeded):
        decompressed(compressed(3, 0, b"", 1 << 40), "f")
