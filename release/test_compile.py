"""The engine compiles with zig for each platform of a release: `make test-wheels`, some minutes."""

from __future__ import annotations

from pathlib import Path

import pytest
import ziglang

from wavesim.timing.compiled import build

MAGIC = {"linux": b"\x7fELF", "darwin": b"\xcf\xfa\xed\xfe", "win32": b"MZ"}
"""First bytes of a 64-bit library, by operating system."""


@pytest.mark.parametrize("platform", build.WHEELS)
def test_the_engine_compiles_for_every_platform(platform: str, tmp_path: Path) -> None:
    """Without a warning, to a library of that system."""
    machine, triple = build.WHEELS[platform]
    zig = str(Path(str(ziglang.__file__)).parent / "zig")
    path = tmp_path / build.library_path(machine).name
    assert build.compile_with([zig, "cc", "-target", triple], path, ("-Werror",)) == ""
    assert path.read_bytes().startswith(MAGIC[machine.partition("-")[0]])
