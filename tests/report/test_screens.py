"""The screen of every kernel that comes along, at 80 and 120 columns, in colour and plain."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

import pytest

from wavesim.asm.tools import MissingTool
from wavesim.explanation.explanation import explain_kernel
from wavesim.explanation.glance import at_a_glance
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.report.output import Look, write_lines
from wavesim.report.text.explanation import explanation_lines
from wavesim.report.text.first_screen import said_first
from wavesim.report.text.terminal import report_lines

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    str(path.relative_to(ROOT))
    for kind in ("*.yaml", "seed/*.yaml", "lessons/*.yaml", "*/*.s", "hip/*.hip", "wrong/*.yaml")
    for path in sorted(ROOT.glob(f"kernels/{kind}"))
    if ".launch" not in path.name and path.name != "one-tile.yaml"  # a part of others
]


@cache
def run_of(name: str) -> Run:
    options = RunOptions(arch="gfx950") if name.startswith("kernels/hip") else RunOptions()
    if Path(name).parent in (Path("kernels"), Path("kernels/seed")):
        options = RunOptions(settings={"K": "768"})
    try:
        return at_a_glance(run_kernel(ROOT / name, options))
    except MissingTool as error:
        pytest.skip(str(error))


def shown(run: Run, look: Look) -> str:
    file = io.StringIO()
    write_lines(report_lines(run, look), file, look)
    return file.getvalue()


@pytest.mark.parametrize("name", [name for name in SHIPPED if "foreign" not in name])
def test_every_line_fits_and_every_word_is_whole(name: str) -> None:
    """Colours change no character, and each sentence of the first screen stands there in full."""
    run = run_of(name)
    first = said_first(run)
    said = [first.title, *(text for _, text in first.rows), first.reached.said if first.reached else ""]
    said += [finding.message for finding in run.findings] + list(run.analysis.notes)
    for width in (80, 120):
        plain, coloured = (shown(run, Look(width=width, color=color)) for color in (False, True))
        assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain
        assert all(len(line) <= width or len(line.split()) == 1 for line in plain.splitlines())
        words = " ".join(re.sub(r"[█▆░·]+", " ", plain).split())
        for text in said:
            assert " ".join(text.split()) in words


@pytest.mark.parametrize("name", ["kernels/8wave.yaml", "kernels/triton/matmul_gfx942.s"])
def test_opcodes_are_whole_in_an_explanation(name: str) -> None:
    options = RunOptions(settings={"K": "768"} if name.endswith("yaml") else {})
    found = explain_kernel(ROOT / name, options, processes=1)
    opcodes = {each.opcode for each in found.run.kernel.program.instructions}
    for width in (80, 120):
        lines = [line.plain for line in explanation_lines(found, Look(width=width))]
        assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
        table = "\n".join(lines).partition("\nWhat if")[0].partition("\nWhere the time goes")[2]
        named = set(re.findall(r"^  \d+ (\w+)", table, re.MULTILINE))
        assert named
        assert named <= opcodes
