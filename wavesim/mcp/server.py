"""The server: six tools with typed answers, over standard input and output."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, ConfigDict, Field

from wavesim._version import __version__
from wavesim.errors import UserError
from wavesim.front.region import DEFAULT_TRIPS
from wavesim.isa.paths import data_dir
from wavesim.mcp.pool import Limits, Refused, Worker
from wavesim.mcp.request import MAX_TEXT_BYTES

INSTRUCTIONS = """\
wavesim executes the machine code of AMD CDNA kernels (gfx90a, gfx942, gfx950) without a GPU and times it
clock by clock on a model of one compute unit. check says what is wrong with a kernel, run how many clocks it
takes, explain why, predict what a device makes of it, memory included. tune finds a better order of a loop's
instructions, compare runs several kernels. Resources are tile programs (YAML) to learn from. interval and
trust say how far to trust an answer: nothing here was measured."""

MOST_KERNELS = 8
MOST_CANDIDATES = 100_000


class Strict(BaseModel):
    """No field but those that are declared; schemas without titles, which a client pays for in words."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=lambda schema: _untitled(schema))


def _untitled(schema: dict[str, Any]) -> None:
    for each in (schema, *schema.get("properties", {}).values()):
        each.pop("title", None)


class Kernel(Strict):
    """A kernel: a file, or its text; and how it is launched."""

    file: str | None = Field(
        None, description="File below the server's folder, or one that wavesim has: kernels/8wave.yaml."
    )
    text: str | None = Field(
        None, max_length=MAX_TEXT_BYTES, description="The kernel itself, in place of a file."
    )
    kind: Literal["s", "yaml", "hip"] = Field("s", description="Of text: AMDGPU assembly, tile program, HIP.")
    launch: str | None = Field(None, max_length=MAX_TEXT_BYTES, description="Launch file (YAML) as text.")
    arch: str | None = Field(None, description="gfx90a, gfx942 or gfx950, or a device such as MI325X.")
    settings: dict[str, str | int | float] = Field(
        default_factory=dict, description="Constants (K) and machine values (memory.latency_clk)."
    )
    arguments: list[str] = Field(
        default_factory=list, description="Kernel arguments in order: A=bf16[128,512]:random or K=512."
    )
    block: int | None = Field(None, ge=1, le=1024, description="Threads of a workgroup.")
    expect: str | None = Field(None, description="Expected result, such as C = A @ B.T.")
    kernel: str | None = Field(None, description="Which kernel, where the file has several.")
    region: str | None = Field(None, description="LABEL1:LABEL2 or hottest: that piece alone, no launch.")
    trips: int = Field(DEFAULT_TRIPS, ge=1, description="How often a loop of unknown count runs.")
    allow_unknown: bool = Field(False, description="Go on past instructions without data.")
    defines: dict[str, str] = Field(default_factory=dict, description="Macros, for HIP.")
    flags: list[str] = Field(default_factory=list, description="Compiler flags, for HIP: -O2, -std=c++20 ...")


class Found(Strict):
    """Something wrong, with its places and what would be right."""

    rule: str
    severity: str
    message: str
    places: list[str]
    fix: str


class Interval(Strict):
    """What simulated clocks stand for."""

    low: float
    high: float
    share: float
    why: str


class Bound(Strict):
    """The largest lower bound: what limits the kernel at best."""

    name: str
    clk: float


class Trust(Strict):
    """How far the clocks can be trusted: docs/json.md."""

    measured_kernels: int
    unvalidated: dict[str, int]
    validated_share: float
    assumed_values: list[str]
    inferred_values: int
    assumptions: int
    says: list[str]


class Answer(Strict):
    """What every tool says."""

    verdict: str = Field(description="good, bad, unchecked (clocks alone), or unchanged (tune).")
    seconds: float = Field(description="What the call took.")


class Compared(Strict):
    """Clocks of a kernel. `clk` is per iteration, or of the whole run without a loop; `interval` is of it."""

    verdict: str
    kernel: str
    machine: str
    clk_per_iteration: float | None
    clk: float
    interval: Interval | None
    clk_total: int
    bound: Bound | None
    mfma_busy: float
    numbers: Literal["right", "wrong", "not checked"]
    diagnosis: str
    findings: list[Found]
    more_findings: int


class RunAnswer(Answer, Compared):
    """Clocks of a kernel. `clk` is per iteration, or of the whole run without a loop; `interval` is of it."""

    try_next: list[str]
    trust: Trust


class PredictAnswer(RunAnswer):
    """The same on a device; `memory` are shares of accesses by the level that they come from."""

    memory: dict[str, float]
    tflops: float | None


class WhatIf(Strict):
    """A row of the ladder: clocks if one cause were gone."""

    name: str
    text: str
    clk: float
    gain_clk: float


class Advised(Strict):
    """An edit that was tried: clocks with it, how it is known to be safe, its diff of the kernel or, where
    that cannot say it, of the assembly."""

    name: str
    text: str
    clk: float
    gain_clk: float
    checked: str
    diff: str


class ExplainAnswer(RunAnswer):
    """The same with what-ifs, and advice with its diffs."""

    what_if: list[WhatIf]
    advice: list[Advised]


class CheckAnswer(Answer):
    """What is wrong with a kernel."""

    kernel: str
    machine: str
    findings: list[Found]
    more_findings: int
    try_next: list[str]
    says: list[str] = Field(description="What was executed, and what was taken as given.")


