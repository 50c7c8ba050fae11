"""The server's end of the worker: one call at a time, each within its time, and a new worker after a kill."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from wavesim.errors import UserError
from wavesim.limits import MAX_CLK, MAX_INSTRUCTIONS

MAX_ANSWER_BYTES = 4_000_000
START_S = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may cost."""

    memory_mb: int = 4096
    instructions: int = MAX_INSTRUCTIONS
    clk: int = MAX_CLK


Code = Literal["unusable", "unknown-instruction", "missing-tool", "outside", "limit", "memory", "seconds"]
"""Kinds of errors, as docs/mcp.md has them."""


class Refused(UserError):
    """Why a call has no answer."""

    def __init__(self, message: str, code: Code, hint: str = "") -> None:
        super().__init__(message, None, hint)
        self.code = code


class Worker:
    """A warm process that answers calls."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root, self.limits = root, limits
        self._lock = anyio.Lock()
        self._process: Process | None = None
        self._lines: BufferedByteReceiveStream | None = None

    async def start(self) -> None:
        """Starts the process, if there is none, and waits until it is warm.

        Raises:
            UserError: it does not come up.
        """
        async with self._lock:
            await self._started()

    async def call(self, tool: str, arguments: Mapping[str, Any], seconds: float) -> Any:
        """What the tool answers. A call that takes longer, or that the client gives up, ends the process.

        Raises:
            Refused: by the tool, or the call costs too much.
        """
        async with self._lock:
            await self._started()
            assert self._process is not None
            assert self._process.stdin is not None
            line = json.dumps({"tool": tool, "arguments": arguments, "seconds": seconds}) + "\n"
            done = False
            try:
                with anyio.move_on_after(seconds):
                    await self._process.stdin.send(line.encode())
                    answer = await self._answer()
                    done = True
            finally:
                if not done:
                    await self.kill()
            if not done:
                hint = "a smaller launch (settings), a region, or more seconds"
                message = f"{tool}: not done within {seconds:g} s; the call was ended"
                raise Refused(message, "seconds", hint)
        if "error" in answer:
            raise Refused(answer["error"], answer["code"])
        return answer["answer"]

    async def kill(self) -> None:
        """Ends the process and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        except ProcessLookupError:
            pass
        with anyio.CancelScope(shield=True):
            await process.aclose()

    async def _started(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        await self.kill()
        command = [sys.executable, "-P", "-m", "wavesim.mcp.worker", str(self.root)]
        self._process = await anyio.open_process(
            [*command, json.dumps(asdict(self.limits))],
            stderr=sys.stderr,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._lines = BufferedByteReceiveStream(self._process.stdout)
        ready: Mapping[str, Any] = {}
        with anyio.move_on_after(START_S):
            ready = await self._answer()
        if "answer" not in ready:
            await self.kill()
            raise UserError(ready.get("error", f"the worker did not come up within {START_S:g} s"))

    async def _answer(self) -> Mapping[str, Any]:
        assert self._lines is not None
        try:
            line = await self._lines.receive_until(b"\n", MAX_ANSWER_BYTES)
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError):
            await self.kill()
            message = "the call ended its process; it may need more memory than this server gives"
            return {"error": message, "code": "memory"}
        except anyio.DelimiterNotFound:
            await self.kill()
            return {"error": f"the answer has more than {MAX_ANSWER_BYTES} bytes", "code": "limit"}
        found: Mapping[str, Any] = json.loads(line)
        return found
