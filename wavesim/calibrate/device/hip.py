"""HipDevice: an AMD GPU through hip-python, in a child process that may hang or abort without harm."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wavesim.calibrate.device.base import Buffer, Device, DeviceError, DeviceProperties, LoadedKernel, Problem
from wavesim.isa.archs import ARCHS

OPEN_TIMEOUT_S = 120.0
"""The first call of a HIP runtime can take long on a cold machine."""

CALL_TIMEOUT_S = 120.0
CLOSE_TIMEOUT_S = 10.0
WORKER = Path(__file__).with_name("worker.py")
LAST_WORDS = 2000


class HipDevice(Device):
    """One GPU. Everything is freed when the ``with`` statement is left, also after an error."""

    def __init__(
        self,
        device: int = 0,
        *,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        close_timeout_s: float = CLOSE_TIMEOUT_S,
    ) -> None:
        """Start the worker and ask what the device is.

        Args:
            device: number of the device, as HIP counts.
            python: interpreter that has hip-python.
            environment: more environment variables of the worker.
            close_timeout_s: how long the worker may take to end; a profiler in it may have much to write.

        Raises:
            DeviceError: no hip-python, no ROCm, no such device, unsupported architecture.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="wavesim-hip-")
        self._said = (Path(self._folder.name) / "stderr").open("w+b")
        self._worker = subprocess.Popen(
            [python, "-P", str(WORKER)],  # -P: no module beside it takes the place of one of hip-python's
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, **(environment or {})},
            cwd=self._folder.name,
        )
        self._files = 0
        self._failed = False
        self._close_timeout_s = close_timeout_s
        try:
            answer = self._ask("open", OPEN_TIMEOUT_S, device=device)
            self._properties = DeviceProperties(**answer)
            if self._properties.arch not in ARCHS:
                known = self._properties.arch or "GPU without a name"
                message = f"device {device} ({self._properties.name}) is a {known}"
                raise DeviceError(Problem.UNSUPPORTED_ARCHITECTURE, message)
        except BaseException:
            self.close()
            raise

    @property
    def properties(self) -> DeviceProperties:
        """What the device is."""
        return self._properties

    def load(self, code_object: bytes, kernel: str) -> LoadedKernel:
        """Load a code object and find ``kernel`` in it."""
        answer = self._ask("load", CALL_TIMEOUT_S, file=self._file(code_object), kernel=kernel)
        return LoadedKernel(answer["kernel"], kernel)

    def allocate(self, size_bytes: int) -> Buffer:
        """Device memory, contents undefined."""
        answer = self._ask("allocate", CALL_TIMEOUT_S, size=size_bytes)
        return Buffer(answer["buffer"], answer["address"], size_bytes)

    def _write(self, buffer: Buffer, data: bytes) -> None:
        file = self._file(data)
        self._ask("write", CALL_TIMEOUT_S, buffer=buffer.handle, file=file)
        Path(file).unlink()

    def fill(self, buffer: Buffer, byte: int) -> None:
        """Write ``byte`` everywhere in the buffer, on the device."""
        self._ask("fill", CALL_TIMEOUT_S, buffer=buffer.handle, size=buffer.size_bytes, byte=byte)

    def read(self, buffer: Buffer, size_bytes: int | None = None) -> bytes:
        """Copy from the device, all of the buffer or its first bytes."""
        size = buffer.size_bytes if size_bytes is None else min(size_bytes, buffer.size_bytes)
        file = self._file(b"")
        self._ask("read", CALL_TIMEOUT_S, buffer=buffer.handle, size=size, file=file)
        data = Path(file).read_bytes()
        Path(file).unlink()
        return data

    def launch(
        self,
        kernel: LoadedKernel,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: bytes,
        *,
        lds_bytes: int = 0,
        timeout_s: float = 60.0,
    ) -> float:
        """Run ``kernel`` and wait for its end; milliseconds between two events around it."""
        answer = self._ask(
            "launch",
            timeout_s,
            kernel=kernel.handle,
            grid=list(grid),
            block=list(block),
            arguments=arguments.hex(),
            lds_bytes=lds_bytes,
        )
        return float(answer["ms"])

    def power_w(self) -> float | None:
        """What the driver says in sysfs, W."""
        watts = self._ask("power", CALL_TIMEOUT_S)["watts"]
        return None if watts is None else float(watts)

    def free(self, buffer: Buffer) -> None:
        """Give a buffer back. After an error nothing is asked any more: closing frees everything."""
        if not self._failed:
            self._ask("free", CALL_TIMEOUT_S, buffer=buffer.handle)

    def close(self) -> None:
        """Free everything and end the worker; the driver frees what a killed worker held."""
        if self._worker.poll() is None:
            try:
                assert self._worker.stdin is not None
                self._worker.stdin.close()  # the worker frees everything and ends
                self._worker.wait(self._close_timeout_s)
            except (subprocess.TimeoutExpired, OSError):
                self._worker.kill()
                self._worker.wait()
        for pipe in (self._worker.stdin, self._worker.stdout, self._said):
            if pipe is not None and not pipe.closed:
                with suppress(OSError):  # unwritten requests of a worker that is gone
                    pipe.close()
        self._folder.cleanup()

    def _file(self, data: bytes) -> str:
        self._files += 1
        path = Path(self._folder.name) / f"data{self._files}"
        path.write_bytes(data)
        return str(path)

    def _ask(self, operation: str, timeout_s: float, **request: object) -> dict[str, Any]:
        """One request and its answer.

        Raises:
            DeviceError: an error of the runtime, no answer in time, or the worker's end.
        """
        try:
            return self._answer(operation, timeout_s, **request)
        except DeviceError:
            self._failed = True
            raise

    def _answer(self, operation: str, timeout_s: float, **request: object) -> dict[str, Any]:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        try:
            self._worker.stdin.write(json.dumps({"operation": operation, **request}).encode() + b"\n")
            self._worker.stdin.flush()
        except OSError:
            raise self._ended(operation) from None
        with selectors.DefaultSelector() as selector:
            selector.register(self._worker.stdout, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                self._worker.kill()
                self._worker.wait()
                raise DeviceError(Problem.HANG, f"{operation}: no answer of the GPU within {timeout_s:g} s")
        line = self._worker.stdout.readline()
        if not line:
            raise self._ended(operation)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DeviceError(Problem(answer["error"]), f"{operation}: {answer['message']}")
        return answer

    def _ended(self, operation: str) -> DeviceError:
        """The worker is gone: say how, with its last words."""
        code = self._worker.wait()
        self._said.seek(0)
        words = self._said.read()[-LAST_WORDS:].decode("utf-8", "replace").strip()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return DeviceError(
            Problem.ABORT, f"{operation}: the process that uses the GPU ended ({how})\n{words}".rstrip()
        )
