"""Machine data as tables for the terminal and as plain data for JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from wavesim.errors import UserError
from wavesim.isa.explain import (
    CONFIDENCE_MEANING,
    Answer,
    OpcodeAnswer,
    StockMachine,
    mfma_facts,
    other_spellings,
    sources_of,
    timing_facts,
    value_text,
)
from wavesim.isa.machine import Machine, Quantity
from wavesim.isa.mfma import MfmaRow, mfma_rows
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.visible import uncovered, visible
from wavesim.words import counted

PIPED_WIDTH = 160
"""Columns when the output is not a terminal: nothing is folded that a search would look for."""

CONFIDENCE_STYLE = {
    "vendor": "green",
    "measured": "green",
    "trace": "cyan",
    "inferred": "yellow",
    "assumed": "bold red",
}
RIGHT = frozenset(
    ("CUs", "GHz peak", "L2", "MALL", "HBM GB/s", "LDS", "MFMA", "passes", "clk", "flop/clk/CU", "waits")
)
"""Columns of numbers."""

WAITS = (
    ("waits_srcc_same", "as SrcC, same registers"),
    ("waits_srcc_overlap", "as SrcC, overlapping"),
    ("waits_srcab", "as A or B"),
    ("waits_valu", "by VALU"),
    ("waits_memory", "by memory"),
    ("waits_war_srcc", "SrcC overwritten by VALU"),
)
"""Field of :class:`MfmaRow` -> who uses the result before how many wait states."""


def emit(*renderables: RenderableType) -> None:
    """Prints to stdout; when that is not a terminal, wide, without colour and trailing blanks. With NO_COLOR
    a terminal has no bold letters either, as in all reports."""
    if sys.stdout.isatty():
        console = Console(
            file=uncovered(sys.stdout),
            highlight=False,
            markup=False,
            emoji=False,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
        )
        console.print(_shown(console, renderables), end="")
        return
    console = Console(width=PIPED_WIDTH, highlight=False, markup=False, emoji=False, color_system=None)
    with console.capture() as capture:
        console.print(_shown(console, renderables), end="")
    lines = [line.rstrip() for line in capture.get().splitlines()]
    sys.stdout.write("\n".join(lines).strip("\n") + "\n")


def _shown(console: Console, renderables: Iterable[RenderableType]) -> Segments:
    """What the console would print, with nothing in it that steers a terminal but the console's colours."""
    rendered = console.render(Group(*renderables))
    return Segments(each._replace(text=visible(each.text)) for each in rendered)


def _table(*columns: str, title: str = "") -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
    )
    for column in columns:
        # what people search for stays in one piece; the rest folds
        right = column in RIGHT
        whole = right or column in ("key", "unit", "confidence", "arch")
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=whole)
    return table


def list_table(machines: Iterable[StockMachine]) -> Table:
    """The architectures and devices; what a device shares with its architecture is not repeated."""
    table = _table("arch", "device", "CUs", "GHz peak", "sustained", "L2", "MALL", "HBM GB/s", "LDS", "MFMA")
    for each in machines:
        machine = each.machine
        device = machine.name != machine.arch
        low, high = machine.span("clock.sustained_range_ghz")
        table.add_row(
            Text("" if device else machine.name, style="bold"),
            Text.assemble((machine.name if device else "", "bold"), "" if device else machine.description),
            str(machine.integer("structure.compute_units")),
            f"{machine.number('clock.peak_ghz'):g}",
            f"{machine.number('clock.sustained_ghz'):g} ({low:g} to {high:g})",
            f"{machine.integer('memory.l2_caches')} x {machine.integer('memory.l2_bytes') >> 20} MiB",
            f"{machine.integer('memory.mall_bytes') >> 20} MiB",
            str(machine.integer("memory.hbm_gbytes_per_s")),
            "" if device else f"{machine.integer('lds.size_bytes') >> 10} KiB",
            "" if device else str(each.matrix_instructions),
        )
    return table


