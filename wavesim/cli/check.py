"""``wavesim check``: what is wrong with a kernel, with the line."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from wavesim.cli.operands import STDOUT
from wavesim.cli.options import (
    OPTIONAL_FILE,
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    MachineOptions,
    UnknownOptions,
    budget_options,
    options,
    run_options,
    write_json,
)
from wavesim.cli.paths import KernelPath


@click.command()
@click.argument("kernel", type=KernelPath())
@options(machine=MachineOptions, launch=LaunchOptions, compiling=CompileOptions, unknown=UnknownOptions)
@budget_options
@options(as_json=JsonOptions)
@click.option(
    "--sarif",
    "sarif_file",
    **OPTIONAL_FILE,
    help="Write the findings as SARIF 2.1.0 to FILE, or alone to standard output.",
)
@click.option(
    "--workgroups",
    type=click.Choice(("corners", "own")),
    default="corners",
    show_default=True,
    help="Execute the corners of the grid too, or the launch's own workgroups alone.",
)
@click.option(
    "--max",
    "most",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Patterns of findings to print; 0: all. JSON and SARIF have every finding.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME",
    help="Print only findings of this rule (repeatable). All are counted.",
)
@click.option("--strict", is_flag=True, help="What only LLVM asks for, not the ISA manual, is an error too.")
def check(
    kernel: Path,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    as_json: JsonOptions,
    sarif_file: str | None,
    workgroups: str,
    most: int,
    rules: tuple[str, ...],
    strict: bool,
) -> int:
    """Find missing waits, races, hazards, deadlocks and wrong results in KERNEL.

    Exit code 0: nothing above a note. 1: a warning or an error. 2: unusable input.
    """
    import json

    from wavesim.checks.rules import RULES
    from wavesim.checks.run import check_kernel
    from wavesim.emulate.launch_state import needs_arguments
    from wavesim.pipeline.run import allowed, prepare
    from wavesim.pipeline.shorter import shorter_kernel
    from wavesim.report.export.sarif import sarif
    from wavesim.report.text.findings import findings_json, findings_text

    if as_json.wanted and as_json.file == sarif_file:
        raise click.UsageError("--json and --sarif cannot both write there: give one of them a file")
    for rule in rules:
        if rule not in RULES:
            near = get_close_matches(rule, RULES, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise click.UsageError(f"--rule {rule}: no such rule; {hint}they are {', '.join(RULES)}")
    wanted = run_options((kernel,), machine, compiling, launch, unknown)
    loaded, chosen = prepare(kernel, wanted)
    loaded, allowance = allowed(loaded, chosen, wanted)
    without_arguments = launch.block is not None and not needs_arguments(loaded.program)
    execute = bool(loaded.launch.arguments) or wanted.region is not None or without_arguments
    result = check_kernel(
        loaded,
        chosen,
        execute=execute,
        allowance=allowance,
        shorter=lambda: shorter_kernel(kernel, wanted, loaded),
        corners=workgroups == "corners",
        strict=strict,
    )
    if as_json.wanted:
        as_json.write(findings_json(result) + "\n")
    if sarif_file is not None:
        write_json(json.dumps(sarif(result.findings), indent=2) + "\n", sarif_file)
    if STDOUT not in (as_json.file, sarif_file):
        click.echo(findings_text(result, most, rules))
    return 0 if result.good else 1
