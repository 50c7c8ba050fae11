"""``wavesim swizzle``: a layout of a tile in LDS without bank conflicts, ranked and proven."""

from __future__ import annotations

import json

import click

from wavesim.cli.options import JsonOptions, MachineOptions, options
from wavesim.cli.progress import progress_line


@click.command()
@click.option("--tile", required=True, metavar="ROWSxCOLUMNS", help="Size in elements, such as 128x64.")
@click.option(
    "--type",
    "dtype",
    required=True,
    type=click.Choice(("bf16", "f16", "f32", "fp8", "bf8", "i8")),
    help="Of the elements.",
)
@click.option(
    "--read", required=True, metavar="mfmaMxNxK", help="The MFMA whose fragments are read: mfma16x16x32."
)
@click.option("--write", required=True, type=click.Choice(("b32", "b64", "b128")), help="ds_write of a lane.")
@click.option(
    "--waves",
    type=click.Choice(("1", "2", "4", "8", "16")),
    default="4",
    show_default=True,
    help="That write and read it.",
)
@click.option(
    "--reads",
    type=click.IntRange(1, 8),
    default=2,
    show_default=True,
    help="How often each fragment is read for one write.",
)
@options(machine=MachineOptions)
@click.option("--top", type=click.IntRange(min=1), default=8, show_default=True, help="Layouts to show.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, no block characters.")
@options(as_json=JsonOptions)
def swizzle(
    tile: str,
    dtype: str,
    read: str,
    write: str,
    waves: str,
    reads: int,
    machine: MachineOptions,
    top: int,
    ascii_only: bool,
    as_json: JsonOptions,
) -> int:
    """Rank XOR and padding layouts of a tile in LDS by the clocks of writing and reading it.

    The best is executed as a generated kernel and timed by both engines.

    Exit code 0: proven. 1: the proof fails. 2: unusable input.
    """
    from wavesim.report.text.swizzle import holds, swizzle_json, swizzle_lines
    from wavesim.swizzles.access import read_tile
    from wavesim.swizzles.rank import rank

    wanted = read_tile(tile, dtype, read, write, int(waves), reads)
    with progress_line("wavesim swizzle") as progress:
        found = rank(
            wanted, machine.arch, machine.machine, machine.settings, progress or (lambda stage, share: None)
        )
    if as_json.wanted:
        as_json.write(json.dumps(swizzle_json(found), indent=1) + "\n")
    if not as_json.alone:
        for line in swizzle_lines(found, top, ascii_only=ascii_only):
            click.echo(line)
    return int(not holds(found))