def rules_table(rules: Iterable[tuple[str, int, str]]) -> Table:
    """Rules of the timing model: name, section of docs/model, what it says."""
    table = _table("rule", "section", "what it says")
    for name, section, says in rules:
        table.add_row(Text(name, style="bold"), str(section), says)
    return table


def _confidence(confidence: str) -> Text:
    return Text(confidence, style=CONFIDENCE_STYLE[confidence])


def section_tables(machine: Machine, sections: Iterable[str]) -> list[Table]:
    """One table per section (all if none is named); ``mfma`` has the matrix instructions beside its keys.

    Raises:
        UserError: no such section.
    """
    known = list(dict.fromkeys(key.partition(".")[0] for key in machine.quantities))
    wanted = list(sections) or known
    tables = []
    for section in wanted:
        if section not in known:
            raise UserError(
                f"{machine.name} has no section {section!r}", None, f"sections: {', '.join(known)}"
            )
        table = _table("key", "value", "unit", "confidence", "source", title=section)
        for key, quantity in machine.quantities.items():
            if key.startswith(f"{section}."):
                value = value_text(quantity.value, brief=True)
                table.add_row(key, value, quantity.unit, _confidence(quantity.confidence), quantity.source)
        tables.append(table)
        if section == "mfma":
            tables.append(_mfma_table(machine))
    return tables


def _mfma_table(machine: Machine) -> Table:
    table = _table("instruction", "passes", "clk", "flop/clk/CU", "waits", title="matrix instructions")
    for row in mfma_rows(machine.arch):
        facts = mfma_facts(row, machine)
        table.add_row(
            row.opcode + {"fp8": " (8 bits)", "fp4": " (4, 6 bits)"}.get(row.mfma_format, ""),
            str(row.passes),
            str(facts["pipe_clk"]),
            f"{facts['flops_per_clk_cu']:.0f}",
            "/".join(str(getattr(row, name)) for name, _ in WAITS),
        )
    return table


def _operands(row: MfmaRow) -> str:
    return {"fp8": "an 8-bit operand", "fp4": "both 6 or 4 bits"}.get(row.mfma_format, "")


def answer_blocks(machine: Machine, answer: Answer) -> list[RenderableType]:
    """What ``wavesim isa explain`` found, to be printed below each other."""
    cited: dict[str, str] = {}
    blocks: list[RenderableType] = []
    for quantity in answer.quantities:
        blocks += _quantity_blocks(quantity)
        cited |= sources_of(quantity.source)
    for opcode in answer.opcodes:
        blocks += _opcode_blocks(machine, opcode)
        for row in opcode.mfma:
            cited |= sources_of(f"{row.source} {row.note}")
    if cited:
        blocks += [Text(""), _facts(cited, style="dim")]
    return blocks


def _facts(facts: Mapping[str, str | Text], style: str = "") -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style=style)
    grid.add_column(overflow="fold", style=style)
    for name, fact in facts.items():
        if fact:
            grid.add_row(name, fact)
    return Padding(grid, (0, 0, 0, 2))


def _quantity_blocks(quantity: Quantity) -> list[RenderableType]:
    confidence = _confidence(quantity.confidence)
    confidence.append(f": {CONFIDENCE_MEANING[quantity.confidence]}", style="default")
    return [
        Text(f"{quantity.key} = {value_text(quantity.value)} {quantity.unit}", style="bold"),
        _facts({"source": quantity.source, "confidence": confidence, "note": quantity.note}),
    ]


def _opcode_blocks(machine: Machine, answer: OpcodeAnswer) -> list[RenderableType]:
    blocks: list[RenderableType] = [Text(f"{answer.opcode} on {machine.name}", style="bold")]
    if answer.info:
        timing = {} if answer.mfma else timing_facts(answer.info, machine)
        blocks.append(_facts(_declaration(answer.info) | timing))
    return blocks + [_facts(_mfma_lines(machine, row, answer.opcode)) for row in answer.mfma]


