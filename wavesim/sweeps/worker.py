"""A process of a sweep: reads cells from standard input, writes results to standard output, a line each."""

from __future__ import annotations

import os
import signal
import sys

from wavesim.sweeps.cells import cell_from, result_text, run_cell


def main() -> None:
    """Works until there is no more input. What else prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked for the cells stops this process, too
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with results:
        for line in sys.stdin:
            results.write(result_text(run_cell(cell_from(line))) + "\n")
            results.flush()


if __name__ == "__main__":
    main()
