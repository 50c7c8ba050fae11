"""`wavesim isa`: questions find keys and opcodes; output is plain when piped; JSON is JSON."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from wavesim.cli.isa import isa
from wavesim.errors import UserError
from wavesim.isa.explain import Answer, explain, ranges, source_names, sources_of, value_text
from wavesim.isa.load import load_machine
from wavesim.isa.mfma import mfma_rows
from wavesim.isa.names import stock_machines


def keys(answer: Answer) -> list[str]:
    return [quantity.key for quantity in answer.quantities]


def test_questions_about_keys() -> None:
    machine = load_machine("gfx942")
    assert keys(explain(machine, "lds.read_latency_clk")) == ["lds.read_latency_clk"]
    assert keys(explain(machine, "lds.latency")) == ["lds.read_latency_clk", "lds.write_latency_clk"]
    assert keys(explain(machine, "lds.queue_e")) == ["lds.queue_entries"]
    assert keys(explain(machine, "simd_order")) == ["barrier.simd_order"]
    assert keys(explain(machine, "mall")) == [
        "memory.mall_latency_clk",
        "memory.mall_bytes",
        "memory.mall_read_gbytes_per_s",
    ]


def test_questions_about_opcodes() -> None:
    machine = load_machine("gfx942")
    (answer,) = explain(machine, "v_mfma_f32_16x16x16bf16_1k").opcodes
    assert answer.mfma[0].opcode == "v_mfma_f32_16x16x16_bf16"
    assert answer.info is not None
    (read,) = explain(machine, "ds_read_b64").opcodes
    assert read.info is not None
    assert not read.mfma
    assert [answer.opcode for answer in explain(machine, "32x32x8_").opcodes] == [
        "v_mfma_f32_32x32x8_f16",
        "v_mfma_f32_32x32x8_bf16",
    ]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("ds_raed_b64", "did you mean"),
        ("v_mfma_f32_16x16x32_bf16", "it exists on gfx950"),
        ("", "wavesim isa show gfx942 lists the keys"),
        ("v_mf", "say more"),
        ("memory.latancy_clk", "did you mean memory.latency_clk"),
    ],
)
def test_questions_without_an_answer(question: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        explain(load_machine("gfx942"), question)
    assert words in str(caught.value)


def test_values_as_text() -> None:
    assert value_text(44) == "44"
    assert value_text({4: 8, 8: 12}) == "4: 8, 8: 12"
    assert value_text((3, 0, 1, 2)) == "3 0 1 2"
    assert value_text(((0, 1), (2, 3)), brief=True) == "{0-1}  {2-3}"
    assert ranges((0, 1, 2, 5)) == "0-2,5"


def test_every_short_source_name_is_explained() -> None:
    known = set(source_names())
    plain = {"GEMM", "SGPR", "EXEC", "VMEM", "LDS", "MI300A", "MI210"}
    for name in stock_machines():
        machine = load_machine(name)
        texts = [quantity.source for quantity in machine.quantities.values()]
        texts += [row.source for row in mfma_rows(name)]
        for text in texts:
            if not text.startswith(("as ", "none", "the peak")):
                assert sources_of(text), text
    assert known.isdisjoint(plain)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(isa, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_commands_print_text() -> None:
    listing = run("list")
    assert all(name in listing for name in stock_machines())
    shown = run("show", "gfx942", "lds", "mfma")
    assert "lds.queue_entries" in shown
    assert "v_mfma_f32_16x16x16_bf16" in shown
    assert "gap.valu" not in shown
    explained = run("explain", "gfx942", "lds.queue_entries")
    for word in ("= 10 entries", "REPLAY", "inferred"):
        assert word in explained
    alone = run("explain", "gfx942", "ds_read_b64")
    assert "8 + 44 + 4 = 56 clk" in alone
    permuted = run("explain", "gfx950", "ds_bpermute_b32")
    assert "8 + 44 + 4 = 56 clk from issue to the end of its wait (lds.write_latency_clk)" in permuted
    assert "8 clk, and its SIMD's VALU" in run("explain", "gfx950", "v_permlane32_swap_b32")
    for text in (listing, shown, explained, alone):
        assert "\x1b" not in text
        assert all(line == line.rstrip() for line in text.splitlines())
    for opcode in (
        "ds_write_b128",
        "s_load_dwordx2",
        "v_exp_f32",
        "buffer_load_dwordx4",
        "v_add_f32",
        "s_nop",
    ):
        assert run("explain", "gfx950", opcode)


def test_commands_print_json() -> None:
    names = [each["name"] for each in json.loads(run("list", "--json"))["machines"]]
    first = names.index("gfx90a")
    assert names[first : first + 3] == ["gfx90a", "MI210", "MI250"]
    shown = json.loads(run("show", "gfx950", "--json", "--set", "memory.latency_clk=800"))
    by_key = {each["key"]: each for each in shown["quantities"]}
    assert by_key["memory.latency_clk"]["value"] == 800
    assert by_key["lds.write_latency_clk"]["value"] == {"4": 44, "8": 44, "16": 48}
    assert set(by_key["lds.size_bytes"]) == {"key", "value", "unit", "source", "confidence", "note"}
    assert shown["mfma"]
    explained = json.loads(run("explain", "gfx950", "v_mfma_scale_f32_16x16x128_f8f6f4", "--json"))
    assert [row["pipe_clk"] for row in explained["opcodes"][0]["mfma"]] == [32, 16]


def test_commands_refuse() -> None:
    for arguments in (
        ["show", "gfx942", "nothing"],
        ["show", "mi300"],
    ):
        result = CliRunner().invoke(isa, arguments)
        assert isinstance(result.exception, UserError)
    result = CliRunner().invoke(isa, ["explain", "gfx942", "x", "--set", "K"])
    assert result.exit_code == 2
    assert "'K' is not NAME=VALUE" in result.stderr
