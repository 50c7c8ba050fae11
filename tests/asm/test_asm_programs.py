"""Whole files: parse, print, assemble gives the same bytes; parse(print(p)) is p."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.text.source import read_source
from wavesim.asm.tools import MissingTool, assemble_object, elf_sections, find_tool, link
from wavesim.program import Program
from wavesim.trace.decode import code_entries

EXAMPLES = (
    "gemm8_asmread.gfx942.s",
    "gemm8_asmread.gfx950.s",
    "gemm8_asmread_fenced.gfx942.s",
    "gemm8_asmread_unroll2_HAZARD.gfx942.s",
    "gemm8_asmread_unroll2_tied.gfx942.s",
    "gemm8_nobarrier_RACE.gfx942.s",
    "gemm8_plain.gfx942.s",
    "gemm8_plain_32x32x8.gfx942.s",
)
KERNELS = Path(__file__).parent / "kernels"


def tool(name: str, arch: str) -> str:
    try:
        return find_tool(name, arch)
    except MissingTool as error:
        pytest.skip(str(error))


def symbols(image: bytes) -> dict[str, tuple[int, int]]:
    """Value and size of the symbols of an object."""
    sections = elf_sections(image)
    names, table = sections[".strtab"], sections[".symtab"]
    found = {}
    for at in range(0, len(table), 24):
        name, _, _, _, value, size = struct.unpack_from("<IBBHQQ", table, at)
        found[names[name : names.index(b"\0", name)].decode()] = (value, size)
    return found


def assert_same_program(one: Program, other: Program) -> None:
    assert one.name == other.name
    assert one.arch == other.arch
    assert len(one) == len(other)
    assert all(a.same_code(b) and a.encoding == b.encoding for a, b in zip(one, other, strict=True))
    assert dict(one.labels) == dict(other.labels)
    assert one.addresses == other.addresses
    assert one.sizes == other.sizes
    assert one.metadata == other.metadata


def assert_round_trip(text: str, file: str, arch: str) -> int:
    """Every kernel of an assembly file survives parse, print, assemble; the number of kernels."""
    original = assemble_object(text, arch)
    sections, where = elf_sections(original), symbols(original)
    kernels = read_source(text, file, None).kernels
    for name in kernels:
        program = parse_program(text, file, kernel=name)
        printed = print_program(program)
        assert_same_program(parse_program(printed, "printed.s"), program)
        again = elf_sections(assemble_object(printed, arch))
        start, size = where[name]
        own = min(program.functions(), default=len(program)) - 1  # functions it calls stand behind it
        assert program.addresses[own] + program.sizes[own] == size
        pieces = [
            [(each.content, each.labels) for each in one.constants]
            for one in (program, parse_program(printed, "printed.s"))
        ]
        assert pieces[0] == pieces[1]
        assert again[".text"][:size] == sections[".text"][start : start + size]
        descriptor, _ = where[f"{name}.kd"]
        assert again[".rodata"][:64] == sections[".rodata"][descriptor : descriptor + 64]
        assert len(code_entries(program)) == len(program)
    return len(kernels)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_keep_their_bytes(name: str, shared: Path) -> None:
    path = shared / "examples" / name
    arch = name.split(".")[1]
    tool("llvm-mc", arch)
    assert assert_round_trip(path.read_text(), str(path), arch) == 1


COMPILED = [
    *(
        ("mixed.hip", arch, options)
        for arch in ("gfx90a", "gfx942", "gfx950")
        for options in ("-O3", "-O1 -g")
    ),
    *(("corners.hip", arch, f"-O{level}") for arch in ("gfx942", "gfx950") for level in (1, 2, 3)),
    ("corners.hip", "gfx90a", "-O3 -fverbose-asm"),
]


@pytest.mark.parametrize(("source", "arch", "options"), COMPILED)
def test_compiled_kernels_keep_their_bytes(source: str, arch: str, options: str, tmp_path: Path) -> None:
    clang = tool("clang", arch)
    tool("llvm-mc", arch)
    target = tmp_path / "mixed.s"
    flags = [
        "-x",
        "hip",
        f"--offload-arch={arch}",
        "--cuda-device-only",
        "-nogpulib",
        "-nogpuinc",
        "-S",
        "-w",
    ]
    command = [clang, *flags, *options.split(), "-o", str(target), str(KERNELS / source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    text = target.read_text(errors="replace")
    corners = {"gfx90a": 9, "gfx942": 10, "gfx950": 11}[arch]
    assert assert_round_trip(text, str(target), arch) == (6 if source == "mixed.hip" else corners)
    if "-g" in options:
        kernel = next(iter(read_source(text, str(target), arch).kernels))
        program = parse_program(text, str(target), kernel=kernel)
        sources = {item.source.file for item in program if item.source is not None}
        assert any(file.endswith(source) for file in sources)


def test_a_printed_program_links(shared: Path) -> None:
    path = shared / "examples" / "gemm8_plain.gfx942.s"
    tool("ld.lld", "gfx942")
    program = parse_program(path.read_text(), str(path))
    image = link(print_program(program), "gfx942")
    assert {".text", ".rodata", ".note"} <= elf_sections(image).keys()


def test_metadata_of_an_example(shared: Path) -> None:
    path = shared / "examples" / "gemm8_plain.gfx942.s"
    metadata = parse_program(path.read_text(), str(path)).metadata
    assert metadata.lds_bytes == 32768
    assert metadata.workgroup_size == 512
    assert [(item.offset_bytes, item.size_bytes) for item in metadata.arguments] == [
        (0, 8), (8, 8), (16, 8), (24, 4), (28, 4)
    ]  # fmt: skip
    assert metadata.user_sgpr_count == 2
    assert metadata.workgroup_id_y


def test_traces_addresses_are_the_layouts(shared: Path) -> None:
    """The code listings of measured traces give every instruction's real address. What a branch passes over
    may be missing in them."""
    import json

    from wavesim.asm.layout import lay_out
    from wavesim.asm.text.instructions import parse_instruction

    listings = sorted((shared / "traces").glob("*/code.json"))
    assert listings
    for listing in listings:
        arch = listing.parent.name.split("_")[0]
        rows = [row for row in json.loads(listing.read_text())["code"] if not row[0].startswith(";")]
        _, sizes = lay_out([parse_instruction(row[0], arch) for row in rows], arch)
        for row, size, following in zip(rows, sizes, rows[1:], strict=False):
            gap = following[5] - row[5]
            assert gap == size or (gap > size and row[0].startswith("s_cbranch")), row
