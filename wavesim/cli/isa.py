"""`wavesim isa`: what the machine data says, and how well each number is known."""

from __future__ import annotations

import json
from typing import Any

import click

from wavesim.cli.common import json_option, write_json
from wavesim.cli.operands import STDOUT
from wavesim.cli.paths import OutputPath
from wavesim.errors import UserError
from wavesim.isa.load import load_machine


@click.group()
def isa() -> None:
    """List the machines, show one, or explain a number or an instruction."""


@isa.command("list")
@json_option
def list_(json_file: str | None) -> None:
    """List the stock machines."""
    from wavesim.isa.explain import stock_list
    from wavesim.report.text.machine_tables import emit, list_table, machine_data

    machines = stock_list()
    if json_file is not None:
        _write([machine_data(each.machine, ("structure", "clock")) for each in machines], json_file)
    if json_file == STDOUT:
        return
    emit(list_table(machines))


@isa.command()
@click.argument("machine")
@click.argument("sections", nargs=-1)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace a machine value.")
@json_option
def show(machine: str, sections: tuple[str, ...], settings: tuple[str, ...], json_file: str | None) -> None:
    """Show every number of MACHINE (gfx942, or a machine file), or only some SECTIONS of it."""
    from rich.text import Text

    from wavesim.report.text.machine_tables import emit, machine_data, section_tables

    loaded = load_machine(machine, _overrides(settings))
    tables = section_tables(loaded, sections)
    if json_file is not None:
        _write(machine_data(loaded, sections), json_file)
    if json_file == STDOUT:
        return
    title = Text.assemble((loaded.name, "bold"), f"  {loaded.description}")
    emit(title, Text(f"{loaded.file}\n", "dim"), *tables)


@isa.command()
@click.argument("machine")
@click.argument("question")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace a machine value.")
@json_option
def explain(machine: str, question: str, settings: tuple[str, ...], json_file: str | None) -> None:
    """Explain QUESTION on MACHINE: a key or part of one (lds.latency), or an instruction."""
    from wavesim.isa.explain import explain as find
    from wavesim.report.text.machine_tables import answer_blocks, emit, opcode_data, quantity_data

    loaded = load_machine(machine, _overrides(settings))
    answer = find(loaded, question)
    if json_file is not None:
        found = {
            "machine": loaded.name,
            "quantities": [quantity_data(quantity) for quantity in answer.quantities],
            "opcodes": [opcode_data(opcode, loaded) for opcode in answer.opcodes],
        }
        _write(found, json_file)
    if json_file == STDOUT:
        return
    emit(*answer_blocks(loaded, answer))


@isa.command()
@click.option("--write", type=OutputPath(dir_okay=False), help="Write to a file instead (docs/coverage.md).")
def coverage(write: str | None) -> None:
    """Print which instructions are known, executed and timed, by family and architecture."""
    from pathlib import Path

    from wavesim.pipeline.opcode_coverage import coverage_page
    from wavesim.report.files import write_atomically

    if write is None:
        click.echo(coverage_page(), nl=False)
    else:
        write_atomically(Path(write), [coverage_page()])


def _overrides(settings: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UserError(f"--set {setting!r}", None, "write --set memory.latency_clk=800")
        found[key.strip()] = value.strip()
    return found


def _write(data: Any, json_file: str) -> None:
    write_json(json.dumps(data, indent=2, ensure_ascii=False) + "\n", json_file)
