"""What a new user may give in place of a kernel is refused with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.cli.main import cli

STRUCT = "struct P { float *x; int n; };\n__global__ void k(P p) { p.x[threadIdx.x] = p.n; }\n"
OTHER = "__global__ void other(float *x) { *x = 1; }\n"
ONE = ("--block", "64", "--arg", "p.x=f32[64]")
HUGE = "workgroup: 64\ngrid: [1000000000, 1]\narguments: {x: 'f32[64]'}\n"
CASES = {
    "no kernel": ("int main() { return 0; }", (), "k.hip: there is no kernel in it"),
    "empty": ("", (), "k.hip: there is no kernel in it"),
    "syntax": ("__global__ void k() { int x = 1 }", (), "k.hip:2:32: expected ';'"),
    "include": ('#include "nowhere.h"', (), "where yours is: -I DIR"),
    "two": (STRUCT + OTHER, (), "k.hip: 2 kernels in one file\n  choose one with --kernel: k, other"),
    "name": (OTHER, ("--kernel", "nope"), "k.hip: no kernel 'nope'\n  kernels: other"),
    "few": (STRUCT, ONE, "argument 0 (p) has 8 bytes; kernel k takes 16\n  wavesim launch FILE writes"),
    "many": (STRUCT, (*ONE, "--arg", "p.n=1", "--arg", "q=1"), "takes 1 argument, the launch gives 2"),
}


def refused(*words: str) -> str:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exception is not None
    return str(done.exception)


@pytest.mark.parametrize("name", CASES)
def test_hip(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        find_compiler("gfx942")
    except MissingTool as missing:
        pytest.skip(str(missing))
    monkeypatch.chdir(tmp_path)
    source, words, message = CASES[name]
    Path("k.hip").write_text(f"#include <hip/hip_runtime.h>\n{source}")
    assert message in refused("run", "k.hip", *words)


def test_folders_and_files_that_are_no_kernels(tmp_path: Path) -> None:
    for command in ("run", "check", "launch"):
        assert "a folder, not a kernel's file" in refused(command, str(tmp_path))
    (tmp_path / "k.co").touch()
    assert "neither a code object (ELF) nor an offload bundle" in refused("run", str(tmp_path / "k.co"))
    (tmp_path / "k").touch()
    assert "no front end for a file without an ending" in refused("run", str(tmp_path / "k"))


def test_a_grid_that_no_dispatch_has(tmp_path: Path) -> None:
    (tmp_path / "k.launch.yaml").write_text(HUGE)
    (tmp_path / "k.s").write_text('.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nk:\n s_endpgm\n')
    assert "k.launch.yaml:2:7: grid: 64000000000 threads in x\n  at most 4294967295" in refused(
        "run", str(tmp_path / "k.s")
    )
