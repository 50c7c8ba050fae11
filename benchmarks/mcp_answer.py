"""`wavesim mcp`: seconds from a client's call to its answer, the worker being warm. The aim: 1 s for 8wave.

`python -m benchmarks.mcp_answer`
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).resolve().parent.parent
CALLS = 7
TOOLS = ("run", "check", "explain")


async def main() -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "wavesim", "mcp", "--root", str(ROOT)])
    async with Client(server) as client:
        for tool in TOOLS:
            seconds = []
            for _ in range(CALLS):
                began = time.monotonic()
                answer = await client.call_tool(tool, {"kernel": {"file": "kernels/8wave.yaml"}})
                assert not answer.is_error, answer
                seconds.append(time.monotonic() - began)
            first, *warm = seconds
            print(f"{tool:<8} first {first:.2f} s, then {min(warm):.2f} to {max(warm):.2f} s, "
                  f"median {statistics.median(warm):.2f}")  # fmt: skip


if __name__ == "__main__":
    anyio.run(main)
