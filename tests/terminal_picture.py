"""The picture of the README: what `wavesim run` prints first, in colour, as SVG.

`python tests/update_docs.py README.md` writes it with the other outputs of the README.
"""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from wavesim.explanation.glance import at_a_glance
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.report.output import Look
from wavesim.report.text.terminal import report_lines

FILE = Path(__file__).resolve().parent.parent / "docs" / "images" / "run.svg"
KERNEL = Path("kernels/8wave.yaml")
WIDTH = 100


def picture() -> str:
    """The picture now; the kernel is found from the root of the checkout, or as the one that comes along."""
    run = at_a_glance(run_kernel(KERNEL, RunOptions()))
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in report_lines(run, Look(width=WIDTH, color=True)):
        console.print(line, soft_wrap=True, highlight=False)
    shown = console.export_svg(title=f"wavesim run {KERNEL}", theme=SVG_EXPORT_THEME, unique_id="run")
    shown = re.sub(r"@font-face \{.*?\}\s*", "", shown, flags=re.DOTALL)  # fonts from outside
    return re.sub(r"Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono", shown)


def texts(svg: str) -> list[str]:
    """What stands in a picture."""
    return [
        html.unescape(each).replace("\xa0", " ") for each in re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    ]
