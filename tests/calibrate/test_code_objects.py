"""Microbenchmarks as code objects, as a GPU gets them: the same clocks as the program that is simulated."""

from __future__ import annotations

from typing import Any

import pytest

from wavesim.asm.tools import MissingTool, assemble_object, link
from wavesim.calibrate.bench.programs import microbenchmarks
from wavesim.calibrate.bench.samples import run, with_overheads
from wavesim.calibrate.bench.template import source
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.isa.load import load_machine


class Linked:
    """The virtual device as calibrate sees a GPU: it takes code objects only."""

    def __init__(self, device: VirtualDevice) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_the_empty_programs_assemble(arch: str) -> None:
    found = [
        each
        for each in with_overheads(microbenchmarks(load_machine(arch)))
        if each.name.startswith("overhead")
    ]
    assert {each.body.waves for each in found} >= {1, 2, 8}
    for each in found:
        try:
            assemble_object(source(each.name, each.body, arch), arch)
        except MissingTool as missing:
            pytest.skip(str(missing))


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_code_objects_take_the_same_clocks(arch: str) -> None:
    """Each twelfth program; the chases' data for a GPU are too large for the emulator."""
    machine = load_machine(arch)
    plain, linked = VirtualDevice(machine), VirtualDevice(machine)
    for each in with_overheads(microbenchmarks(machine))[::12]:
        if each.name.startswith("chase"):
            continue
        linked.use_levels(True, each.body.forced_level)
        wrapped: Any = Linked(linked)
        try:
            assert run(wrapped, each, 1) == run(plain, each, 1), each.name
        except MissingTool as missing:
            pytest.skip(str(missing))


def test_code_objects_are_of_a_version_that_every_rocm_loads() -> None:
    benchmark = microbenchmarks(load_machine("gfx942"))[0]
    try:
        image = link(source(benchmark.name, benchmark.body, "gfx942"), "gfx942")
    except MissingTool as missing:
        pytest.skip(str(missing))
    assert image[8] == 3  # EI_ABIVERSION of code object version 5; newer LLVMs make 6 if nothing is said
