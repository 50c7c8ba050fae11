"""Small thread-trace folders, as rocprofv3 writes them, for tests that read such."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
