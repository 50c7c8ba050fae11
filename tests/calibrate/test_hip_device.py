"""HipDevice with the true hip-python wheels against a stand-in libamdhip64 that executes nothing on a GPU."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wavesim.calibrate.bench.samples import Samples
from wavesim.calibrate.chip import clock, levels
from wavesim.calibrate.chip.probe import measuring
from wavesim.calibrate.device.base import ADVICE, DeviceError, Problem
from wavesim.calibrate.device.hip import HipDevice
from wavesim.isa.load import load_machine

CODE_OBJECT = b"\x7fELF and what else there may be"


class Bench:
    """Opens devices on the stand-in and reads its log."""

    def __init__(self, standin: Path, wheel: Path, log: Path) -> None:
        self.environment = {
            "LD_LIBRARY_PATH": str(standin),
            "ROCM_PATH": str(log.parent / "no-rocm-here"),
            "PYTHONPATH": str(wheel),
            "WAVESIM_STANDIN_LOG": str(log),
        }
        self.log = log

    def open(self, **wishes: str) -> HipDevice:
        return HipDevice(environment={**self.environment, **wishes})

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def bench(standin: Path, wheel: Path, tmp_path: Path) -> Bench:
    return Bench(standin, wheel, tmp_path / "log")


def test_the_whole_way_and_the_arguments_byte_for_byte(bench: Bench) -> None:
    with bench.open() as device:
        properties = device.properties
        assert properties.name == "STAND-IN, not a GPU"
        assert (properties.arch, properties.compute_units, properties.clock_mhz) == ("gfx942", 304, 2100.0)
        kernel = device.load(CODE_OBJECT, "gemm")
        buffer = device.allocate(64)
        device.write(buffer, bytes(range(64)))
        assert device.read(buffer) == bytes(range(64))
        device.fill(buffer, 7)
        assert device.read(buffer) == bytes([7]) * 64
        arguments = buffer.address.to_bytes(8, "little") + bytes([1, 2, 3, 4])
        assert device.launch(kernel, (4, 2, 1), (512, 1, 1), arguments, lds_bytes=1024) == 0.0
        assert device.power_w() is None  # the driver knows no such device
    calls = bench.calls()
    assert "hipModuleLoadData 7fELF" in calls
    assert "hipModuleGetFunction gemm" in calls
    launches = [call for call in calls if call.startswith("hipModuleLaunchKernel")]
    wanted = f"grid 4,2,1 block 512,1,1 lds 1024 arguments {arguments.hex()} (nothing was executed)"
    assert launches == [f"hipModuleLaunchKernel {wanted}"]
    assert calls[-2:] == ["hipFree, 0 left", "hipModuleUnload"]


def test_a_kernel_without_arguments(bench: Bench) -> None:
    with bench.open() as device:
        device.launch(device.load(CODE_OBJECT, "empty"), (1, 1, 1), (64, 1, 1), b"")
    assert any(call.endswith("arguments  (nothing was executed)") for call in bench.calls())


@pytest.mark.parametrize(
    ("wish", "problem", "said"),
    [
        ({"WAVESIM_STANDIN_DEVICES": "0"}, Problem.NO_DEVICE, "hipErrorNoDevice"),
        ({"WAVESIM_STANDIN_ARCH": "gfx1100"}, Problem.UNSUPPORTED_ARCHITECTURE, "gfx1100"),
        ({"WAVESIM_STANDIN_FAIL": "hipSetDevice=101"}, Problem.NO_DEVICE, "hipSetDevice"),
        ({"WAVESIM_STANDIN_FAIL": "hipGetDeviceProperties=1"}, Problem.FAILED, "hipGetDeviceProperties"),
    ],
)
def test_a_device_that_cannot_be_used(
    bench: Bench, wish: dict[str, str], problem: Problem, said: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        bench.open(**wish)
    assert caught.value.problem is problem
    assert said in str(caught.value)
    assert ADVICE[problem] in str(caught.value)
    assert caught.value.exit_code == 2


def run_something(device: HipDevice) -> None:
    buffer = device.allocate(16)
    device.write(buffer, b"x")
    device.launch(device.load(CODE_OBJECT, "k"), (1, 1, 1), (64, 1, 1), b"")


@pytest.mark.parametrize(
    ("function", "code", "problem"),
    [
        ("hipMalloc", 2, Problem.OUT_OF_MEMORY),
        ("hipModuleLoadData", 209, Problem.UNSUPPORTED_ARCHITECTURE),
        ("hipModuleLoadData", 200, Problem.UNSUPPORTED_ARCHITECTURE),
        ("hipModuleGetFunction", 500, Problem.FAILED),
        ("hipModuleLaunchKernel", 701, Problem.LAUNCH_FAILURE),
        ("hipEventSynchronize", 719, Problem.LAUNCH_FAILURE),
        ("hipMemcpy", 1, Problem.FAILED),
    ],
)
def test_errors_have_one_message_and_everything_is_freed(
    bench: Bench, function: str, code: int, problem: Problem
) -> None:
    with bench.open() as device:
        first = device.allocate(16) if function != "hipMalloc" else None
    assert first is None or "hipFree, 0 left" in bench.calls()
    with (
        bench.open(WAVESIM_STANDIN_FAIL=f"{function}={code}") as device,
        pytest.raises(DeviceError) as caught,
    ):
        run_something(device)
    assert caught.value.problem is problem
    assert function in str(caught.value)
    taken = sum(call.startswith("hipMalloc 1") for call in bench.calls())
    freed = sum(call.startswith("hipFree") for call in bench.calls())
    assert taken == freed


def test_a_kernel_that_hangs_is_killed(bench: Bench) -> None:
    with bench.open(WAVESIM_STANDIN_HANG="1") as device:
        kernel = device.load(CODE_OBJECT, "k")
        with pytest.raises(DeviceError) as caught:
            device.launch(kernel, (1, 1, 1), (64, 1, 1), b"", timeout_s=1.0)
        assert caught.value.problem is Problem.HANG
        assert "within 1 s" in str(caught.value)
        with pytest.raises(DeviceError):  # and stays unusable
            device.allocate(4)


def test_a_runtime_that_aborts_takes_only_its_own_process(bench: Bench) -> None:
    with bench.open(WAVESIM_STANDIN_ABORT="1") as device:
        kernel = device.load(CODE_OBJECT, "k")
        with pytest.raises(DeviceError) as caught:
            device.launch(kernel, (1, 1, 1), (64, 1, 1), b"")
    assert caught.value.problem is Problem.ABORT
    assert "signal 6" in str(caught.value)


def test_the_true_wheel_without_rocm_has_a_clean_message(wheel: Path, tmp_path: Path) -> None:
    nowhere = {"PYTHONPATH": str(wheel), "ROCM_PATH": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)}
    with pytest.raises(DeviceError) as caught:
        HipDevice(environment=nowhere)
    assert caught.value.problem is Problem.NO_ROCM
    assert "libamdhip64.so" in str(caught.value)


def test_without_hip_python_the_message_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hip").mkdir()
    (tmp_path / "hip" / "__init__.py").write_text("raise ImportError('no module named hip')\n")
    with pytest.raises(DeviceError) as caught:
        HipDevice(environment={"PYTHONPATH": os.fspath(tmp_path)})
    assert caught.value.problem is Problem.NO_HIP_PYTHON
    assert "wavesim-cdna[gpu]" in str(caught.value)


def test_more_data_than_room(bench: Bench) -> None:
    with bench.open() as device, pytest.raises(ValueError, match="5 bytes for a buffer of 4"):
        device.write(device.allocate(4), b"12345")


def test_power_is_what_the_driver_says(tmp_path: Path) -> None:
    """Made-up files of sysfs: nothing is measured."""
    from wavesim.calibrate.device.worker import Worker

    worker = Worker()
    worker.folder = tmp_path
    assert worker.power() == {"watts": None}
    folder = tmp_path / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    (folder / "power1_average").write_text("412000000\n")
    assert worker.power() == {"watts": 412.0}
    (folder / "power1_input").write_text("not a number\n")
    assert worker.power() == {"watts": 412.0}


def test_the_chip_is_asked_with_one_workgroup_on_each_compute_unit(bench: Bench) -> None:
    """What a runtime that executes nothing can show: code objects, grids, and buffers that are given back."""
    for probe, grid in (
        (levels.chase(1 << 26), "1,1,1 block 64,1,1"),
        (clock.turns(load_machine("gfx942"), 16, first=False), "304,1,1 block 256,1,1"),
    ):
        with bench.open() as device, pytest.raises(DeviceError, match="no clock came back"):
            measuring(device, Samples(device.properties, ""), 3)(probe)
        calls = bench.calls()
        assert f"hipModuleGetFunction {probe.kernel}" in calls
        assert any(call.startswith(f"hipModuleLaunchKernel grid {grid}") for call in calls)
        assert "hipFree, 0 left" in calls[-2:]
