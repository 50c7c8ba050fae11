"""Finding LLVM's tools, and one clear message where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wavesim.asm import tools
from wavesim.asm.tools import MissingTool, code_bytes, elf_sections, find_tool, instruction_sizes, run_tool
from wavesim.errors import UserError


@pytest.fixture
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WAVESIM_LLVM", raising=False)
    monkeypatch.setattr(tools, "_FOLDERS", ())
    monkeypatch.setattr(tools, "_VERSIONED", str(tmp_path / "llvm-{}"))
    find_tool.cache_clear()
    yield tmp_path
    find_tool.cache_clear()


def executable(path: Path, text: str = "#!/bin/sh\nexit 3\n") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_a_missing_tool_says_what_to_install(empty_path: Path) -> None:
    with pytest.raises(
        MissingTool, match=r"(?s)llvm-mc is needed.*LLVM 20 or newer for gfx950.*apt-get install"
    ) as caught:
        find_tool("llvm-mc", "gfx950")
    assert caught.value.exit_code == 2


def test_versions_are_tried_newest_first(empty_path: Path) -> None:
    executable(empty_path / "llvm-mc")
    assert find_tool("llvm-mc", "gfx942") == str(empty_path / "llvm-mc")
    find_tool.cache_clear()
    executable(empty_path / "llvm-mc-19")
    assert find_tool("llvm-mc", "gfx942") == str(empty_path / "llvm-mc-19")
    assert find_tool("llvm-mc", "gfx950") == str(empty_path / "llvm-mc")  # 19 does not know gfx950


def test_a_folder_of_ones_own_comes_first(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(empty_path / "llvm-mc-22")
    executable(empty_path / "own" / "llvm-mc")
    monkeypatch.setenv("WAVESIM_LLVM", str(empty_path / "own"))
    assert find_tool("llvm-mc") == str(empty_path / "own" / "llvm-mc")


def test_a_tools_failure_is_a_message(empty_path: Path) -> None:
    executable(empty_path / "tool", "#!/bin/sh\necho it is wrong >&2\nexit 1\n")
    with pytest.raises(UserError, match=r"tool refused its input:\nit is wrong"):
        run_tool([str(empty_path / "tool")])


def test_sizes_and_bytes_from_llvm() -> None:
    try:
        find_tool("llvm-mc", "gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    assert instruction_sizes(["s_nop 0", "s_mov_b32 s0, 0x1234", "v_fma_f32 v0, v1, v2, v3"], "gfx942") == [
        4,
        8,
        8,
    ]
    assert code_bytes("s_nop 0\n", "gfx942") == bytes.fromhex("000080bf")
    with pytest.raises(UserError, match=r"refused its input"):
        code_bytes("v_nonsense v0\n", "gfx942")


@pytest.mark.parametrize("image", [b"", b"\x7fELF\x02\x01" + bytes(58), b"\x7fELF\x02\x01" + b"\xff" * 80])
def test_damaged_objects(image: bytes) -> None:
    with pytest.raises(ValueError):
        elf_sections(image)


def test_clang_assembles_where_llvm_mc_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\ns_nop 3\ns_endpgm\n'
    try:
        find_tool("clang")
        wanted = code_bytes(text, "gfx942")
    except MissingTool as error:
        pytest.skip(str(error))

    def without(name: str, arch: str = "gfx942") -> str:
        if name == "llvm-mc":
            raise MissingTool(name)
        return find_tool(name, arch)

    monkeypatch.setattr(tools, "find_tool", without)
    assert "clang" in tools.assembler("gfx942")[0]
    assert code_bytes(text, "gfx942") == wanted


def test_without_any_assembler_llvm_mc_is_asked_for(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_zig", lambda tool: None)
    with pytest.raises(MissingTool, match="llvm-mc"):
        tools.assembler("gfx942")
    with pytest.raises(MissingTool, match=r"ld\.lld"):
        tools.linker("gfx942")
    monkeypatch.setattr(tools, "_zig", lambda tool: ["python", "-m", "ziglang", tool])
    assert tools.assembler("gfx942")[:4] == ["python", "-m", "ziglang", "clang"]
    assert tools.linker("gfx942") == ["python", "-m", "ziglang", "ld.lld", "-shared"]
