"""`wavesim isa`: what the machine data says, and how well each number is known."""

from __future__ import annotations

import click

from wavesim.cli import completion
from wavesim.cli.options import SETTINGS, JsonOptions, options
from wavesim.cli.paths import OutputPath
from wavesim.isa.load import load_machine


@click.group()
def isa() -> None:
    """List the machines, show one, or explain a number or an instruction."""


@isa.command("list")
@options(as_json=JsonOptions)
def list_(as_json: JsonOptions) -> None:
    """List the stock machines."""
    from wavesim.isa.explain import stock_list
    from wavesim.report.text.machine_tables import emit, list_table, machine_data

    machines = stock_list()
    if as_json.wanted:
        found = [machine_data(each.machine, ("structure", "clock")) for each in machines]
        as_json.report("isa-list", {"machines": found})
    if as_json.alone:
        return
    emit(list_table(machines))


@isa.command()
@click.argument("machine", shell_complete=completion.machines)
@click.argument("sections", nargs=-1, shell_complete=completion.machine_sections)
@click.option("--set", "settings", **SETTINGS, help="Replace a machine value.")
@options(as_json=JsonOptions)
def show(machine: str, sections: tuple[str, ...], settings: dict[str, str], as_json: JsonOptions) -> None:
    """Show every number of MACHINE (gfx942, or a machine file), or only some SECTIONS of it."""
    from rich.text import Text

    from wavesim.report.text.machine_tables import emit, machine_data, section_tables

    loaded = load_machine(machine, settings)
    tables = section_tables(loaded, sections)
    if as_json.wanted:
        as_json.report("isa-show", machine_data(loaded, sections))
    if as_json.alone:
        return
    title = Text.assemble((loaded.name, "bold"), f"  {loaded.description}")
    emit(title, Text(f"{loaded.file}\n", "dim"), *tables)


@isa.command()
@click.argument("machine", shell_complete=completion.machines)
@click.argument("question", shell_complete=completion.machine_values)
@click.option("--set", "settings", **SETTINGS, help="Replace a machine value.")
@options(as_json=JsonOptions)
def explain(machine: str, question: str, settings: dict[str, str], as_json: JsonOptions) -> None:
    """Explain QUESTION on MACHINE: a key or part of one (lds.latency), or an instruction."""
    from wavesim.isa.explain import explain as find
    from wavesim.report.text.machine_tables import answer_blocks, emit, opcode_data, quantity_data

    loaded = load_machine(machine, settings)
    answer = find(loaded, question)
    if as_json.wanted:
        found = {
            "machine": loaded.name,
            "quantities": [quantity_data(quantity) for quantity in answer.quantities],
            "opcodes": [opcode_data(opcode, loaded) for opcode in answer.opcodes],
        }
        as_json.report("isa-explain", found)
    if as_json.alone:
        return
    emit(*answer_blocks(loaded, answer))


@isa.command()
@options(as_json=JsonOptions)
def rules(as_json: JsonOptions) -> None:
    """List the rules of the timing model, as --without takes them, with their sections in docs/model."""
    from wavesim.report.text.machine_tables import emit, rules_table
    from wavesim.timing.rules import RULES, summary

    if as_json.wanted:
        found = [
            {"name": rule.name, "section": rule.section, "says": summary(rule.name), "off": rule.off}
            for rule in RULES
        ]
        as_json.report("isa-rules", {"rules": found})
    if as_json.alone:
        return
    emit(rules_table((rule.name, rule.section, summary(rule.name)) for rule in RULES))


@isa.command()
@click.option("--write", type=OutputPath(dir_okay=False), help="Write to a file instead (docs/coverage.md).")
@options(as_json=JsonOptions)
def coverage(write: str | None, as_json: JsonOptions) -> None:
    """Print which instructions are known, executed and timed, by family and architecture."""
    from pathlib import Path

    from wavesim.pipeline.opcode_coverage import coverage_data, coverage_page
    from wavesim.report.files import write_atomically

    if as_json.wanted:
        as_json.report("isa-coverage", coverage_data())
    if write is not None:
        write_atomically(Path(write), [coverage_page()])
    elif not as_json.alone:
        click.echo(coverage_page(), nl=False)
