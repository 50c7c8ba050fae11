"""HIP to assembly: which compiler is taken, what is said when none can, and errors with their place."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wavesim.asm import compile as compiling
from wavesim.asm.compile import candidates, compile_hip, find_compiler
from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import MissingTool
from wavesim.errors import UserError

KERNEL = Path(__file__).resolve().parents[2] / "kernels" / "hip" / "8wave.hip"
ARCHS = ("gfx942", "gfx950")


WRITES = 'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo "--gfx942" > "$2"; fi; shift; done'
"""A compiler's shell code: writes an assembly file for gfx942 and nothing else."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    find_compiler.cache_clear()
    yield
    find_compiler.cache_clear()


def needs_compiler(arch: str) -> None:
    try:
        find_compiler(arch)
    except MissingTool as error:
        pytest.skip(str(error))


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place where compilers are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    real = shutil.which

    def which(name: str) -> str | None:
        return real(name, path=str(folder)) if "/" not in name or str(folder) in name else None

    monkeypatch.setattr("wavesim.asm.compile.shutil.which", which)
    monkeypatch.setattr("wavesim.asm.compile.importlib.util.find_spec", lambda name: None)
    monkeypatch.delenv("WAVESIM_LLVM", raising=False)
    return folder


@pytest.mark.parametrize("arch", ARCHS)
def test_line_tables_name_the_source_and_leave_the_code_alone(
    arch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_compiler(arch)
    monkeypatch.chdir(KERNEL.parents[2])
    source = KERNEL.relative_to(Path.cwd())
    compiled = compile_hip(source, arch)
    assert compiled.file == f"kernels/hip/8wave.{arch}.s"
    assert f"--offload-arch={arch}" in compiled.command_line
    assert compiled.command_line.endswith("kernels/hip/8wave.hip")
    program = parse_program(compiled.text, compiled.file, arch)
    plain = parse_program(compile_hip(source, arch, ["-g0"]).text, "plain.s", arch)
    assert all(one.same_code(other) for one, other in zip(program, plain, strict=True))
    files = {item.source.file for item in program if item.source is not None}
    assert files == {"kernels/hip/8wave.hip"}
    text = source.read_text().split("\n")
    products = {item.source.line for item in program if item.opcode.startswith("v_mfma") and item.source}
    assert products
    assert all("__builtin_amdgcn_mfma" in text[line - 1] for line in products)


def test_nothing_is_written_beside_the_source(tmp_path: Path) -> None:
    needs_compiler("gfx942")
    source = tmp_path / "k.hip"
    source.write_text('extern "C" __attribute__((global)) void k(int *p) { *p = VALUE; }\n')
    assert "0x77" in compile_hip(source, "gfx942", ["-DVALUE=0x77"]).text
    assert [path.name for path in tmp_path.iterdir()] == ["k.hip"]


def test_an_error_of_the_compiler_has_its_place(tmp_path: Path) -> None:
    needs_compiler("gfx942")
    source = tmp_path / "k.hip"
    source.write_text("// a comment\nint f() { return missing + other; }\n")
    with pytest.raises(UserError) as caught:
        compile_hip(source, "gfx942")
    span = caught.value.span
    assert span is not None
    assert (span.file, span.line, span.column) == (str(source), 2, 18)
    assert "'missing'" in caught.value.message
    assert "'other'" in caught.value.hint


def test_a_header_is_missed_with_a_hint(tmp_path: Path) -> None:
    needs_compiler("gfx942")
    source = tmp_path / "k.hip"
    source.write_text("#include <hip/hip_texture_types.h>\n")
    with pytest.raises(UserError, match=r"docs/compile\.md"):
        compile_hip(source, "gfx942")


def test_without_a_compiler_the_message_says_what_to_install(only: Path) -> None:
    with pytest.raises(MissingTool) as caught:
        compile_hip(KERNEL, "gfx942")
    assert "apt-get install clang-22" in caught.value.hint
    assert "ziglang" in caught.value.hint


def test_a_compiler_that_cannot_is_passed_over(only: Path) -> None:
    script(only, "hipcc", "exit 1")
    script(only, "clang-22", 'echo "error: unsupported HIP gpu architecture" >&2; exit 1')
    script(
        only,
        "clang-19",
        f'case "$*" in *--version) echo "clang version 19.1.7";; esac\n{WRITES}',
    )
    assert [each.name for each in candidates()] == ["hipcc", "clang-22", "clang-19"]
    assert str(find_compiler("gfx942")) == "clang-19 19.1.7"
    with pytest.raises(MissingTool, match="hipcc, clang-22, clang-19 cannot"):
        find_compiler("gfx950")


def test_hipcc_may_use_its_headers(only: Path) -> None:
    script(only, "hipcc", f'case "$*" in *nogpu*) exit 1;; esac\n{WRITES}')
    script(only, "clang-22", "exit 1")
    compiled = compile_hip(KERNEL, "gfx942")
    assert compiled.compiler.name == "hipcc"
    assert "-nogpuinc" not in compiled.command_line


def test_a_crash_is_no_traceback(only: Path) -> None:
    script(
        only,
        "clang-22",
        f'case "$*" in *trial*) {WRITES};;'
        " *8wave*) echo \"Stack dump:\n4. Running pass 'X' on function '@buffers'\" >&2; exit 139;; esac",
    )
    with pytest.raises(UserError, match="clang-22 crashed in @buffers"):
        compile_hip(KERNEL, "gfx942")


def test_a_compiler_that_hangs_is_ended(only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "TIMEOUT_S", 0.3)
    script(only, "clang-22", "exec sleep 5")
    with pytest.raises(MissingTool, match="clang-22 cannot"):
        find_compiler("gfx942")


def test_unknown_architectures_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown architecture"):
        find_compiler("gfx1100")
    with pytest.raises(UserError, match="no such file"):
        compile_hip(tmp_path / "none.hip", "gfx942")


def test_a_files_name_is_no_option_of_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``@k.hip`` would be read for options, by clang's driver and by its second stage; ``-k.hip`` be one."""
    needs_compiler("gfx942")
    monkeypatch.chdir(tmp_path)
    Path("k.hip").write_text("-DSTOLEN=1")
    text = (
        'extern "C" __attribute__((global)) void k(int *p) {\n#ifdef STOLEN\n  broken\n#endif\n  *p = 1;\n}\n'
    )
    for name in ("@k.hip", "-k.hip"):
        Path(name).write_text(text)
        compiled = compile_hip(Path(name), "gfx942")
        assert "STOLEN" not in compiled.text
        assert f'"{name}"' in compiled.text  # as the line table has it
        assert compiled.command[-1] == f"./{name}"
        Path(name).write_text("wrong(")
        with pytest.raises(UserError, match=rf"^{name}:1:\d+: "):
            compile_hip(Path(name), "gfx942")
