"""`python -m benchmarks`: every benchmark, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> None:
    folder = Path(__file__).resolve().parent
    for script in sorted(folder.glob("*.py")):
        if not script.name.startswith("_"):
            print(f"== {script.stem}", flush=True)
            subprocess.run([sys.executable, str(script)], check=True)


main()
