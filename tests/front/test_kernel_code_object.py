"""Code objects: the same instructions, metadata and run as the assembly that they were made of."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wavesim.asm.compile import compile_hip
from wavesim.asm.object import descriptor as kernel_descriptor
from wavesim.asm.object import disassemble as disassembling
from wavesim.asm.object.elf import notes, read_elf, unbundled
from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.text.source import read_source
from wavesim.asm.tools import MissingTool, assemble_object, elf_sections, find_tool, link
from wavesim.cli.main import cli
from wavesim.errors import LimitExceeded, UserError
from wavesim.front.code_object import read_code_object
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.program import Program, Symbol

ROOT = Path(__file__).resolve().parents[2]
CORNERS = ROOT / "tests" / "asm" / "kernels" / "corners.hip"
HALF_SPLIT = ROOT / "kernels" / "hip" / "8wave.hip"
DISASSEMBLERS = [
    disassembling.with_objdump,
    *([disassembling.with_wheel] if disassembling.has_wheel() else []),
]
GEMM = LaunchOptions(
    arguments=(
        "A=bf16[128,256]:random",
        "B=bf16[128,256]:random",
        "C=f32[128,128]:unwritten",
        "N=i32:128",
        "K=i32:256",
    ),
    block=512,
    expect="C = A @ B.T",
)


@pytest.fixture(scope="module")
def tools() -> None:
    try:
        for name in ("llvm-mc", "ld.lld", "llvm-objdump", "llvm-readobj", "clang"):
            find_tool(name, "gfx950")
    except MissingTool as error:
        pytest.skip(str(error))


def written(folder: Path, name: str, image: bytes) -> Path:
    path = folder / name
    path.write_bytes(image)
    return path


def assert_same(read: Program, text: Program) -> None:
    """The same code at the same addresses, the same metadata."""
    assert read.name == text.name
    assert read.arch == text.arch
    assert read.addresses == text.addresses
    assert read.sizes == text.sizes
    for one, other in zip(read, text, strict=True):
        assert one.opcode == other.opcode
        assert one.encoding == other.encoding or not other.encoding
    mine, theirs = read.metadata, text.metadata
    extra = ("reserve_vcc", "reserve_xnack_mask", "shared_vgpr_count", "named_barrier_count")
    kept = {key: value for key, value in theirs.extra.items() if key not in extra}
    assert kept.items() <= mine.extra.items()
    assert replace(mine, sgprs=0, extra={}, arguments=()) == replace(theirs, sgprs=0, extra={}, arguments=())
    places = [
        (item.offset_bytes, item.size_bytes, item.kind, item.address_space) for item in theirs.arguments
    ]
    assert places == [
        (item.offset_bytes, item.size_bytes, item.kind, item.address_space) for item in mine.arguments
    ]


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
@pytest.mark.parametrize("with_it", DISASSEMBLERS, ids=lambda each: each.__name__)
def test_compiled_kernels_come_back(
    tools: None,
    arch: str,
    with_it: disassembling.Disassembler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disassembling, "find_disassembler", lambda arch: with_it)
    text = compile_hip(CORNERS, arch, ["-O2", "-w"]).text
    image = link(text, arch)
    path = written(tmp_path, "corners.co", image)
    code = elf_sections(image)[".text"]
    base = next(section.address for section in read_elf(image, "co").sections if section.name == ".text")
    for name in read_source(text, "k.s", arch).kernels:
        program = read_code_object(path, None, name)
        assert_same(program, parse_program(text, "k.s", arch, name))
        printed = print_program(program)
        again = elf_sections(assemble_object(printed, arch))
        for item, at, size in zip(program, program.addresses, program.sizes, strict=True):
            start = int(item.comment, 16) - base
            taken = any(isinstance(each, Symbol) and each.suffix for each in item.operands)
            size = 4 if taken else size  # the linker has filled in the rest
            assert again[".text"][at : at + size] == code[start : start + size]
        lines = printed.split("\n")
        spans = [item.span.line for item in program if item.span is not None]
        shown = [lines[line - 1].split()[0] for line in spans]
        assert shown == [item.opcode + (f"_{item.encoding}" if item.encoding else "") for item in program]


def test_a_code_object_runs_like_its_assembly(tools: None, shared: Path, tmp_path: Path) -> None:
    for name in ("gemm8_plain.gfx942.s", "gemm8_asmread.gfx950.s"):
        source = shared / "examples" / name
        arch = name.split(".")[1]
        options = RunOptions(launch=GEMM)
        of_text = run_kernel(source, options)
        text = source.read_text()
        for ending, image in ((".co", link(text, arch)), (".o", assemble_object(text, arch))):
            run = run_kernel(written(tmp_path, f"k{ending}", image), options)
            assert run.verdict == "unchecked"
            assert run.numerics == of_text.numerics
            assert run.analysis.clk_total == of_text.analysis.clk_total
            assert run.analysis.instructions == of_text.analysis.instructions


CALLS = """
#define KERNEL extern "C" __attribute__((global)) void
__attribute__((constant)) const float table[4] = {1.5f, 2.5f, 4.0f, 8.0f};
static __attribute__((device, noinline)) float square(float x) { return x * x; }
static __attribute__((device, noinline)) float poly(float x, int n) {
  for (int i = 0; i < n; i++) x = square(x) + table[i & 3];
  return x;
}
KERNEL sums(const float *A, float *C, int n) {
  int t = __builtin_amdgcn_workitem_id_x();
  C[t] = poly(A[t], n) + table[t & 3];
}
"""


def test_functions_and_constants_are_found_again(tools: None, tmp_path: Path) -> None:
    """They are named as in the assembly, and the run is the same to the clock."""
    source = tmp_path / "calls.hip"
    source.write_text(CALLS)
    compiled = compile_hip(source, "gfx942")
    (tmp_path / "calls.s").write_text(compiled.text)
    path = written(tmp_path, "calls.co", link(compiled.text, "gfx942"))
    program = read_code_object(path)
    assert any(item.opcode == "s_swappc_b64" for item in program)
    assert [section.section for section in program.constants] == [".rodata"]
    launch = LaunchOptions(arguments=("A=f32[1,64]:random", "C=f32[1,64]:unwritten", "n=i32:3"), block=64)
    runs = [run_kernel(tmp_path / name, RunOptions(launch=launch)) for name in ("calls.s", "calls.co")]
    assert runs[0].analysis.clk_total == runs[1].analysis.clk_total
    assert runs[0].analysis.instructions == runs[1].analysis.instructions
    assert all(run.verdict == "unchecked" for run in runs)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_code_objects_give_messages(data: st.DataObject, small: bytes, tmp_path: Path) -> None:
    image = bytearray(small)
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UserError):
        read_code_object(written(tmp_path, "damaged.co", bytes(image)))


def test_the_descriptor_is_kept(tools: None, tmp_path: Path) -> None:
    image = link(compile_hip(HALF_SPLIT, "gfx942").text, "gfx942")
    program = read_code_object(written(tmp_path, "k.co", image))
    again = link(print_program(program), "gfx942")
    one, other = elf_sections(image)[".rodata"], elf_sections(again)[".rodata"]
    assert one[:16] == other[:16]
    assert one[24:64] == other[24:64]
    assert program.metadata.workgroup_size == 512
    assert program.metadata.lds_bytes == 65536


def test_source_lines_come_from_the_line_table(
    tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disassembling, "find_disassembler", lambda arch: disassembling.with_objdump)
    monkeypatch.chdir(ROOT)
    compiled = compile_hip(HALF_SPLIT.relative_to(ROOT), "gfx942")
    text = parse_program(compiled.text, compiled.file, "gfx942")
    program = read_code_object(written(tmp_path, "k.co", link(compiled.text, "gfx942")))
    for one, other in zip(program, text, strict=True):
        if other.source is not None:
            assert one.source is not None
            assert (one.source.file, one.source.line) == (other.source.file, other.source.line)


def test_metadata_is_read_with_and_without_msgpack(
    tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "k.co", link(compile_hip(HALF_SPLIT, "gfx950").text, "gfx950"))
    elf = read_elf(path.read_bytes(), "k.co")
    ways = [kernel_descriptor.metadata_of(elf, str(path))]

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("wavesim.asm.object.descriptor.importlib.import_module", missing)
    ways.append(kernel_descriptor.metadata_of(elf, str(path)))
    assert ways[0] == ways[1]
    assert ways[0]["half_split"][".kernarg_segment_size"] == 32


def bundle(entries: dict[str, bytes]) -> bytes:
    """An offload bundle as clang writes it."""
    names = [name.encode() for name in entries]
    at = 32 + sum(24 + len(name) for name in names)
    head, body = b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(entries)), b""
    for name, code in zip(names, entries.values(), strict=True):
        head += struct.pack("<QQQ", at + len(body), len(code), len(name)) + name
        body += code
    return head + body


def test_bundles_are_unpacked(tools: None, tmp_path: Path) -> None:
    text = "s_nop 0\ns_endpgm\n"
    images = {arch: b"\x7fELF\x02\x01" + arch.encode() for arch in ("gfx942", "gfx950")}
    packed = bundle(
        {
            "host-x86_64-unknown-linux-gnu-": b"",
            "hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+:xnack-": images["gfx942"],
            "hipv4-amdgcn-amd-amdhsa--gfx950": images["gfx950"],
        }
    )
    assert unbundled(packed, "gfx942", "f") == images["gfx942"]
    assert unbundled(packed, "gfx950", "f") == images["gfx950"]
    with pytest.raises(UserError, match="choose with --arch"):
        unbundled(packed, None, "f")
    with pytest.raises(UserError, match="no code object for gfx90a"):
        unbundled(packed, "gfx90a", "f")
    with pytest.raises(UserError, match="compressed offload bundle of version 0"):
        unbundled(b"CCOB" + bytes(40), "gfx942", "f")
    with pytest.raises(UserError, match="neither"):
        unbundled(text.encode(), None, "f")


def test_several_kernels_are_asked_for(tools: None, tmp_path: Path) -> None:
    path = written(tmp_path, "corners.co", link(compile_hip(CORNERS, "gfx942", ["-w"]).text, "gfx942"))
    with pytest.raises(UserError, match="10 kernels") as caught:
        read_code_object(path)
    assert "exchange" in caught.value.hint
    with pytest.raises(UserError, match="no kernel 'none'"):
        read_code_object(path, None, "none")
    with pytest.raises(UserError, match="for gfx942, not for gfx950"):
        read_code_object(path, "gfx950", "table")
    shown = CliRunner().invoke(cli, ["lower", str(path), "--kernel", "exchange"])
    assert "exchange:" in shown.output
    checked = CliRunner().invoke(cli, ["check", str(path), "--kernel", "table"])
    assert checked.exit_code == 0, checked.output


def test_files_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="cannot read"):
        read_code_object(tmp_path / "none.co")
    with pytest.raises(UserError, match="neither a code object"):
        read_code_object(written(tmp_path, "empty.co", b""))
    host = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44)
    with pytest.raises(UserError, match="another machine"):
        read_code_object(written(tmp_path, "host.co", host))
    monkeypatch.setattr("wavesim.front.code_object.MAX_INPUT_BYTES", 100)
    with pytest.raises(LimitExceeded):
        read_code_object(written(tmp_path, "large.co", bytes(101)))


def test_without_a_disassembler_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, arch: str = "") -> str:
        raise MissingTool(name)

    monkeypatch.setattr(disassembling, "find_tool", missing)
    monkeypatch.setattr(disassembling, "has_wheel", lambda: False)
    with pytest.raises(MissingTool, match="disassemble gfx942") as caught:
        disassembling.find_disassembler("gfx942")
    assert "rocm-llvm-python" in caught.value.hint


@pytest.fixture(scope="module")
def small(tools: None) -> bytes:
    return link(compile_hip(HALF_SPLIT, "gfx942", ["-g0"]).text, "gfx942")


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject, small: bytes) -> None:
    """Tables of a damaged file: an error with a message, or something that stays inside the file."""
    image = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.one_of(st.integers(0, 64), st.integers(0, len(image) - 1)))
        image[where] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(image)))
    damaged = bytes(image[:cut]) if data.draw(st.booleans()) else bytes(image)
    with suppress(UserError):
        elf = read_elf(damaged, "damaged.co")
        for section in elf.sections:
            elf.content(section)
        list(notes(elf))
        for symbol in elf.symbols[:50]:
            elf.loaded(symbol.value, symbol.size)
