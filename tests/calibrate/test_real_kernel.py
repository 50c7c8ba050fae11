"""The real kernel: what a GPU would get (a linked code object) does what the simulated program does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wavesim.asm.tools import MissingTool
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.calibrate.real.kernel import Comparison, compare, stamped_kernel
from wavesim.checks.all_paths import check_program
from wavesim.isa.memory_roles import LATENCY
from wavesim.pipeline.run import RunOptions, prepare

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
SMALL = {"M": "256", "N": "256", "K": "256"}
RUNNABLE = {
    "4wave.yaml": SMALL,
    "8wave.yaml": SMALL,
    "8wave_pingpong.yaml": SMALL,
    "8wave_256.yaml": SMALL,
    "seed/v0.yaml": SMALL,
    "seed/v2.yaml": SMALL,
    "seed/v3.yaml": SMALL,
    "seed/v4.yaml": SMALL,
    "hip/8wave.hip": SMALL,
    "hip/moved-reads.hip": {},
}


class Linked:
    """The virtual device as calibrate sees a GPU: it takes code objects only."""

    def __init__(self, device: VirtualDevice) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        assert name in ("properties", "load", "allocate", "write", "fill", "read", "launch", "free"), name
        return getattr(self._device, name)


def compared(kernel: str, *, linked: bool) -> Comparison:
    loaded, machine = prepare(KERNELS / kernel, RunOptions(settings=RUNNABLE[kernel]))
    device = VirtualDevice(machine)
    if linked and LATENCY in loaded.launch.machine_overrides:
        device.use_load(loaded.launch.machine_overrides[LATENCY])
    wrapped: Any = Linked(device) if linked else device
    return compare(wrapped, loaded, [("stock", machine)], repeats=1)


@pytest.mark.parametrize("kernel", ["8wave.yaml", "hip/8wave.hip", "hip/moved-reads.hip"])
def test_the_code_object_gives_the_same_clocks_and_numbers(kernel: str) -> None:
    try:
        through_elf = compared(kernel, linked=True)
    except MissingTool as missing:
        pytest.skip(str(missing))
    plain = compared(kernel, linked=False)
    assert through_elf.measured == plain.measured
    assert through_elf.max_rel_error == plain.max_rel_error
    assert (through_elf.epilogue_clk, through_elf.prologue_clk) == pytest.approx(
        (plain.epilogue_clk, plain.prologue_clk), nan_ok=True
    )


@pytest.mark.parametrize("kernel", RUNNABLE)
def test_without_noise_measured_is_simulated(kernel: str) -> None:
    found = compared(kernel, linked=False)
    assert abs(found.simulated[0].error(found.measured)) < 0.001
    assert found.measured.count > 0
    assert bool(found.whole_run) == (kernel == "seed/v2.yaml")


@pytest.mark.parametrize("kernel", RUNNABLE)
def test_stamps_bring_no_finding_that_was_not_there(kernel: str) -> None:
    loaded, machine = prepare(KERNELS / kernel, RunOptions(settings=RUNNABLE[kernel]))
    stamped, _ = stamped_kernel(loaded, machine)
    before = {each.rule for each in check_program(loaded.program)[0] if each.is_bad}
    after = {each.rule for each in check_program(stamped.program)[0] if each.is_bad}
    assert after <= before
