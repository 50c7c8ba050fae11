"""Machine files: what the stock ones say, overlays and overrides, and every refusal with its place."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

import wavesim.isa.load as load
from wavesim.errors import UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.explain import source_names
from wavesim.isa.load import arch_of, load_machine
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.mfma import find_mfma, mfma_rows, mfma_timings, spellings
from wavesim.isa.names import devices, stock_machines
from wavesim.isa.paths import PACKAGE, data_dir
from wavesim.isa.schema import PARAMETERS, parameter_key
from wavesim.isa.timing_parameters import TimingParameters

GOOD = "source: a test, confidence: measured"


@pytest.mark.parametrize("arch", ARCHS)
def test_every_parameter_is_a_key_with_source(arch: str) -> None:
    machine = load_machine(arch)
    assert machine.arch == machine.parameters.arch == arch
    made = {"arch", "mfma_table", "lds_array_clk", "rules_off"}
    assert {field.name for field in dataclasses.fields(TimingParameters)} == {*PARAMETERS, *made}
    for name in PARAMETERS:
        quantity = machine.quantities[parameter_key(name)]
        assert getattr(machine.parameters, name) == quantity.value
        assert quantity.source
        assert quantity.unit
        assert quantity.confidence in CONFIDENCES


def test_stock_machines() -> None:
    assert set(stock_machines()) == set(ARCHS)
    assert load_machine("gfx942") is load_machine("gfx942")


def test_figures_of_the_contract() -> None:
    """From the issue to the end of the wait: isolated LDS accesses, scalar loads; MFMA back to back."""
    old, new = load_machine("gfx942").parameters, load_machine("gfx950").parameters
    assert 64 * 8 // old.lds_port_bytes_per_clk + old.lds_read_latency_clk + 4 == 56
    assert 64 * 16 // new.lds_port_bytes_per_clk + new.lds_read_latency_clk + 4 == 52
    writes = [
        new.write_clk(new.lds_write_hold_clk, w) + new.write_clk(new.lds_write_latency_clk, w) + 4
        for w in (4, 8, 16)
    ]
    assert writes == [56, 60, 72]
    assert old.write_clk(old.lds_write_hold_clk, 8) + old.write_clk(old.lds_write_latency_clk, 8) + 4 == 60
    assert (old.scalar_load_latency_clk + 4, new.scalar_load_latency_clk + 4) == (48, 40)
    assert old.matrix_pipe_clk("v_mfma_f32_16x16x16_bf16") == 16
    assert new.matrix_pipe_clk("v_mfma_f32_16x16x32_bf16") == 16
    assert new.matrix_pipe_clk("v_mfma_scale_f32_16x16x128_f8f6f4") == 32
    assert new.matrix_pipe_clk("v_mfma_scale_f32_16x16x128_f8f6f4", "fp4") == 16


@pytest.mark.parametrize(("arch", "peak"), [("gfx90a", 1024), ("gfx942", 2048), ("gfx950", 4096)])
def test_peak_bf16_rate(arch: str, peak: int) -> None:
    rates = [
        4 * row.flops / (4 * row.passes)
        for row in mfma_rows(arch)
        if row.opcode.startswith("v_mfma") and "bf16" in row.opcode
    ]
    assert max(rates) == peak


def test_mfma_spellings() -> None:
    assert load_machine("gfx942").parameters.matrix_pipe_clk("v_mfma_f32_16x16x16bf16_1k") == 16
    assert load_machine("gfx942").parameters.matrix_pipe_clk("v_mfma_f32_32x32x8f16") == 32
    assert load_machine("gfx90a").parameters.matrix_pipe_clk("v_mfma_f32_16x16x16_bf16") == 32
    assert load_machine("gfx90a").parameters.matrix_pipe_clk("v_mfma_f32_32x32x4_2b_f16") == 64
    assert mfma_timings("gfx90a")["v_mfma_f32_16x16x8bf16"].flops == 4096
    assert [row.passes for row in find_mfma("gfx950", "v_mfma_f32_32x32x64_f8f6f4")] == [16, 8]
    for arch in ARCHS:
        names: dict[str, str] = {}
        for row in mfma_rows(arch):
            for name in spellings(row):
                assert names.setdefault(name, row.opcode) == row.opcode, "one spelling of two instructions"


def test_machine_helpers() -> None:
    machine = load_machine("gfx942")
    waves = [machine.waves_per_simd(vgprs) for vgprs in (64, 65, 128, 129, 168, 256, 257, 512, 513)]
    assert waves == [8, 7, 4, 3, 3, 2, 1, 1, 0]
    assert machine.waves_per_simd(100, 100) == 2
    assert machine.lds_allocated_bytes(1) == 512
    assert load_machine("gfx950").lds_allocated_bytes(65536) == 66560
    assert machine.integer("lds.size_bytes") == 65536
    assert machine.number("clock.sustained_ghz") == pytest.approx(1.4)
    with pytest.raises(KeyError):
        machine.integer("clock.sustained_ghz")
    with pytest.raises(KeyError):
        machine.number("barrier.simd_order")
    with pytest.raises(KeyError):
        machine.integer("no.such_key")


def test_data_folders_of_checkout_and_wheel(root: Path, tmp_path: Path) -> None:
    assert data_dir("isa") == root / "isa"
    assert data_dir("kernels") == root / "kernels"
    package = tmp_path / "site-packages" / "wavesim"
    shutil.copytree(root / "isa", package / "data" / "isa")
    (tmp_path / "site-packages" / "isa").mkdir()  # somebody else's package beside ours
    assert data_dir("isa", package) == package / "data" / "isa"
    with pytest.raises(UserError, match="install wavesim-cdna again"):
        data_dir("kernels", package)
    assert PACKAGE.name == "wavesim"


def test_overlay(tmp_path: Path) -> None:
    (tmp_path / "lower.yaml").write_text(
        f"base: gfx942\nname: mine\nmemory:\n  latency_clk: {{value: 700, {GOOD}}}\n"
    )
    top = tmp_path / "top.yaml"
    top.write_text(f"base: lower.yaml\nlds:\n  write_hold_clk: {{value: {{4: 8, 16: 24}}, {GOOD}}}\n")
    machine = load_machine(str(top), {"memory.min_service_clk": "8", "lds.write_hold_clk.16": 28})
    assert (machine.name, machine.arch) == ("mine", "gfx942")
    assert machine.parameters.memory_latency_clk == 700
    assert machine.quantities["memory.latency_clk"].unit == "clk"
    assert machine.quantities["memory.latency_clk"].confidence == "measured"
    assert machine.parameters.memory_min_service_clk == 8
    assert machine.quantities["memory.min_service_clk"].source == "set for this run"
    assert machine.parameters.lds_write_hold_clk == {4: 8, 16: 28}
    assert machine.parameters.lds_read_latency_clk == 44
    assert load_machine("gfx942").parameters.memory_latency_clk == (494 + 876) // 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "memory:\n  latancy_clk: {value: 1, GOOD}\n",
            ["m.yaml:3:3", "unknown key 'latancy_clk'", "did you mean latency_clk"],
        ),
        ("memry:\n  latency_clk: {value: 1, GOOD}\n", ["m.yaml:2:1", "unknown key 'memry'", "memory"]),
        (
            "memory:\n  latency_clk: {value: fast, GOOD}\n",
            ["m.yaml:3:24", "memory.latency_clk", "a whole number"],
        ),
        ("memory:\n  latency_clk: {value: 1.5, GOOD}\n", ["m.yaml:3:24", "a whole number"]),
        ("memory:\n  latency_clk: {value: true, GOOD}\n", ["m.yaml:3:24", "a whole number"]),
        ("memory:\n  latency_clk: {value: 0, GOOD}\n", ["m.yaml:3:24", "above 0"]),
        ("memory:\n  latency_clk: {value: 1, unit: ns, GOOD}\n", ["m.yaml:3:33", "is in clk, not 'ns'"]),
        (
            "memory:\n  latency_clk: {value: 1, confidence: assumed}\n",
            ["m.yaml:3:3", "latency_clk.source is missing"],
        ),
        (
            "memory:\n  latency_clk: {value: 1, source: x, confidence: sure}\n",
            ["m.yaml:3:", "'sure'", "vendor, measured"],
        ),
        (
            "memory:\n  latency_clk: {value: 1, colour: red, GOOD}\n",
            ["m.yaml:3:27", "unknown key 'colour'", "a quantity has"],
        ),
        (
            "memory:\n  latency_clk: 800\n",
            ["m.yaml:3:16", "memory.latency_clk is 800", "write latency_clk: {value"],
        ),
        ("memory: 3\n", ["m.yaml:2:9", "memory is 3"]),
        ("arch: gfx950\n", ["m.yaml:2:7", "the base is gfx942"]),
        ("schema: kernel\n", ["m.yaml:2:9", "'kernel'", "'machine'"]),
        ("barrier:\n  simd_order: {value: [0, 1, 2, 2], GOOD}\n", ["m.yaml:3:23", "each of SIMDs"]),
        ("structure:\n  simd_pairs: {value: [[0, 1], [2]], GOOD}\n", ["m.yaml:3:23", "each of SIMDs"]),
        (
            "lds:\n  read_b32_phases: {value: ['0-31', '32-62'], GOOD}\n",
            ["m.yaml:3:28", "lanes 0 to 63 once"],
        ),
        ("lds:\n  read_b32_phases: {value: ['0-31', '32-x'], GOOD}\n", ["m.yaml:3:37", "'32-x'"]),
        ("lds:\n  write_hold_clk: {value: {5: 1}, GOOD}\n", ["m.yaml:3:", "lds.write_hold_clk"]),
        ("mfma:\n  blocks_valu_clk: {value: {2: 4}, GOOD}\n", ["m.yaml:3:28", "2, 4 and 8 VGPRs"]),
        ("clock:\n  sustained_ghz: {value: 3, GOOD}\n", ["m.yaml:3:26", "at most clock.peak_ghz"]),
        ("clock:\n  launch_range_ghz: {value: [2, 1], GOOD}\n", ["m.yaml:3:29", "the lower one first"]),
        ("clock:\n  launch_range_ghz: {value: [2], GOOD}\n", ["m.yaml:3:29", "two clocks"]),
        ("clock:\n  sustained_by_busy_ghz: {value: {101: 1}, GOOD}\n", ["m.yaml:3:40", "0 to 100"]),
        ("clock:\n  sustained_by_busy_ghz: {value: {50: x}, GOOD}\n", ["m.yaml:3:39", "a number"]),
        ("7: 3\n", ["m.yaml:2:1", "unknown"]),
    ],
)
def test_refused_with_file_line_and_what_is_right(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("base: gfx942\n" + text.replace("GOOD", GOOD))
    with pytest.raises(UserError) as caught:
        load_machine(str(path))
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_bases_that_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    for text, word in [
        ("base: gfx999\n", "architectures: .*gfx942, gfx950; devices: MI210"),
        ("base: m.yaml\n", "leads back"),
        ("base: 3\n", "the name of an architecture"),
        ("- 1\n", "not a machine file"),
        ("base: absent.yaml\n", "no such file"),
        ("name: x\narch: gfx942\n", "structure.simds is missing"),
        ("name: x\n", "arch is empty"),
    ]:
        path.write_text(text)
        with pytest.raises(UserError, match=word):
            load_machine(str(path))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("memory.latency", 5, "did you mean memory.latency_clk"),
        ("memory.latencyclk", 5, "did you mean memory.latency_clk"),
        ("qwertz", 5, "wavesim isa show"),
        ("memory.latency_clk", "fast", "memory.latency_clk: 'fast'"),
        ("memory.latency_clk", -3, "above 0"),
        ("lds.write_hold_clk", 5, "set one of lds.write_hold_clk.4"),
        ("lds.write_hold_clk.5", 5, "set one of"),
        ("barrier.simd_order", 5, "cannot be set so"),
        ("memory.latency_clk.4", 5, "cannot be set so"),
    ],
)
def test_overrides_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_machine("gfx942", {name: value})
    assert words in str(caught.value)


def test_a_new_machine_is_a_new_file(tmp_path: Path, root: Path) -> None:
    text = (root / "isa" / "gfx942.yaml").read_text()
    path = tmp_path / "copy.yaml"
    path.write_text(text)
    assert load_machine(str(path)).parameters == load_machine("gfx942").parameters
    path.write_text(text.replace("  lgkm_max:", "  # lgkm_max:"))
    with pytest.raises(UserError, match=r"counter.lgkm_max is missing"):
        load_machine(str(path))
    path.write_text(text.replace("arch: gfx942", "arch: gfx1100"))
    with pytest.raises(UserError, match=r"copy.yaml:\d+:7: isa/mfma.csv has no rows for gfx1100"):
        load_machine(str(path))


def test_damaged_mfma_table(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wavesim.isa.mfma as mfma

    lines = (root / "isa" / "mfma.csv").read_text().splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith("gfx942,"))
    lines[number] = lines[number].replace(",16,16,", ",16,x,")
    (tmp_path / "mfma.csv").write_text("\n".join(lines))
    monkeypatch.setattr(mfma, "data_dir", lambda kind: tmp_path)
    with pytest.raises(UserError, match=rf"mfma.csv:{number + 1}: n: 'x'"):
        mfma._all_rows.__wrapped__()


def test_lanes() -> None:
    assert load.lanes("0-3, 20") == (0, 1, 2, 3, 20)
    for text in ("", "a", "1-", "-1", "0-99999999999"):
        with pytest.raises(ValueError):
            load.lanes(text)


def test_the_latency_may_be_named_by_where_the_lines_are() -> None:
    stream = load_machine("gfx942", {"memory.latency_clk": "stream"})
    assert stream.parameters.memory_latency_clk == (494 + 876) // 2
    assert stream.quantities["memory.latency_clk"].note == "role stream, set for this run instead of stream"
    # whichever is named first, the role is of the values that are in force
    near = load_machine("gfx942", {"memory.latency_clk": "l2", "memory.l2_latency_clk": "300"})
    assert near.parameters.memory_latency_clk == 300


@pytest.mark.parametrize("value", [(1 << 30) + 1, 1 << 63, 10**30])
def test_a_number_beyond_any_machine_is_refused(value: int) -> None:
    """The engines count clocks in 32 and 64 bits; a larger one ended in a traceback."""
    assert load_machine("gfx942", {"gap.valu_to_memory_clk": 1 << 30})
    for key in ("gap.valu_to_memory_clk", "lds.size_bytes"):
        with pytest.raises(UserError, match=f"{key}: {value} does not fit\n  expected 1073741824 or less"):
            load_machine("gfx942", {key: value})


@pytest.mark.parametrize("key", ["structure.simds", "lds.read_b64_banks", "lds.write_b32_banks"])
def test_there_are_no_more_units_than_memory_holds(key: str) -> None:
    """Each of them has a state of its own: a thousand million ended in a MemoryError."""
    with pytest.raises(UserError, match=f"{key}: 4097 does not fit\n  expected 4096 or less"):
        load_machine("gfx942", {key: 4097})


@pytest.mark.parametrize("name", devices())
def test_a_device_is_an_architecture_with_numbers_of_its_own(name: str) -> None:
    """Upper or lower case; what differs is the device, its clocks and its memory, not the compute unit."""
    device = load_machine(name.lower())
    base = load_machine(device.arch)
    assert device is load_machine(name)
    assert (device.name, arch_of(name.upper())) == (name, device.arch)
    differing = {key for key, each in device.quantities.items() if each != base.quantities[key]}
    allowed = ("clock.", "memory.", "structure.compute_units")
    assert all(key.startswith(allowed) for key in differing), differing
    low, high = device.span("clock.sustained_range_ghz")
    assert low <= device.number("clock.sustained_ghz") <= high <= device.number("clock.peak_ghz")


@pytest.mark.parametrize("name", devices())
def test_a_figure_of_another_device_is_not_called_measured(name: str) -> None:
    """``MT4G (MI300X)`` in the MI325X's file is at best inferred; every short source name is explained."""
    for quantity in load_machine(name).quantities.values():
        file = data_dir("isa") / "devices" / f"{name}.yaml"
        if quantity == load_machine(arch_of(name)).quantities[quantity.key] or "(MI" not in quantity.source:
            continue
        assert quantity.confidence in ("inferred", "assumed"), (file, quantity)


