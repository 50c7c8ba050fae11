"""Small thread-trace folders, as rocprofv3 writes them, for tests that read such."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from wavesim.asm.printer import print_program
from wavesim.asm.tools import assemble_object, find_tool
from wavesim.replays.att.importer import TYPE_JUMP
from wavesim.trace import Category, Kind, Timeline

LISTING = [
    "; kernel_a",
    "s_mov_b32 s0, 4",
    "v_mov_b32_e32 v0, 0",
    "s_barrier",
    "s_sub_i32 s0, s0, 1",
    "s_cmp_lg_u32 s0, 0",
    "s_cbranch_scc1 65532",
    "s_endpgm",
]


def code_rows(texts: list[str] = LISTING) -> list[list[Any]]:
    rows: list[list[Any]] = []
    address = 0x1000
    for number, text in enumerate(texts):
        rows.append([text, 0, number, "a.hip:7", 1, address, 0, 0])
        address += 0 if text.startswith(";") else 4
    return rows


def wave_rows(start: int, barrier: int = 8) -> list[list[int]]:
    """Two passes of the loop: clock, type, stall, duration, code id."""
    rows = [[start, 2, 0, 4, 1], [start + 4, 6, 0, 4, 2]]
    clock = start + 8
    for turn in range(2):
        rows.append([clock, 9, barrier, barrier, 3])
        clock += barrier
        for kind, code in ((2, 4), (2, 5), (7 if turn == 0 else 8, 6)):
            rows.append([clock, kind, 0, 4, code])
            clock += 4
        clock += 16
    rows.append([clock, 11, 0, 40, 7])
    return rows


def wave_file(start: int, simd: int = 0, slot: int = 0, unit: int = 1, **fields: Any) -> dict[str, Any]:
    rows = fields.pop("instructions", wave_rows(start))
    wave = {"begin": start, "end": start + 200, "cu": unit, "simd": simd, "slot": slot}
    return {"name": "SE0", "wave": wave | {"instructions": rows, "waitcnt": [], "timeline": []} | fields}


def write_folder(root: Path, waves: dict[tuple[int, int, int, int], dict[str, Any]]) -> Path:
    """A folder of these waves by (shader engine, SIMD, slot, wave id)."""
    root.mkdir(exist_ok=True)
    tree: dict[str, Any] = {}
    for (engine, simd, slot, number), content in waves.items():
        name = f"se{engine}_sm{simd}_sl{slot}_wv{number}.json"
        (root / name).write_text(json.dumps(content))
        level = tree.setdefault(str(engine), {}).setdefault(str(simd), {}).setdefault(str(slot), {})
        level[str(number)] = [name, 0, 0]
    (root / "filenames.json").write_text(
        json.dumps({"version": "3.0.0", "gfxip": 9, "gfxv": "vega", "wave_filenames": tree})
    )
    (root / "code.json").write_text(json.dumps({"code": code_rows(), "version": "3.0.0"}))
    return root


def four_waves() -> dict[tuple[int, int, int, int], dict[str, Any]]:
    return {(0, simd, 0, 0): wave_file(100 + 4 * simd, simd) for simd in range(4)}


def edit(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


_LINE = re.compile(r"^\s+(?P<text>\S.*?)\s*// (?P<address>[0-9A-F]+):(?P<words>( [0-9A-F]{8})+)")
KERNEL_START = 0x1D00


def disassembled(text: str, arch: str, folder: Path) -> tuple[list[list[Any]], bytes]:
    """Rows of code.json for an assembly text, as LLVM disassembles it up to its last s_endpgm, and the bytes
    of those."""
    obj = folder / "kernel.o"
    obj.write_bytes(assemble_object(text, arch))
    tool = find_tool("llvm-objdump", arch)
    lines = subprocess.run([tool, "-d", str(obj)], capture_output=True, text=True, check=True).stdout
    found = [match for line in lines.splitlines() if (match := _LINE.match(line))]
    last = max(place for place, match in enumerate(found) if match["text"] == "s_endpgm")
    rows: list[list[Any]] = [["; a_kernel", 0, 0, "", 3, KERNEL_START, 0, 0]]
    for match in found[: last + 1]:
        rows.append([match["text"], 0, len(rows), "", 3, KERNEL_START + int(match["address"], 16), 0, 0])
    words = [word for match in found[: last + 1] for word in match["words"].split()]
    return rows, b"".join(int(word, 16).to_bytes(4, "little") for word in words)


def folder_of(timeline: Timeline, root: Path) -> Path:
    """The trace that rocprofv3 would have written of a simulated run, whose program has no holes."""
    root.mkdir(parents=True, exist_ok=True)
    program = timeline.trace.program
    rows, _ = disassembled(print_program(program), program.arch, root)
    code = timeline.trace.code  # s_endpgm lasts until the wave's memory is back, and that is no stall
    internal = np.array(
        [each.category is Category.INTERNAL and each.kind is not Kind.ENDPGM for each in code]
    )
    waves = {}
    for trace, timed in zip(timeline.trace.waves, timeline.waves, strict=True):
        duration = timed.end_clk - timed.attempt_clk
        stall = np.where(internal[trace.code], duration, timed.issue_clk - timed.attempt_clk)
        kind = np.where(trace.taken, TYPE_JUMP, 2)
        columns = (1000 + timed.attempt_clk, kind, stall, duration, trace.code + 1)
        waves[0, trace.simd, trace.slot, 0] = wave_file(
            1000 + int(timed.attempt_clk[0]),
            trace.simd,
            trace.slot,
            instructions=np.stack(columns, axis=1).tolist(),
        )
    write_folder(root, waves)
    (root / "code.json").write_text(json.dumps({"code": rows, "version": "3.0.0"}))
    return root