def _declaration(info: OpcodeInfo) -> dict[str, str]:
    implicit = (("reads", info.reads), ("writes", info.writes))
    counts = (("lgkmcnt", info.lgkm_increment), ("vmcnt", info.vm_increment))
    return {
        "kind": f"{info.kind}, encoding {info.format}",
        "operands": ", ".join(f"{each.role} {each.kinds}{each.dwords or ''}" for each in info.operands),
        "implicit": "; ".join(f"{verb} {' '.join(names)}" for verb, names in implicit if names),
        "width": f"{info.width_bytes} bytes per lane" if info.width_bytes else "",
        "counters": ", ".join(f"{counter} +{count}" for counter, count in counts if count),
        "flags": ", ".join(sorted(info.flags)),
        "exists on": ", ".join(info.archs),
    }


def _mfma_lines(machine: Machine, row: MfmaRow, asked: str) -> dict[str, str | Text]:
    facts = mfma_facts(row, machine)
    variant = f" ({_operands(row)})" if row.mfma_format else ""
    waits = "; ".join(f"{meaning} {getattr(row, name)}" for name, meaning in WAITS)
    return {
        "matrix pipe": f"{row.passes} passes = {facts['pipe_clk']} clk{variant}",
        "shape": f"{row.m} x {row.n} x {row.k}, {counted(row.blocks, 'block')}",
        "flop": f"{row.flops} per instruction, {facts['flops_per_clk_cu']:.0f} per clk and CU",
        "wait states": f"{waits} (class {row.hazard_class})",
        "also": ", ".join(other_spellings(row, asked)),
        "source": row.source,
        "confidence": _confidence(row.confidence),
        "note": row.note,
    }


def quantity_data(quantity: Quantity) -> dict[str, Any]:
    """A quantity for JSON; by-width values keep their keys as text, lane groups are lists."""
    value: Any = quantity.value
    if isinstance(value, Mapping):
        value = {str(key): each for key, each in value.items()}
    return {
        "key": quantity.key,
        "value": value,
        "unit": quantity.unit,
        "source": quantity.source,
        "confidence": quantity.confidence,
        "note": quantity.note,
    }


def mfma_data(row: MfmaRow, machine: Machine) -> dict[str, Any]:
    """An MFMA row for JSON."""
    return {
        "opcode": row.opcode,
        "spellings": [row.opcode, *other_spellings(row)],
        "format": row.mfma_format,
        "shape": {"m": row.m, "n": row.n, "k": row.k, "blocks": row.blocks},
        **mfma_facts(row, machine),
        "hazard_class": row.hazard_class,
        "wait_states": {name.removeprefix("waits_"): getattr(row, name) for name, _ in WAITS},
        "source": row.source,
        "confidence": row.confidence,
        "note": row.note,
    }


def opcode_data(answer: OpcodeAnswer, machine: Machine) -> dict[str, Any]:
    """An opcode for JSON."""
    data: dict[str, Any] = {"opcode": answer.opcode}
    if answer.info:
        info = answer.info
        data |= {
            "kind": info.kind,
            "format": info.format,
            "operands": [
                {"role": each.role, "kinds": each.kinds, "dwords": each.dwords, "type": each.type}
                for each in info.operands
            ],
            "reads": list(info.reads),
            "writes": list(info.writes),
            "width_bytes": info.width_bytes,
            "lgkm_increment": info.lgkm_increment,
            "vm_increment": info.vm_increment,
            "archs": list(info.archs),
            "flags": sorted(info.flags),
        }
    if answer.mfma:
        data["mfma"] = [mfma_data(row, machine) for row in answer.mfma]
    return data


def machine_data(machine: Machine, sections: Iterable[str] = ()) -> dict[str, Any]:
    """A machine for JSON, all of it or some sections."""
    wanted = tuple(sections)
    data: dict[str, Any] = {
        "name": machine.name,
        "arch": machine.arch,
        "description": machine.description,
        "file": machine.file,
        "quantities": [
            quantity_data(quantity)
            for key, quantity in machine.quantities.items()
            if not wanted or key.partition(".")[0] in wanted
        ],
    }
    if not wanted or "mfma" in wanted:
        data["mfma"] = [mfma_data(row, machine) for row in mfma_rows(machine.arch)]
    return data
