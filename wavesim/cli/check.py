"""``wavesim check``: what is wrong with a kernel, with the line."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from wavesim.cli.common import (
    KernelPath,
    budget_options,
    compile_flags,
    compile_options,
    json_option,
    launch_of,
    launch_options,
    machine_options,
    region_of,
    unknown_options,
    write_json,
)
from wavesim.cli.operands import STDOUT
from wavesim.cli.paths import OutputPath


@click.command()
@click.argument("kernel", type=KernelPath())
@machine_options
@launch_options
@compile_options
@unknown_options
@budget_options
@json_option
@click.option(
    "--sarif",
    "sarif_file",
    is_flag=False,
    flag_value=STDOUT,
    type=OutputPath(),
    metavar="[FILE]",
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
    arch: str | None,
    machine: str | None,
    settings: dict[str, str],
    launch_file: str | None,
    arguments: tuple[str, ...],
    block: int | None,
    grid: str | None,
    expect: str | None,
    tile: str | None,
    kernel_name: str | None,
    dynamic_lds_bytes: int,
    includes: tuple[str, ...],
    defines: tuple[str, ...],
    allow_unknown: bool,
    region: str | None,
    trips: int,
    waves: int | None,
    json_file: str | None,
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
    from wavesim.pipeline.run import RunOptions, allowed, prepare
    from wavesim.pipeline.shorter import shorter_kernel
    from wavesim.report.export.sarif import sarif
    from wavesim.report.text.findings import findings_json, findings_text

    if json_file == sarif_file and json_file is not None:
        raise click.UsageError("--json and --sarif cannot both write there: give one of them a file")
    for rule in rules:
        if rule not in RULES:
            near = get_close_matches(rule, RULES, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise click.UsageError(f"--rule {rule}: no such rule; {hint}they are {', '.join(RULES)}")
    options = RunOptions(
        arch=arch,
        machine=machine,
        settings=settings,
        launch=launch_of(
            launch_file,
            arguments,
            block,
            grid,
            expect,
            tile,
            kernel_name,
            dynamic_lds_bytes,
            compile_flags(includes, defines, kernel),
        ),
        allow_unknown=allow_unknown,
        region=region_of(region, trips, waves),
        trips=trips,
    )
    loaded, chosen = prepare(kernel, options)
    loaded, allowance = allowed(loaded, chosen, options)
    without_arguments = block is not None and not needs_arguments(loaded.program)
    execute = bool(loaded.launch.arguments) or region is not None or without_arguments
    result = check_kernel(
        loaded,
        chosen,
        execute=execute,
        allowance=allowance,
        shorter=lambda: shorter_kernel(kernel, options, loaded),
        corners=workgroups == "corners",
        strict=strict,
    )
    if json_file is not None:
        write_json(findings_json(result) + "\n", json_file)
    if sarif_file is not None:
        write_json(json.dumps(sarif(result.findings), indent=2) + "\n", sarif_file)
    if STDOUT not in (json_file, sarif_file):
        click.echo(findings_text(result, most, rules))
    return 0 if result.good else 1
