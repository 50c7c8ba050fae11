"""Finds and describes what the machine data says: a key, a few keys, or an opcode."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from wavesim.errors import UnknownInstruction, UserError
from wavesim.isa.built import load_data
from wavesim.isa.kinds import LDS_KINDS, Kind
from wavesim.isa.layers import close_keys
from wavesim.isa.load import arch_of, load_machine
from wavesim.isa.machine import Machine, Quantity, QuantityValue
from wavesim.isa.mfma import MfmaRow, find_mfma, mfma_rows, spellings
from wavesim.isa.names import devices, stock_machines
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.paths import data_dir

MOST = 24
"""Answers that are shown; beyond that the question is too wide."""

CONFIDENCE_MEANING = {
    "vendor": "AMD documents it",
    "measured": "by a benchmark",
    "trace": "thread traces of real kernels",
    "inferred": "follows from other figures, or fits the traces best",
    "assumed": "a choice; nothing better is known",
}


@dataclass(frozen=True, slots=True)
class OpcodeAnswer:
    """An opcode: its declaration (None if it only stands in the MFMA table) and its MFMA rows."""

    opcode: str
    info: OpcodeInfo | None
    mfma: tuple[MfmaRow, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What fits a question: quantities, or opcodes."""

    quantities: tuple[Quantity, ...] = ()
    opcodes: tuple[OpcodeAnswer, ...] = ()


def explain(machine: Machine, question: str) -> Answer:
    """Quantities whose key is ``question``, holds its words in order (``lds.latency`` finds
    ``lds.read_latency_clk``) or contains it; else opcodes, by name or part of it.

    Raises:
        UserError: nothing fits, or too much does.
    """
    question = question.strip()
    if question in machine.quantities:
        return Answer(quantities=(machine.quantities[question],))
    exact = _opcode(machine.arch, question)
    if exact:
        return Answer(opcodes=(exact,))
    keys = _matching_keys(machine.quantities, question)
    if keys:
        return Answer(quantities=tuple(machine.quantities[key] for key in _bounded(question, keys)))
    names = [name for name in _opcode_names(machine.arch) if question and question in name]
    if names:
        found = (_opcode(machine.arch, name) for name in _bounded(question, names))
        return Answer(opcodes=tuple(answer for answer in found if answer))
    raise _nothing(machine, question)


def _bounded(question: str, names: list[str]) -> list[str]:
    if len(names) > MOST:
        raise UserError(
            f"{question!r} fits {len(names)} names", None, f"say more; for example {', '.join(names[:3])}"
        )
    return names


def _matching_keys(keys: Iterable[str], question: str) -> list[str]:
    words = [word for word in re.split(r"[._\s]+", question) if word]
    if not words:
        return []
    found = [key for key in keys if _in_order(words, re.split(r"[._]", key))]
    return found or [key for key in keys if question in key]


def _in_order(words: list[str], key_words: list[str]) -> bool:
    """Whether each word begins a word of the key, in the same order."""
    remaining = iter(key_words)
    return all(any(key_word.startswith(word) for key_word in remaining) for word in words)


def _opcode_names(arch: str) -> list[str]:
    from wavesim.isa.opcodes import opcode_table

    declared = [name for name, info in opcode_table().items() if arch in info.archs]
    return list(dict.fromkeys([*declared, *(row.opcode for row in mfma_rows(arch))]))


def _opcode(arch: str, opcode: str) -> OpcodeAnswer | None:
    from wavesim.isa.opcodes import lookup

    if not re.fullmatch(r"[a-z]+_\w+", opcode):
        return None
    rows = find_mfma(arch, opcode)
    info = None
    for name in dict.fromkeys([opcode, *(row.opcode for row in rows)]):
        try:
            info = lookup(name, arch)
            break
        except UnknownInstruction:
            continue
    return OpcodeAnswer(opcode, info, rows) if rows or info else None


def _nothing(machine: Machine, question: str) -> UserError:
    close = close_keys(question, list(machine.quantities)) if question else []
    close += get_close_matches(question, _opcode_names(machine.arch), n=3, cutoff=0.7)
    hint = f"did you mean {', '.join(close)}?" if close else f"wavesim isa show {machine.name} lists the keys"
    elsewhere = [arch for arch in stock_machines() if arch != machine.arch and _opcode(arch, question)]
    if elsewhere:
        hint = f"it exists on {', '.join(elsewhere)}"
    return UserError(f"{machine.name} has no key and no instruction {question!r}", None, hint)


def value_text(value: QuantityValue, *, brief: bool = False) -> str:
    """A value as one line; ``brief`` counts the groups of a list of lanes instead of listing them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {each}" for key, each in value.items()) or "none"
    if not isinstance(value, tuple):
        return str(value)
    groups = [each for each in value if isinstance(each, tuple)]
    if not groups:
        return " ".join(map(str, value))
    if brief and sum(map(len, groups)) > 8:
        return f"{len(groups)} x {len(groups[0])}"
    return "  ".join("{" + ranges(group) + "}" for group in groups)


def ranges(numbers: tuple[int, ...]) -> str:
    """Ascending numbers as ranges: (0, 1, 2, 5) is ``0-2,5``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


