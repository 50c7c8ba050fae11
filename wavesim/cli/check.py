"""``wavesim check``: what is wrong with kernels, with the line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from wavesim.cli import completion
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
from wavesim.cli.paths import InputPath, KernelPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.sweeps.check_files import Ask, Checked, check_file, check_files, kernel_files
from wavesim.words import counted

FORMATS = ("text", "gcc", "github", "sarif", "json")


@click.command()
@click.argument("kernels", nargs=-1, required=True, type=KernelPath(), metavar="KERNEL...")
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
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="What to print. gcc: FILE:LINE:COLUMN lines; github: annotations for its actions.",
)
@click.option(
    "--baseline",
    "baseline_file",
    type=InputPath(dir_okay=False),
    metavar="FILE",
    help="Count only findings that are not in this file.",
)
@click.option(
    "--write-baseline",
    "new_baseline",
    type=OutputPath(dir_okay=False),
    metavar="FILE",
    help="Write the warnings and errors found to FILE, for --baseline.",
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
    shell_complete=completion.check_rules,
    help="Print only findings of this rule (repeatable). All are counted.",
)
@click.option("--strict", is_flag=True, help="What only LLVM asks for, not the ISA manual, is an error too.")
def check(
    kernels: tuple[Path, ...],
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    as_json: JsonOptions,
    sarif_file: str | None,
    form: str,
    baseline_file: str | None,
    new_baseline: str | None,
    workgroups: str,
    most: int,
    rules: tuple[str, ...],
    strict: bool,
) -> int:
    """Find missing waits, races, hazards, deadlocks and wrong results in each KERNEL.

    Several kernels, or a quoted pattern such as 'kernels/**/*.s', are checked on all cores.

    Exit code 0: nothing above a note. 1: a warning or an error. 2: unusable input; other kernels are
    checked all the same.
    """
    from wavesim.report.baseline import baseline_text, read_baseline
    from wavesim.report.files import write_atomically

    if form == "json":
        as_json = JsonOptions(_alone("--json", as_json.file))
    elif form == "sarif":
        sarif_file = _alone("--sarif", sarif_file)
    if as_json.wanted and as_json.file == sarif_file:
        raise click.UsageError("--json and --sarif cannot both write there: give one of them a file")
    _refuse_unknown(rules)
    files = kernel_files(kernels)
    ask = Ask(
        run_options(tuple(files), machine, compiling, launch, unknown),
        workgroups == "corners",
        strict,
        most,
        rules,
        read_baseline(Path(baseline_file)) if baseline_file is not None else None,
    )
    several = len(kernels) > 1 or files != list(kernels)
    what = counted(len(files), "kernel") if several else str(files[0])
    with working_line(what, "check"):
        results = check_files(files, ask) if several else [check_file(files[0], ask)]
    errors = [each.error for each in results if each.error is not None]
    for error in errors:
        click.echo(f"wavesim: {error}", err=True)
    if errors and (as_json.wanted or sarif_file is not None or new_baseline is not None):
        click.echo("wavesim: no file is written, for not every kernel could be checked", err=True)
        return 2
    if as_json.wanted:
        as_json.write(_json(results, several))
    if sarif_file is not None:
        write_json(_sarif(results), sarif_file)
    if new_baseline is not None:
        text = baseline_text((each.file, each.found) for each in results)
        write_atomically(Path(new_baseline), [text])
    if STDOUT not in (as_json.file, sarif_file):
        for line in _lines(results, form, rules):
            click.echo(line)
    if errors:
        return 2
    return 0 if all(each.good for each in results) or new_baseline is not None else 1


def _alone(option: str, file: str | None) -> str:
    """Standard output, where ``--format`` asks for what ``option`` does, too."""
    if file not in (None, STDOUT):
        raise click.UsageError(f"{option} names a file, and --format wants standard output: leave one out")
    return STDOUT


def _refuse_unknown(rules: tuple[str, ...]) -> None:
    from wavesim.checks.rules import RULES

    for rule in rules:
        if rule not in RULES:
            near = get_close_matches(rule, RULES, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise click.UsageError(f"--rule {rule}: no such rule; {hint}they are {', '.join(RULES)}")


def _json(results: Sequence[Checked], several: bool) -> str:
    """One kernel's report, or with several kernels (also where a pattern finds one) all of them."""
    from wavesim.report.json.schemas import headed

    reports = [each.data for each in results]
    data = {"kernels": reports} if several else reports[0]
    assert data is not None, "a kernel that cannot be used ends the command before"
    return json.dumps(headed("check", data), indent=2) + "\n"


def _sarif(results: Sequence[Checked]) -> str:
    from wavesim.report.export.sarif import sarif

    findings = [finding for each in results for finding in each.findings]
    allowed = [finding for each in results for finding in each.allowed]
    return json.dumps(sarif(findings, allowed), indent=2) + "\n"


def _lines(results: Sequence[Checked], form: str, rules: tuple[str, ...]) -> Iterator[str]:
    from wavesim.report.export.lines import gcc_lines, github_lines

    checked = [each for each in results if each.error is None]
    if form == "text":
        for number, each in enumerate(checked):
            yield from ([""] if number else [])
            yield each.text
        if len(results) > 1:
            good = sum(each.good for each in checked)
            unusable = len(results) - len(checked)
            rest = f", {unusable} unusable" if unusable else ""
            yield f"\n{counted(len(results), 'kernel')}: {good} clean, {len(checked) - good} not clean{rest}"
        return
    write = gcc_lines if form == "gcc" else github_lines
    for each in checked:
        shown = [finding for finding in each.findings if not rules or finding.rule in rules]
        yield from write(shown, each.file, dict(each.listed))