class TunedClk(Strict):
    """Clocks per iteration before and after, at a share of the memory latency."""

    memory_latency: float
    before: float
    after: float
    bound: float | None


class TuneTrust(Trust):
    """The same, with the interval of the clocks before."""

    interval: Interval | None


class TuneAnswer(Answer):
    """A schedule that was searched and proven."""

    kernel: str
    machine: str
    loop: str
    better: bool
    clk_per_iteration: list[TunedClk]
    bound: str | None
    predicted_anew: float | None
    shares: dict[str, dict[str, float]]
    rotation: str
    changes: list[str]
    candidates: int
    seed: int
    stopped: bool
    dropped: list[str]
    fault: str | None
    trust: TuneTrust
    diff: str = Field(description="Of the assembly, if it was asked for.")
    assembly: str = Field(description="The scheduled kernel.")


class CompareAnswer(Answer):
    """Runs in the order given; by which share each is slower than the first; the number of the fastest;
    what the clocks rest on."""

    runs: list[Compared]
    slower_than_first: list[float]
    fastest: int = Field(description="Of runs, from 0.")
    says: list[str]


Given = TypeVar("Given", bound=Answer)
Seconds = Annotated[float | None, Field(gt=0, description="Most time for this call.")]


def serve(root: Path, seconds: float, limits: Limits) -> None:
    """Serves until standard input ends.

    Args:
        root: folder of the files that may be read.
        seconds: that a call may take at most.
        limits: what it may cost otherwise.
    """
    server(root, seconds, limits).run("stdio")


def server(root: Path, seconds: float, limits: Limits) -> MCPServer[None]:
    """The server with its tools."""
    worker = Worker(root, limits)

    @asynccontextmanager
    async def running(app: MCPServer[None]) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_warm, worker)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await worker.kill()

    found: MCPServer[None] = MCPServer(
        "wavesim", version=__version__, instructions=INSTRUCTIONS, lifespan=running, log_level="WARNING"
    )
    _add_tools(found, worker, seconds)
    for kernel in sorted(data_dir("kernels").glob("*.yaml")):
        found.resource(f"wavesim://kernels/{kernel.name}", mime_type="text/yaml")(_text_of(kernel))
    return found


def _text_of(kernel: Path) -> Callable[[], str]:
    def text() -> str:
        return kernel.read_text(encoding="utf-8")

    return text


async def _warm(worker: Worker) -> None:
    try:
        await worker.start()
    except UserError as error:
        print(f"wavesim: {error}", file=sys.stderr)


def _add_tools(server: MCPServer[None], worker: Worker, most_s: float) -> None:
    async def ask(answer: type[Given], tool: str, given: Mapping[str, Any], seconds: float | None) -> Given:
        began = time.monotonic()
        try:
            found = await worker.call(tool, given, min(seconds or most_s, most_s))
        except UserError as error:
            raise ToolError(f"{error.code}: {error}" if isinstance(error, Refused) else str(error)) from None
        return answer(**found, seconds=round(time.monotonic() - began, 3))

    @server.tool()
    async def run(kernel: Kernel, seconds: Seconds = None) -> RunAnswer:
        """Execute a kernel, check its numbers and time it clock by clock."""
        return await ask(RunAnswer, "run", {"kernel": kernel.model_dump()}, seconds)

    @server.tool()
    async def check(kernel: Kernel, seconds: Seconds = None) -> CheckAnswer:
        """Find missing waits, LDS races, hazards, deadlocks and wrong results, with their lines and fixes."""
        return await ask(CheckAnswer, "check", {"kernel": kernel.model_dump()}, seconds)

    @server.tool()
    async def explain(kernel: Kernel, seconds: Seconds = None) -> ExplainAnswer:
        """Say why a kernel takes its clocks, what each cause is worth, and what to change (it was tried)."""
        return await ask(ExplainAnswer, "explain", {"kernel": kernel.model_dump()}, seconds)

    @server.tool()
    async def predict(kernel: Kernel, seconds: Seconds = None) -> PredictAnswer:
        """Predict a kernel's clocks on a device (kernel.arch, such as MI325X), global memory included."""
        return await ask(PredictAnswer, "predict", {"kernel": kernel.model_dump()}, seconds)

    @server.tool()
    async def tune(
        kernel: Kernel,
        candidates: Annotated[int, Field(ge=1, le=MOST_CANDIDATES)] = 200,
        loop: str | None = None,
        seed: Annotated[int, Field(ge=0)] = 1,
        diff: bool = False,
        seconds: Seconds = None,
    ) -> TuneAnswer:
        """Find a better order of the instructions of a loop and prove that it computes the same."""
        search = {"candidates": candidates, "loop": loop, "seed": seed, "diff": diff}
        given = {"kernel": kernel.model_dump(), **search}
        return await ask(TuneAnswer, "tune", given, seconds)

    @server.tool()
    async def compare(
        kernels: Annotated[list[Kernel], Field(min_length=2, max_length=MOST_KERNELS)],
        seconds: Seconds = None,
    ) -> CompareAnswer:
        """Run several kernels and compare their clocks with those of the first."""
        given = {"kernels": [each.model_dump() for each in kernels]}
        return await ask(CompareAnswer, "compare", given, seconds)
