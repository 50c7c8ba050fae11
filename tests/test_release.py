"""Wheels of a release: the engine compiles for each platform, under the name that is looked for there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wavesim.timing.compiled import build

MAGIC = {"linux": b"\x7fELF", "darwin": b"\xcf\xfa\xed\xfe", "win32": b"MZ"}
"""First bytes of a 64-bit library, by operating system."""


def test_a_library_is_named_for_the_machine_that_looks_for_it() -> None:
    names = {machine: build.library_path(machine).name for machine, _ in build.WHEELS.values()}
    assert len(names) == len(build.WHEELS)
    for machine, name in names.items():
        assert name.startswith(f"engine-{machine}-{build.source_hash()}.")
    assert names["win32-amd64"].endswith(".dll")
    assert names["darwin-arm64"].endswith(".dylib")
    assert names["linux-aarch64"].endswith(".so")
    assert build.library_path().name.startswith(f"engine-{build.HERE}-")


@pytest.mark.parametrize("platform", build.WHEELS)
def test_the_engine_compiles_for_every_platform(platform: str, tmp_path: Path) -> None:
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        pytest.skip("ziglang, which compiles for other platforms, is not installed")
    machine, triple = build.WHEELS[platform]
    zig = str(Path(found.origin).parent / "zig")
    path = tmp_path / build.library_path(machine).name
    assert build.compile_with([zig, "cc", "-target", triple], path, ("-Werror",)) == ""
    assert path.read_bytes().startswith(MAGIC[machine.partition("-")[0]])
