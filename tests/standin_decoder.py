"""A stand-in for AMD's trace decoder, and raw traces for it, made of folders that were decoded elsewhere.

The real library is binary only and was never run here: what these tests show is our side of its interface.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wavesim.asm.object.elf import read_elf
from wavesim.asm.tools import find_tool, link
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.kernel import print_listing, traced_kernel

SOURCE = Path(__file__).parent / "replays" / "standin_decoder.c"
STT_FUNC = 2
OBJECT = 3
"""Number of the code object."""


@functools.cache
def standin_library() -> Path:
    """The stand-in, compiled."""
    made = Path(tempfile.mkdtemp(prefix="wavesim-standin-")) / "libstandin-trace-decoder.so"
    command = [find_tool("clang"), "-shared", "-fPIC", "-O1", "-Wno-everything", str(SOURCE), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


def record(folder: Path, raw: Path, dispatch: int = 1, *, loaded_at: int = 0, lost: int = 0) -> Path:
    """What ``rocprofv3 --att`` would have left of the trace in ``folder``: the kernel's code object, and for
    each shader engine an .att file in the stand-in's form.

    Args:
        folder: for the viewer.
        raw: where to write.
        dispatch: its number.
        loaded_at: give addresses in memory, without a code object, of one that was loaded there.
        lost: instructions at the end of each wave that have no address.
    """
    raw.mkdir(parents=True, exist_ok=True)
    imported = import_trace(folder)
    image = link(print_listing(traced_kernel(imported), "standin"), imported.arch)
    (raw / f"{imported.arch}_code_object_id_{OBJECT}.out").write_bytes(image)
    elf = read_elf(image, "standin")
    start = next(each.value for each in elf.symbols if each.section and each.kind == STT_FUNC)
    code = imported.folder.code
    base = min(row.address for row in code if row.is_instruction)
    number = 0 if loaded_at else OBJECT
    address = np.array([loaded_at + start + row.address - base for row in code], np.int64)
    events: dict[str, Any] = {}
    if (folder / "occupancy.json").exists():
        events = json.loads((folder / "occupancy.json").read_text())
    for engine in sorted({wave.shader_engine for wave in imported.folder.waves}):
        waves = [wave for wave in imported.folder.waves if wave.shader_engine == engine]
        mine = [row for row in events.get(str(engine), []) if isinstance(row, list)]
        parts = [np.frombuffer(b"WSTANDIN", np.int64), np.array([len(waves), len(mine)], np.int64)]
        for wave in waves:
            rows = np.zeros((len(wave.rows), 6), np.int64)
            rows[:, :4] = wave.rows[:, :4]
            rows[:, 4] = address[wave.rows[:, 4]]
            rows[:, 5] = number
            if lost:
                rows[-lost:, 4:] = 0
            head = [wave.compute_unit, wave.simd, wave.slot, wave.begin_clk, wave.end_clk, len(rows), lost, 0]
            parts += [np.array(head, np.int64), rows.reshape(-1)]
        parts += [np.array(row[:5], np.int64) for row in mine]
        data = np.concatenate(parts).tobytes()
        (raw / f"42_shader_engine_{engine}_{dispatch}.att").write_bytes(data)
    return raw


def write_results(raw: Path, loaded_at: int) -> None:
    """rocprofv3's results: where the code object was loaded."""
    objects = [{"code_object_id": OBJECT, "load_base": loaded_at, "load_size": 1 << 20}]
    data = {"rocprofiler-sdk-tool": [{"code_objects": objects, "strings": {"att_filenames": []}}]}
    (raw / "42_results.json").write_text(json.dumps(data))


def write_database(path: Path, loaded_at: int, kernel: str, dispatch: int = 1) -> Path:
    """A rocpd database with the tables of schema version 3 that matter."""
    connection = sqlite3.connect(path)
    mark = "_00001234_5678"
    connection.executescript(
        f"""
        CREATE TABLE "rocpd_info_code_object{mark}" (id INTEGER PRIMARY KEY, nid INTEGER, pid INTEGER,
            agent_id INTEGER, uri TEXT, load_base BIGINT, load_size BIGINT, load_delta BIGINT);
        CREATE TABLE "rocpd_info_kernel_symbol{mark}" (id INTEGER PRIMARY KEY, nid INTEGER, pid INTEGER,
            code_object_id INTEGER, kernel_name TEXT, display_name TEXT);
        CREATE TABLE "rocpd_kernel_dispatch{mark}" (id INTEGER PRIMARY KEY, kernel_id INTEGER,
            dispatch_id INTEGER);
        CREATE VIEW rocpd_info_code_object AS SELECT * FROM "rocpd_info_code_object{mark}";
        INSERT INTO "rocpd_info_code_object{mark}"
            VALUES ({OBJECT}, 1, 1, 1, 'memory', {loaded_at}, 1048576, 0);
        INSERT INTO "rocpd_info_kernel_symbol{mark}" VALUES (9, 1, 1, {OBJECT}, '{kernel}', '{kernel}');
        INSERT INTO "rocpd_kernel_dispatch{mark}" VALUES (1, 9, {dispatch});
        """
    )
    connection.commit()
    connection.close()
    return path