def test_sources_of_devices_are_explained(root: Path) -> None:
    known = source_names()
    for path in (root / "isa" / "devices").glob("*.yaml"):
        sources = re.findall(r"source: \"?([^\",}]+)", path.read_text())
        words = {word for source in sources for word in re.findall(r"[A-Z][A-Z0-9]{2,}", source)}
        assert {word for word in words if not word.startswith("MI")} <= set(known), path


def test_published_figures_of_devices() -> None:
    """CUs and L2s of ROCm's table of GPUs; HBM of the data sheets."""
    figures = {
        name: tuple(
            load_machine(name).integer(key)
            for key in ("structure.compute_units", "memory.l2_caches", "memory.hbm_gbytes_per_s")
        )
        for name in devices()
    }
    assert figures == {
        "MI210": (104, 1, 1638),
        "MI250": (104, 1, 1638),
        "MI250X": (110, 1, 1638),
        "MI300A": (228, 6, 5300),
        "MI300X": (304, 8, 5300),
        "MI308X": (80, 4, 5300),
        "MI325X": (304, 8, 6000),
        "MI350P": (128, 4, 4100),
        "MI350X": (256, 8, 8000),
        "MI355X": (256, 8, 8000),
    }


def test_an_overlay_of_a_device(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"base: mi325x\nclock:\n  sustained_ghz: {{value: 1.5, {GOOD}}}\n")
    machine = load_machine(str(path))
    assert (machine.arch, machine.number("clock.sustained_ghz")) == ("gfx942", 1.5)
    assert machine.integer("memory.hbm_gbytes_per_s") == 6000
    with pytest.raises(UserError, match=r"architecture or device 'mi326x'[^;]*; devices: MI210, MI250"):
        load_machine("mi326x")


