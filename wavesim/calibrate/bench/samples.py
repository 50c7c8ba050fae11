"""Samples: raw clocks of the microbenchmarks, kept as JSON so that a fit can be repeated without a GPU."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wavesim.asm.tools import link
from wavesim.calibrate.bench.benchmark import Benchmark, overhead_of
from wavesim.calibrate.bench.memory import LEVELS, ring
from wavesim.calibrate.bench.template import program, source
from wavesim.calibrate.device.base import Device, DeviceError, DeviceProperties, Problem
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.errors import UserError
from wavesim.isa.kinds import LANES

FORMAT = "wavesim samples 1"
LARGEST_FILE_BYTES = 200_000_000
FLUSH_BYTES = 1 << 29
"""Twice the Infinity Cache of an MI300X: after writing so much, no cache has what was there before."""

Progress = Callable[[str, float], None]


@dataclass
class Samples:
    """``clk[benchmark]`` are the measured clocks, one list per repeat, of one number per wave."""

    properties: DeviceProperties
    date: str
    clk: dict[str, list[list[int]]] = field(default_factory=dict)

    def median(self, name: str) -> npt.NDArray[np.float64]:
        """Per wave the median over the repeats."""
        return np.asarray(np.median(np.array(self.clk[name], np.float64), axis=0))

    def spread(self, name: str) -> float:
        """Standard error of a wave's median, from the median absolute deviation of the repeats."""
        values = np.array(self.clk[name], np.float64)
        deviation = np.median(np.abs(values - np.median(values, axis=0)))
        # 1.4826: MAD of a normal distribution to its sigma; 1.2533: error of a median against a mean
        return float(1.4826 * 1.2533 * deviation / np.sqrt(max(len(values), 1)))

    def has(self, name: str, repeats: int) -> bool:
        """Whether at least ``repeats`` runs of a program are here."""
        return len(self.clk.get(name, [])) >= repeats

    def write(self, path: Path) -> None:
        """Save, in whole or not at all."""
        data = {"format": FORMAT, "properties": asdict(self.properties), "date": self.date, "clk": self.clk}
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)

    @staticmethod
    def read(path: Path) -> Samples:
        """Load.

        Raises:
            UserError: not a samples file.
        """
        try:
            if path.stat().st_size > LARGEST_FILE_BYTES:
                raise UserError(f"{path}: larger than {LARGEST_FILE_BYTES} bytes")
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise UserError(f"{path}: format {data['format']!r:.40}, not {FORMAT!r}")
            clk = {
                str(name): [[int(value) for value in repeat] for repeat in repeats]
                for name, repeats in data["clk"].items()
            }
            return Samples(DeviceProperties(**data["properties"]), str(data["date"]), clk)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path}: not a samples file: {error}", None, "wavesim calibrate --keep-samples writes one"
            ) from None


def with_overheads(benchmarks: Sequence[Benchmark]) -> tuple[Benchmark, ...]:
    """The benchmarks with the empty programs whose clocks are taken off theirs."""
    empty = {benchmark.body.waves: overhead_of(benchmark) for benchmark in reversed(benchmarks)}
    plain = [replaced for _, replaced in sorted(empty.items())]
    return (*(_plain(each) for each in plain), *benchmarks)


def _plain(benchmark: Benchmark) -> Benchmark:
    """An overhead program without another benchmark's data and set-up."""
    from wavesim.calibrate.bench.template import Body

    return Benchmark(
        benchmark.name, "two clock reads and nothing between them", (), Body((), waves=benchmark.body.waves)
    )


def measure(
    device: Device,
    benchmarks: Sequence[Benchmark],
    samples: Samples,
    *,
    repeats: int,
    progress: Progress | None = None,
    save: Callable[[Samples], None] | None = None,
) -> None:
    """Run what ``samples`` does not have yet, ``repeats`` times each; one run before them is thrown away.

    Raises:
        DeviceError: the device fails.
    """
    todo = [each for each in with_overheads(benchmarks) if not samples.has(each.name, repeats)]
    for number, benchmark in enumerate(todo):
        if progress is not None:
            progress(benchmark.name, number / len(todo))
        samples.clk[benchmark.name] = run(device, benchmark, repeats)
        if save is not None:
            save(samples)


def run(device: Device, benchmark: Benchmark, repeats: int) -> list[list[int]]:
    """Clocks per repeat and wave of one benchmark."""
    body, arch = benchmark.body, device.properties.arch
    content, flush = body.data, None
    if isinstance(device, VirtualDevice):
        device.use_levels(True, body.forced_level)
        kernel = device.load_program(program(benchmark.name, body, arch))
    else:
        kernel = device.load(link(source(benchmark.name, body, arch), arch), benchmark.name)
        level = benchmark.name.removeprefix("chase_")
        if level in LEVELS:
            content = ring(level, virtual=False)
        if level == "hbm":
            flush = device.allocate(FLUSH_BYTES)
    out = device.allocate(4 * LANES * body.waves)
    data = device.allocate(len(content))
    try:
        device.write(data, content)
        arguments = out.address.to_bytes(8, "little") + data.address.to_bytes(8, "little")
        found = []
        for number in range(repeats + 1):
            device.write(out, bytes(out.size_bytes))  # what is read later was stored by this launch
            if flush is not None:
                device.fill(flush, number % 256)
            device.launch(kernel, (1, 1, 1), (LANES * body.waves, 1, 1), arguments)
            clocks = np.frombuffer(device.read(out), "<u4").reshape(-1, LANES)[:, 0].tolist()
            if not all(clocks):  # two clock reads are never at the same time
                raise DeviceError(
                    Problem.NO_DATA, f"{benchmark.name}: the device ran the program and no clock came back"
                )
            if number:
                found.append(clocks)
        return found
    finally:
        for buffer in (out, data, flush):
            if buffer is not None:
                device.free(buffer)
