"""``--allow-unknown`` and ``--region``: what is not known is named, marked and listed; the rest is timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wavesim.cli import main as entry_point
from wavesim.words import number

KERNEL = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
 .text
kernel:
 s_load_dwordx2 s[4:5], s[0:1], 0x0
 v_lshlrev_b32 v1, 2, v0
 v_mov_b64 v[8:9], 0
 v_mov_b64 v[10:11], 0
 s_mov_b32 s6, 4
 {first}
loop:
 ds_write_b32 v1, v0
 s_waitcnt lgkmcnt(0)
 ds_read_b32 v2, v1
 s_waitcnt lgkmcnt(0)
 v_mfma_f32_16x16x16_bf16 v[4:7], v[8:9], v[10:11], 0
 {inside}
 s_sub_u32 s6, s6, 1
 s_cmp_lg_u32 s6, 0
 s_cbranch_scc1 loop
after:
 s_waitcnt lgkmcnt(0)
 global_store_dword v1, v3, s[4:5]
 s_endpgm
 .amdhsa_kernel kernel
 .amdhsa_group_segment_fixed_size 4096
 .amdhsa_user_sgpr_kernarg_segment_ptr 1
 .amdhsa_kernarg_size 8
 .amdhsa_next_free_vgpr 16
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 16
 .end_amdhsa_kernel
"""
LAUNCH = ("--arg", "C=i32[1,256]:unwritten", "--block", "256")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def write(folder: Path, first: str = "v_mov_b32 v3, 1", inside: str = "s_nop 0") -> str:
    path = folder / "k.s"
    path.write_text(KERNEL.format(first=first, inside=inside))
    return str(path)


def run_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str, command: str = "run"
) -> dict[str, Any]:
    assert call(monkeypatch, command, *arguments, "--json") == 0
    data = json.loads(capfd.readouterr().out)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("command", ["run", "check"])
def test_refused_with_place_and_similar_names(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, command, write(tmp_path, inside="v_add_u33 v3, v3, v2"), *LAUNCH) == 2
    message = capsys.readouterr().err
    assert "k.s:17:2: unknown instruction 'v_add_u33'" in message
    assert "v_add_u32" in message


def test_an_opcode_that_is_in_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="v_add_u33 v3, v3, v2 new_flag:3")
    data = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown")
    unknowns = data["unknowns"]
    assert [(each["opcode"], each["executed"]) for each in unknowns["opcodes"]] == [("v_add_u33", 16)]
    assert unknowns["opcodes"][0]["places"][0]["line"] == 17
    assert "v_add_u32" in unknowns["opcodes"][0]["nearest"]
    assert {"clk_total", "clk_per_iteration", "numerics"} <= set(unknowns["figures"])
    # addresses and conditions do not depend on it
    assert "findings.lds-race" not in unknowns["figures"]
    assert data["clk_per_iteration"] > 0
    assert data["loops"][0]["iterations"] == 4
    assert call(monkeypatch, "run", path, *LAUNCH, "--allow-unknown") == 0
    text = capfd.readouterr().out
    assert f"{number(data['clk_per_iteration'])}? clk per iteration" in text
    assert "unknown instruction 'v_add_u33'" in text


def test_an_opcode_with_timing_but_without_semantics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="v_screen_partition_4se_b32 v3, v2")
    unknowns = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown")["unknowns"]
    assert unknowns["opcodes"][0]["taken_for"] == "timed with its own data"
    assert set(unknowns["figures"]) == {"numerics"}


def test_addresses_that_rest_on_an_unknown_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, first="v_swizzle_new_b32 v1, v0")
    unknowns = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown")["unknowns"]
    texts = " ".join(each["text"] for each in unknowns["assumptions"])
    assert "2 LDS accesses without known addresses" in texts
    assert "1 global access without known addresses" in texts
    assert {"bounds.lds_service", "bounds.global_bytes", "findings.lds-race"} <= set(unknowns["figures"])


def test_a_condition_that_rests_on_an_unknown_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="s_add_u33 s6, s6, 1")
    data = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown", "--trips", "7")
    assert data["loops"][0]["iterations"] == 7
    assert "the loop is taken to run 7 times" in data["unknowns"]["assumptions"][1]["text"]


def test_an_unknown_matrix_instruction_is_timed_as_a_similar_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="v_mfma_f32_16x16x64_f12 v[12:15], v[8:9], v[10:11], 0")
    data = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown")
    assert "passes" in data["unknowns"]["opcodes"][0]["taken_for"]
    assert "bounds.mfma" in data["unknowns"]["figures"]
    assert data["bounds"]["mfma"] > 0


def test_check_lists_what_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="v_add_u33 v3, v3, v2")
    data = run_json(monkeypatch, capfd, path, *LAUNCH, "--allow-unknown", command="check")
    assert data["good"]
    assert data["unknowns"]["opcodes"][0]["opcode"] == "v_add_u33"
    assert call(monkeypatch, "check", path, "--allow-unknown") == 0  # without a launch: by the code alone
    assert "v_add_u33" in capfd.readouterr().out
    known = run_json(monkeypatch, capfd, write(tmp_path), *LAUNCH, "--allow-unknown", command="check")
    assert known["unknowns"] is None


def test_check_still_finds_what_is_wrong_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="ds_read_b32 v9, v1\n v_add_u33 v3, v9, v2\n s_waitcnt lgkmcnt(0)")
    assert call(monkeypatch, "check", path, *LAUNCH, "--allow-unknown") == 1
    assert "missing-wait" in capfd.readouterr().out


