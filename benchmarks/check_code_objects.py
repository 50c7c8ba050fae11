"""`wavesim check` of 60 code objects at once: wall and processor seconds. The aim: 60 s on two cores.

`python -m benchmarks.check_code_objects`

The code objects are wavesim's own tile programs with several K, assembled for gfx942 or gfx950. Each has its
launch beside it, so that check executes it, at the corners of its grid, too.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wavesim.asm.printer import print_program
from wavesim.asm.tools import assemble_object
from wavesim.errors import UserError
from wavesim.front.launch.write import launch_text
from wavesim.pipeline.run import RunOptions, prepare

ROOT = Path(__file__).resolve().parent.parent
COUNT = 60
SIZES = ("512", "1024", "2048", "4096", "8192")
ARCHS = ("gfx942", "gfx950")


def write_objects(folder: Path) -> int:
    """Code objects with their launches, until there are enough of them."""
    sources = sorted([*(ROOT / "kernels").glob("*.yaml"), *(ROOT / "kernels" / "seed").glob("*.yaml")])
    written = 0
    for size in SIZES:
        for arch in ARCHS:
            for source in sources:
                try:
                    loaded, machine = prepare(source, RunOptions(arch=arch, settings={"K": size}))
                except UserError:  # a kernel of one architecture, or of another K
                    continue
                file = folder / f"{source.stem}_{size}_{arch}.co"
                file.write_bytes(assemble_object(print_program(loaded.program), machine.arch))
                file.with_suffix(".launch.yaml").write_text(launch_text(loaded.launch), encoding="utf-8")
                written += 1
                if written == COUNT:
                    return written
    return written


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write_objects(folder)
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "wavesim", "check", str(folder / "*.co")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cores = len(os.sched_getaffinity(0))
        print(done.stdout.strip().splitlines()[-1])
        print(f"{count} code objects: {wall:.1f} s on {cores} cores, {processor:.1f} processor seconds")


if __name__ == "__main__":
    main()