@cache
def source_names() -> Mapping[str, str]:
    """Short source name -> what it stands for (isa/sources.yaml)."""
    data, _ = load_data(data_dir("isa") / "sources.yaml")
    return {str(name): str(text) for name, text in data["sources"].items()}


def sources_of(source: str) -> dict[str, str]:
    """The short names that occur in a ``source`` text, with what they stand for."""
    names = source_names()
    return {word: names[word] for word in re.findall(r"[A-Z][A-Z0-9]+", source) if word in names}


def mfma_facts(row: MfmaRow, machine: Machine) -> dict[str, int | float]:
    """Clocks and rates of an MFMA on ``machine``: ``pipe_clk``, ``flops``, ``flops_per_clk_cu``."""
    pipe = row.passes * machine.parameters.mfma_pass_clk
    return {
        "passes": row.passes,
        "pipe_clk": pipe,
        "flops": row.flops,
        "flops_per_clk_cu": row.flops * machine.parameters.structure_simds / pipe,
    }


def timing_facts(info: OpcodeInfo, machine: Machine) -> dict[str, str]:
    """What timing makes of an opcode that is no MFMA, in words, with the keys the figures come from."""
    parameters = machine.parameters
    slot, width = parameters.issue_slot_clk, max(4, info.width_bytes)
    kind = info.kind
    if kind in LDS_KINDS:
        lds_kind = kind.removeprefix("lds_")
        phases = machine.lane_phases(lds_kind, min(width, 16))
        array = phases.conflict_free_clk(min(width, 16))
        sent = info.lds_data_bytes
        hold, latency = slot, parameters.lds_read_latency_clk
        if sent:
            hold = parameters.write_clk(parameters.lds_write_hold_clk, sent)
            latency = parameters.write_clk(parameters.lds_write_latency_clk, sent)
        port = hold
        if kind is Kind.LDS_READ:
            lanes = machine.integer("structure.wave_lanes")
            port = max(hold, lanes * width // parameters.lds_port_bytes_per_clk)
        service = max(port, array)
        total = service + latency + slot
        return {
            "holds its wave": f"{hold} clk",
            "LDS port": f"{port} clk of its SIMD pair's",
            "LDS banks": f"{array} clk of the compute unit's, without conflicts "
            f"({len(phases.phases)} phases, {phases.banks} banks)",
            "alone": f"{service} + {latency} + {slot} = {total} clk from issue to the end of its wait "
            f"(lds.{'write' if sent else 'read'}_latency_clk)",
        }
    if kind is Kind.TRANS:
        return {"holds its wave": f"{parameters.issue_trans_clk} clk, and its SIMD's VALU (issue.trans_clk)"}
    if kind is Kind.SMEM:
        total = parameters.scalar_load_latency_clk + slot
        return {"alone": f"{total} clk from issue to the end of its wait, hit (scalar.load_latency_clk)"}
    if info.vm_increment:
        lanes = machine.integer("structure.wave_lanes")
        service = max(parameters.memory_min_service_clk, -(-lanes * width // parameters.memory_bytes_per_clk))
        return {
            "holds its wave": f"{slot} clk",
            "memory path": f"{service} clk of the compute unit's, all lanes active (memory.bytes_per_clk)",
            "latency": "an input: memory.latency_clk, memory.store_latency_clk",
        }
    if "multi_slot" in info.flags and parameters.issue_multi_slot_valu_clk > slot:
        clk = parameters.issue_multi_slot_valu_clk
        return {"holds its wave": f"{clk} clk, and its SIMD's VALU (issue.multi_slot_valu_clk)"}
    return {"holds its wave": f"{slot} clk"} if kind in (Kind.VALU, Kind.SALU) else {}


@dataclass(frozen=True, slots=True)
class StockMachine:
    """One line of ``wavesim isa list``."""

    machine: Machine
    matrix_instructions: int


def stock_list() -> tuple[StockMachine, ...]:
    """All architectures, each followed by its devices."""
    found = []
    after = {name: [each for each in devices() if arch_of(each) == name] for name in stock_machines()}
    for name in (each for arch, others in after.items() for each in (arch, *others)):
        machine = load_machine(name)
        count = len({row.opcode for row in mfma_rows(machine.arch)})
        found.append(StockMachine(machine, count))
    return tuple(found)


def other_spellings(row: MfmaRow, asked: str = "") -> tuple[str, ...]:
    """Spellings of the opcode that are found, but for the one asked for."""
    return tuple(name for name in spellings(row) if name != (asked or row.opcode))
