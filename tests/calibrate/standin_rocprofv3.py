"""A STAND-IN for rocprofv3: it traces nothing. It checks its arguments against the true tool's, runs the
program behind ``--``, and copies a trace that was measured elsewhere as if it were its output.

WAVESIM_STANDIN_TRACE  folder that is copied as the UI folder; "empty": one without waves; unset: none
WAVESIM_STANDIN_ATT    "no-decoder", "old-aqlprofile", "too-old": fails as the true tool does then
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    print("STAND-IN rocprofv3: nothing is traced", file=sys.stderr)
    parser = argparse.ArgumentParser(prog="rocprofv3")
    for name in ("target-cu", "shader-engine-mask", "simd-select", "buffer-size", "activity"):
        parser.add_argument(f"--att-{name}", type=lambda text: int(text, 16 if "0x" in text else 10))
    parser.add_argument("--att-library-path", nargs="+")
    parser.add_argument("--mangled-kernels", "-M", action="store_true")
    parser.add_argument("--kernel-include-regex")
    parser.add_argument("--kernel-iteration-range", nargs="+")
    parser.add_argument("-d", dest="folder", type=Path)
    parser.add_argument("--att", action="store_true")
    split = sys.argv.index("--")
    wish = os.environ.get("WAVESIM_STANDIN_ATT", "")
    if wish == "too-old":
        parser.error("unrecognized arguments: --att")
    given = parser.parse_args(sys.argv[1:split])
    assert given.att
    assert given.folder
    if wish == "no-decoder":
        sys.exit(
            "[rocprofv3] Fatal error: rocprof-trace-decoder library path not found in ['', '/opt/rocm/lib']"
        )
    done = subprocess.run(sys.argv[split + 1 :], check=False)
    if wish == "old-aqlprofile":
        sys.exit("error: INVALID_SHADER_DATA")
    trace = os.environ.get("WAVESIM_STANDIN_TRACE")
    if trace and not done.returncode:
        target = given.folder / "host" / "ui_output_agent_1_dispatch_3"
        if trace == "empty":
            target.mkdir(parents=True)
            (target / "filenames.json").write_text("{}")
        else:
            shutil.copytree(trace, target)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
