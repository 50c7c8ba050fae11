"""Calibration from traces: values come back from the model's own timelines, with what is not determined."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from wavesim.calibrate.fit.from_traces import (
    BLOCKS,
    CANDIDATES,
    Estimate,
    TraceEvidence,
    candidates,
    changed,
    estimate,
    gather,
    memory_latencies,
    one_arch,
    value_of,
)
from wavesim.calibrate.fit.trace_files import machine_file, report_json, report_lines
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.replays.att.dispatches import sources

PARAMETERS = load_machine("gfx942").parameters


def evidence(name: str, best: dict[str, int], noise_clk: float = 0.0) -> TraceEvidence:
    """Errors that grow with the distance from the ``best`` values; others make no difference."""
    random = np.random.default_rng(1)
    errors, moved = {}, {}
    for which in CANDIDATES:
        tried = candidates(which, value_of(PARAMETERS, which))
        table = np.full((len(tried), BLOCKS), 100.0)
        if which in best:
            table += np.abs(np.array(tried) - best[which])[:, None] * 10.0
            table += noise_clk * random.random(table.shape)
        errors[which], moved[which] = table, 500 if which in best else 0
    latencies = {"load": np.arange(900.0, 1000.0), "store": np.zeros(3)}
    return TraceEvidence(name, "gfx942", 1000, errors, moved, latencies)


def test_the_best_value_and_what_is_not_determined() -> None:
    found = {one.name: one for one in estimate([evidence("a", {"lds.read_latency_clk": 48})], PARAMETERS)}
    latency = found["lds.read_latency_clk"]
    assert (latency.value, latency.low, latency.high, latency.stock) == (48, 48, 48, 44)
    assert latency.determined
    assert latency.observations == 500
    other = found["gap.valu_to_memory_clk"]
    assert not other.determined
    assert other.value == other.stock
    assert other.why == "no instruction depends on it"


def test_noise_widens_the_interval() -> None:
    noisy = evidence("a", {"lds.read_latency_clk": 46}, noise_clk=2000.0)
    (latency,) = (one for one in estimate([noisy], PARAMETERS) if one.name == "lds.read_latency_clk")
    assert latency.low < latency.high
    assert not latency.determined


def test_a_value_at_the_edge_is_not_believed() -> None:
    (latency,) = (
        one
        for one in estimate([evidence("a", {"lds.read_latency_clk": 80})], PARAMETERS)
        if one.name == "lds.read_latency_clk"
    )
    assert not latency.determined
    assert "edge" in latency.why


def test_latencies_that_were_seen() -> None:
    load, store = memory_latencies([evidence("a", {})], PARAMETERS)
    assert load.determined
    assert 900 < load.low <= load.value <= load.high < 1000
    assert load.observations == 100
    assert not store.determined


def test_traces_of_two_architectures_are_refused_before_anything_is_read_in_full(tmp_path: Path) -> None:
    folders = []
    for arch, opcode in (("gfx942", "v_mfma_f32_16x16x16_bf16"), ("gfx950", "v_mfma_f32_16x16x32_bf16")):
        folder = tmp_path / arch
        folder.mkdir()
        row = [f"{opcode} v[0:3], v[4:7], v[8:11], 0", 0, 1, "", 1, 4096, 1, 4, 0, 0]
        (folder / "code.json").write_text(json.dumps({"code": [row]}))
        (folder / "filenames.json").write_text("{}")
        folders.append(folder)
    with pytest.raises(UserError, match="gfx942, gfx950") as caught:
        one_arch(sources(tmp_path))
    assert "gfx950: gfx950" in caught.value.hint
    assert one_arch(sources(folders[0])) == "gfx942"


def test_the_machine_file_is_loaded_with_its_provenance(tmp_path: Path) -> None:
    estimates = [
        Estimate("lds.read_latency_clk", 48, 44, 48, 48, 500, True),
        Estimate("lds.write_hold_clk.8", 16, 12, 16, 16, 70, True),
        Estimate("fetch.refill_clk", 24, 20, 20, 24, 9, False, "between 20 and 24"),
    ]
    file = tmp_path / "my.yaml"
    file.write_text(machine_file("gfx942", load_machine("gfx942"), estimates, ["a", "b"]))
    loaded = load_machine(str(file))
    assert loaded.parameters.lds_read_latency_clk == 48
    assert loaded.parameters.lds_write_hold_clk[8] == 16
    assert loaded.parameters.lds_write_hold_clk[16] == PARAMETERS.lds_write_hold_clk[16]
    assert loaded.parameters.fetch_refill_clk == 20
    quantity = loaded.quantities["lds.read_latency_clk"]
    assert "2 traces" in quantity.source
    assert "500 observations" in quantity.note
    text = "\n".join(report_lines("gfx942", estimates, [], ["a"]))
    assert "between 20 and 24" in text
    assert "not possible with one trace" in text
    assert report_json("gfx942", estimates, [], ["a"])["values"][2]["determined"] is False


def test_every_name_is_a_value_of_the_machine() -> None:
    for name in CANDIDATES:
        stock = value_of(PARAMETERS, name)
        assert stock in candidates(name, stock)
        assert value_of(changed(PARAMETERS, {name: stock + 1}), name) == stock + 1


def test_a_measured_trace_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parents[3] / "shared" / "traces" / "gfx942_gemm_2048cube"
    if not folder.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    names = ("lds.write_hold_clk.8", "gap.valu_to_memory_clk")
    monkeypatch.setattr(
        "wavesim.calibrate.fit.from_traces.CANDIDATES", {name: CANDIDATES[name] for name in names}
    )
    (found,) = gather(*sources(folder), None, most_rows=3000)
    hold, gap = estimate([found], PARAMETERS)
    assert hold.value == 12
    assert gap.value == 12
    assert gap.determined
