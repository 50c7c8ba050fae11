"""``wavesim mcp``: a server for programs that write kernels."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from wavesim.cli.options import budget_options
from wavesim.cli.paths import InputPath
from wavesim.errors import UserError
from wavesim.limits import budget


@click.command()
@click.option(
    "--root",
    type=InputPath(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    metavar="DIR",
    help="Folder whose files clients may name; nothing else is read.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=3600),
    default=60,
    show_default=True,
    help="Time that a call may take; then it is ended.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(min=1024),
    default=4096,
    show_default=True,
    metavar="N",
    help="Memory that a call may take.",
)
@budget_options
def mcp(root: Path, seconds: float, memory_mb: int) -> None:
    """Serve the Model Context Protocol on standard input and output, for programs that write kernels.

    Tools: run, check, explain, predict, tune, compare. Needs the package mcp (extra mcp).
    """
    if find_spec("mcp") is None:
        raise UserError("wavesim mcp needs the package mcp", None, "pip install 'wavesim-cdna[mcp]'")
    from wavesim.mcp.pool import Limits
    from wavesim.mcp.server import serve

    serve(root.resolve(), seconds, Limits(memory_mb, budget().instructions, budget().clk))
