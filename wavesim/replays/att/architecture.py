"""Which architecture a trace is of: from its instructions, from the files in and beside it, else a guess.

filenames.json of rocprofv3 says no more than ``gfxip: 9`` today. Whatever names an architecture in the
headers of the folder's files is believed all the same, and so are the code objects that rocprofv3 writes
beside the folder (``*code_object_id_*.out``) and its table of agents (``*agent_info.csv``). Last come the
names of kernels: Tensile's say ``ISA942``, others ``gfx942``.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wavesim.asm.object.elf import MACHINES, is_elf
from wavesim.isa.archs import ARCHS, DEFAULT_ARCH
from wavesim.isa.opcodes import opcode_table
from wavesim.replays.att.folder import CodeRow

WRITTEN_SO: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (
        frozenset({"gfx950"}),
        re.compile(
            r"v_mfma_scale_|v_mfma_ld_scale|v_cvt_scalef32|_read_b(64|96)_tr_|v_permlane(16|32)_swap"
            r"|(buffer|global)_load\w*_dwordx[34] .*\blds\b|global_load_lds_dwordx[34]"
        ),
    ),
    (frozenset({"gfx90a"}), re.compile(r"v_mfma_\w+_1k\b|v_mfma_f32_\d+x\d+x\d+f(16|32)|\b(glc|slc)\b")),
    (frozenset({"gfx942", "gfx950"}), re.compile(r"\b(sc0|sc1|nt)\b|v_smfmac_")),
)
"""Forms that only these architectures' disassemblers print, beside the opcode table's own lists."""

_ENCODINGS = ("e32", "e64", "dpp", "sdwa")
_NAME = re.compile(r"(?<![0-9A-Za-z])(" + "|".join(ARCHS) + r")(?![0-9A-Za-z])")
_ISA = re.compile(
    r"(?<![0-9A-Za-z])ISA((?i:" + "|".join(arch.removeprefix("gfx") for arch in ARCHS) + r"))(?![0-9A-Za-z])"
)
_MOST_HEADER_BYTES = 64 * 1024
_MOST_FILES = 64


def archs_of(text: str) -> frozenset[str]:
    """The architectures that have an instruction as it is written; none of an unknown one."""
    table = opcode_table()
    opcode = text.split(None, 1)[0]
    head, _, tail = opcode.rpartition("_")
    while opcode not in table and tail in _ENCODINGS and head:
        opcode = head
        head, _, tail = opcode.rpartition("_")
    found = frozenset(table[opcode].archs) if opcode in table else frozenset()
    for archs, pattern in WRITTEN_SO:
        if pattern.search(text):
            found = found & archs or archs
    return found


def detect_arch(rows: Sequence[CodeRow]) -> tuple[str, str]:
    """(architecture, note) from the instructions of all of the listing; a guess, which the note says, where
    they run on several."""
    arch, note, _ = _told(rows)
    return arch, note


def find_arch(rows: Sequence[CodeRow], folder: Path) -> tuple[str, str]:
    """(architecture, note): from the instructions where only one architecture has them, else from what
    stands in or beside the trace's ``folder``."""
    arch, note, possible = _told(rows)
    stated = stated_arch(folder) or _by_name(rows)
    if stated is None or len(possible) == 1:
        if stated is not None and stated[0] != arch:
            note += f" (though {stated[1]} says {stated[0]})"
        return arch, note
    if possible and stated[0] not in possible:
        return arch, f"{note}; {stated[1]} says {stated[0]}, which does not have all of its instructions"
    return stated[0], f"architecture {stated[0]} as {stated[1]} says"


def _told(rows: Sequence[CodeRow]) -> tuple[str, str, frozenset[str]]:
    """Architecture, note, and the ones that have every known instruction."""
    only: dict[str, str] = {}
    possible = frozenset(ARCHS)
    for text in dict.fromkeys(row.text for row in rows if row.is_instruction):
        archs = archs_of(text)
        if archs:
            possible &= archs
        if len(archs) == 1:
            only.setdefault(next(iter(archs)), text.split()[0])
    for arch in reversed(ARCHS):
        if arch in only:
            return arch, f"architecture {arch} recognised by `{only[arch]}`", frozenset({arch})
    if len(possible) == 1:
        arch = next(iter(possible))
        return arch, f"architecture {arch}: no other has all of the instructions", possible
    both = " and ".join(sorted(possible)) or "no architecture that is known"
    return (
        DEFAULT_ARCH,
        f"no instruction tells the architecture ({both} run this code); {DEFAULT_ARCH} is assumed "
        "(--arch says otherwise)",
        possible,
    )


def stated_arch(folder: Path) -> tuple[str, str] | None:
    """(architecture, who says so), where the trace's files or the ones that rocprofv3 writes beside it agree
    on one."""
    for statements in (_headers(folder), _code_objects(folder), _agents(folder)):
        found = list(statements)
        if found and len({arch for arch, _ in found}) == 1:
            return found[0]
    return None


def _by_name(rows: Sequence[CodeRow]) -> tuple[str, str] | None:
    """What the names of the kernels in the listing say, if they agree."""
    names = [row.text for row in rows if row.text.startswith(";")]
    found = {arch for name in names for arch in _NAME.findall(name)}
    found |= {f"gfx{number.lower()}" for name in names for number in _ISA.findall(name)}
    return (found.pop(), "the kernel's name") if len(found) == 1 else None


def _headers(folder: Path) -> Iterator[tuple[str, str]]:
    """What the headers of filenames.json and code.json name: every text beside waves and code."""
    for name in ("filenames.json", "code.json"):
        try:
            data = json.loads((folder / name).read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            header = {key: value for key, value in data.items() if key not in ("code", "wave_filenames")}
            yield from ((arch, name) for arch in _named(header))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _NAME.findall(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _named(each)


def _beside(folder: Path, *patterns: str) -> list[Path]:
    """Files of the folder and of the one around it, where rocprofv3 writes what belongs to all traces."""
    places = (folder, folder.resolve().parent)
    found = [path for place in places for pattern in patterns for path in place.glob(pattern)]
    return sorted(path for path in found if os.path.isfile(path))[:_MOST_FILES]


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_HEADER_BYTES)
    except OSError:
        return b""


def _code_objects(folder: Path) -> Iterator[tuple[str, str]]:
    for path in _beside(folder, "*code_object_id_*"):
        header = _start(path)[:64]
        if len(header) == 64 and is_elf(header):
            (flags,) = struct.unpack_from("<I", header, 0x30)
            if (flags & 0xFF) in MACHINES:
                yield MACHINES[flags & 0xFF], path.name


def _agents(folder: Path) -> Iterator[tuple[str, str]]:
    for path in _beside(folder, "*agent_info.csv"):
        for name in _NAME.findall(_start(path).decode("utf-8", "replace")):
            yield name, path.name