def test_a_looped_region_runs_its_trips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, first="v_mov_b32 v1, s4")  # an address from the launch's arguments
    data = run_json(monkeypatch, capfd, path, "--region", "loop:after", "--trips", "5", "--waves", "8")
    assert data["loops"][0]["iterations"] == 5
    assert len(data["waves"]) == 8
    unknowns = data["unknowns"]
    assert unknowns["opcodes"] == []
    assert "2 LDS accesses without known addresses" in unknowns["assumptions"][0]["text"]
    assert "clk_total" in unknowns["figures"]


def test_a_straight_region_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    data = run_json(monkeypatch, capfd, path, "--region", "13:18", "--trips", "6", "--waves", "2")
    assert data["loops"][0]["iterations"] == 6
    texts = " ".join(each["text"] for each in data["unknowns"]["assumptions"])
    assert "repeated 6 times by a branch that was added" in texts
    once = run_json(monkeypatch, capfd, path, "--region", "loop:", "--trips", "1", "--waves", "1")
    assert once["loops"] == []


def test_a_region_from_the_kernels_start_knows_the_lanes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """v1 follows from the work-item number: only the number of trips is taken as given."""
    data = run_json(monkeypatch, capfd, write(tmp_path), "--region", ":after", "--waves", "4")
    assert [each["text"] for each in data["unknowns"]["assumptions"]] == [
        "s_cbranch_scc1 loop: the loop is taken to run 32 times"
    ]
    assert data["loops"][0]["iterations"] == 32


def test_what_stands_before_a_region_gives_it_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The LDS address follows from the work-item number: its conflicts are known."""
    path = write(tmp_path, first="v_lshlrev_b32 v1, 3, v1")  # 32 bytes from lane to lane
    data = run_json(monkeypatch, capfd, path, "--region", "loop:after", "--trips", "9", "--waves", "1")
    assert set(data["unknowns"]["figures"]) == {"clk_total", "tflops", "numerics"}
    assert data["loops"][0]["iterations"] == 9
    whole = run_json(monkeypatch, capfd, path, "--arg", "C=i32[1,1024]:unwritten", "--block", "64")
    assert data["bounds"]["lds_service"] == whole["bounds"]["lds_service"] > 16


def test_lanes_by_an_unknown_condition_stay_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    inside = "v_cmp_gt_i32 vcc, s4, v0\n s_and_saveexec_b64 s[8:9], vcc\n ds_read_b32 v3, v1\n"
    path = write(tmp_path, inside=inside + "s_or_b64 exec, exec, s[8:9]\n s_waitcnt lgkmcnt(0)")
    data = run_json(monkeypatch, capfd, path, "--region", "loop:after", "--waves", "1")
    texts = " ".join(each["text"] for each in data["unknowns"]["assumptions"])
    assert "lanes whose condition is not known are taken to be active" in texts
    assert "without known addresses" not in texts


def test_check_of_a_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path,
        first="v_mov_b32 v1, s4",
        inside="ds_read_b32 v12, v1\n v_add_u32 v3, v12, v2\n s_waitcnt lgkmcnt(0)",
    )
    assert call(monkeypatch, "check", path, "--region", "loop:after") == 1
    text = capsys.readouterr().out
    assert "missing-wait" in text
    assert "uninitialised" not in text
    assert "without known addresses" in text


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("loop", "is not LABEL1:LABEL2"),
        ("nowhere:after", "label 'nowhere' is not in kernel"),
        ("after:loop", "nothing stands between"),
    ],
)
def test_regions_that_do_not_exist(
    region: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "run", write(tmp_path), "--region", region) == 2
    assert message in capsys.readouterr().err


def test_a_region_still_refuses_unknown_opcodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, inside="v_screen_partition_4se_b32 v3, v2")
    assert call(monkeypatch, "run", path, "--region", "loop:after") == 2
    assert "k.s:17: v_screen_partition_4se_b32" in capsys.readouterr().err
    assert call(monkeypatch, "run", path, "--region", "loop:after", "--allow-unknown") == 0


PAST = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
 .text
kernel:
 v_lshlrev_b32 v1, 2, v0
 s_mov_b32 s6, 0
 s_cmp_lg_u32 s6, 1
 s_cbranch_scc1 after
 s_mov_b32 s7, 0
 s_branch head
loop:
 v_add_u32 v2, s7, v1
 ds_read_b32 v3, v2
 s_waitcnt lgkmcnt(0)
 s_mov_b32 s7, s8
head:
 s_add_u32 s6, s6, 1
 s_cmp_lg_u32 s6, 0
 s_cbranch_scc1 loop
 s_cmp_lg_u32 s6, 3
 s_cbranch_scc1 loop
after:
 s_endpgm
 .amdhsa_kernel kernel
 .amdhsa_group_segment_fixed_size 1024
 .amdhsa_next_free_vgpr 16
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 16
 .end_amdhsa_kernel
"""


def test_a_region_that_what_stands_before_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that stands before it is then taken for known; and its loop's branches back count together."""
    path = tmp_path / "k.s"
    path.write_text(PAST)
    assert (
        call(monkeypatch, "check", str(path), "--region", "loop:after", "--trips", "6", "--waves", "2") == 0
    )
    assert "LDS access without known addresses" in capsys.readouterr().out
    arguments = ("run", str(path), "--region", "loop:after", "--trips", "6", "--waves", "1", "--json")
    assert call(monkeypatch, *arguments) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["instructions"] == 6 * 7 + 3  # not six times as many: both branches go back to one loop