def test_what_an_architecture_takes_from_another_is_inferred(tmp_path: Path, root: Path) -> None:
    """A number that is only in the base's file is enough for all; what is assumed there stays assumed."""
    path = tmp_path / "gfx950.yaml"
    text = (root / "isa" / "gfx950.yaml").read_text()
    path.write_text(re.sub(r"^  (lgkm_max|subdword_clk):.*\n(    note:.*\n)?", "", text, flags=re.MULTILINE))
    mine, base = load_machine(str(path)).quantities, load_machine("gfx942").quantities
    for key, confidence in (("counter.lgkm_max", "inferred"), ("lds.subdword_clk", "assumed")):
        assert mine[key].value == base[key].value
        assert (mine[key].source, mine[key].confidence) == ("as gfx942", confidence)
    assert mine["counter.vm_max"] == load_machine("gfx950").quantities["counter.vm_max"]


def test_only_an_architectures_own_file_is_on_the_base_of_another(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("schema: machine\nbase: gfx942\narch: gfx950\n")
    with pytest.raises(UserError, match="but the base is gfx942"):
        load_machine(str(mine))


def test_a_machine_file_may_give_the_latency_as_a_role(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"base: gfx942\nname: mine\nmemory:\n  latency_clk: {{value: l2, {GOOD}}}\n")
    found = load_machine(str(path), {"memory.l2_latency_clk": 300})
    assert found.parameters.memory_latency_clk == 300
    assert found.quantities["memory.latency_clk"].note == "role l2"
    assert load_machine("MI300A").parameters.memory_latency_clk == (492 + 844) // 2
