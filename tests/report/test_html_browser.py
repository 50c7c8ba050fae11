"""The browser report in a real headless Chromium: loads, hovers, zooms, plays, links, and stays fluid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wavesim.explanation.explanation import explain_run
from wavesim.explanation.glance import at_a_glance
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.region import RegionOptions
from wavesim.glossary import explained
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.program import Finding, Severity
from wavesim.report.page import page_parts, run_panel
from wavesim.report.text.first_screen import MEND_FIRST

KERNELS = Path(__file__).resolve().parents[2] / "kernels"

GAP = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.globl k
k:
 v_mov_b32 v1, 0
 s_nop 0
 ds_read_b32 v2, v1
 s_waitcnt lgkmcnt(0)
 s_endpgm
.section .rodata,"a",@progbits
.amdhsa_kernel k
 .amdhsa_next_free_vgpr 8
 .amdhsa_next_free_sgpr 8
 .amdhsa_accum_offset 8
 .amdhsa_group_segment_fixed_size 1024
.end_amdhsa_kernel
"""

SLOWEST_FRAMES_PER_S = 1
"""Frames are measured and printed, not asserted on: machines are shared. One per second is 'not hung'."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    path, options = KERNELS / "8wave.yaml", RunOptions()
    one = at_a_glance(run_kernel(path, options))
    explanation = explain_run(one, path, options, processes=1)
    path, options = KERNELS / "lessons" / "strong_wait.s", RunOptions()
    other = run_kernel(path, options)
    of_other = explain_run(other, path, options, processes=1)
    piece = run_kernel(
        KERNELS / "foreign" / "piece.s",
        RunOptions(allow_unknown=True, region=RegionOptions(".Lloop:.Ldone", 16, 4), trips=16),
    )
    span = one.timeline.trace.code[40].instruction.span
    assert span is not None
    finding = Finding("lds-race", Severity.ERROR, "two waves <b>meet</b>", (span,), (0, 3), "add a barrier")
    gap = folder / "gap.s"
    gap.write_text(GAP)
    after = run_kernel(gap, RunOptions(launch=LaunchOptions(block=64)))
    panels = {
        "gap": [run_panel(after)],
        "one": [run_panel(one, [finding], explanation)],
        "two": [run_panel(one, (), explanation), run_panel(other, (), of_other)],
        "piece": [run_panel(piece)],
    }
    found = {name: folder / f"{name}.html" for name in panels}
    for name, shown in panels.items():
        found[name].write_text("".join(page_parts(shown)))
    return found


@pytest.fixture
def gap(browser: Any, pages: dict[str, Path]) -> Any:
    return opened(browser, pages["gap"])


@pytest.fixture
def one(browser: Any, pages: dict[str, Path]) -> Any:
    return opened(browser, pages["one"])


def opened(browser: Any, path: Path) -> Any:
    browser.get_log("browser")
    browser.get(path.as_uri())
    return opened_again(browser)


def opened_again(browser: Any) -> Any:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 30).until(
        lambda driver: driver.execute_script("return document.documentElement.dataset.ready")
    )
    return browser


def complaints(browser: Any) -> list[dict[str, Any]]:
    return list(browser.get_log("browser"))


def point_of(browser: Any, position: int, row: int) -> tuple[float, float]:
    """Page coordinates of the middle of an issue slot."""
    x, y = browser.execute_script(
        """const [position, row] = arguments, {view, painter, runs} = window.wavesim;
        view.show(runs[0].waves[position].issue[row] - 60, runs[0].waves[position].issue[row] + 60);
        view.paint();
        const lane = painter.laneOf(runs[0], position), box = painter.canvas.getBoundingClientRect();
        const x = painter.x(runs[0].waves[position].issue[row] + 2);
        return [box.x + x, box.y + lane.y + lane.height / 2];""",
        position,
        row,
    )
    return float(x), float(y)


def move_to(browser: Any, x: float, y: float, *, click: bool = False) -> None:
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(browser)
    actions.pointer_action.move_to_location(int(x), int(y))
    if click:
        actions.pointer_action.click()
    actions.perform()


def press(browser: Any, keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(keys).perform()


def first_row(browser: Any, position: int, opcode: str) -> int:
    """A row of an opcode in the third iteration or so."""
    row = browser.execute_script(
        """const run = window.wavesim.runs[0], [position, opcode] = arguments;
        for (let row = 400; row < run.waves[position].code.length; row += 1)
          if (run.entry(position, row).text.startsWith(opcode)) return row;
        return -1;""",
        position,
        opcode,
    )
    assert row >= 0
    return int(row)


def test_loads_without_a_complaint_and_shows_the_figures(one: Any) -> None:
    assert complaints(one) == []
    text = one.find_element("id", "runs").text
    assert "half_split on gfx942" in text
    labels = [each.text for each in one.find_elements("css selector", "#runs dt")]
    assert labels == ["verdict", "speed", "why", "try", "next"]
    assert "ost goes to" in text
    assert MEND_FIRST in text
    assert "% of what is possible" in text
    assert "?" not in one.find_element("id", "tab-figures").text


def test_the_explanation_is_there_and_its_path_is_drawn(one: Any) -> None:
    assert not one.execute_script("return window.wavesim.view.marks.path")
    press(one, "2")
    text = one.find_element("id", "tab-explain").text
    for part in (
        "Critical path",
        "What if",
        "Advice",
        "Exposed latency",
        "waves ran on at every s_barrier",
    ):
        assert part in text
    assert "--what-if" in text
    assert one.execute_script("return window.wavesim.view.marks.path")
    clk, whole = one.execute_script(
        """const {path} = window.wavesim.runs[0];
        const clk = path.links.reduce((sum, link) => sum + link.end - link.start, 0);
        return [clk, path.periods * path.period_clk];"""
    )
    assert clk == whole
    joined = one.execute_script(
        """const {runs, view} = window.wavesim, links = runs[0].pathIn(view.from, view.to);
        return links.length > 5 && links.every((link, at) => !at || links[at - 1].end === link.start);"""
    )
    assert joined
    colour = one.execute_script(
        """const {painter, runs, view} = window.wavesim; view.paint();
        const link = runs[0].pathIn(view.from, view.to).find((each) => each.end - each.start > 200);
        const lane = painter.laneOf(runs[0], link.wave), ratio = devicePixelRatio;
        const x = painter.x((Math.max(link.start, view.from) + Math.min(link.end, view.to)) / 2) * ratio;
        const hex = getComputedStyle(document.documentElement).getPropertyValue("--mark").trim();
        const drawn = painter.context.getImageData(x, (lane.y + lane.height / 2) * ratio, 1, 1).data;
        return [[...drawn].slice(0, 3), [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))];"""
    )
    assert colour[0] == colour[1]
    press(one, "c")
    assert not one.execute_script("return window.wavesim.view.marks.path")


def test_a_step_of_the_path_leads_to_its_instruction(one: Any) -> None:
    press(one, "2")
    said = one.execute_script(
        """document.querySelector("#tab-explain details").open = true;
        const step = document.querySelector("#tab-explain .chain .link"); step.click();
        const place = window.wavesim.view.marks.selected;
        return [step.textContent, place.run.entry(place.position, place.row).text];"""
    )
    assert said[1].startswith(said[0])
    assert complaints(one) == []


def test_figures_that_rest_on_unknowns_are_marked(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["piece"])
    assert complaints(browser) == []
    assert re.search(r"[0-9.]+\? clk per iteration", browser.find_element("id", "runs").text)
    text = browser.find_element("id", "tab-figures").text
    assert re.search(r"MFMA busy [0-9.]+ %\?", text)
    assert "v_softcap_f32" in text


def test_pixels_of_the_lanes_have_the_colours_of_the_legend(one: Any) -> None:
    row = first_row(one, 0, "v_mfma")
    point_of(one, 0, row)
    colour, wanted = one.execute_script(
        """const {painter, runs} = window.wavesim, ratio = devicePixelRatio;
        const lane = painter.laneOf(runs[0], 0), clk = runs[0].waves[0].issue[arguments[0]] + 1;
        const [x, y] = [painter.x(clk) * ratio, (lane.y + 3) * ratio];
        return [[...painter.context.getImageData(x, y, 1, 1).data].slice(0, 3),
                getComputedStyle(document.documentElement).getPropertyValue("--mfma")];""",
        row,
    )
    assert colour == [int(wanted.strip()[at : at + 2], 16) for at in (1, 3, 5)]


def test_hover_says_what_why_and_who(one: Any) -> None:
    row = first_row(one, 4, "v_mfma")
    move_to(one, *point_of(one, 4, row))
    tip = one.find_element("id", "tip")
    assert tip.is_displayed()
    assert tip.text.startswith("v_mfma")
    assert "w4 on SIMD 0" in tip.text
    assert "8wave.yaml:" in tip.text
    wait = one.execute_script(
        """const run = window.wavesim.runs[0], {reasons} = run.vocabulary;
        for (const wave of run.waves) for (let row = 300; row < 3000; row += 1)
          if (run.stalls(wave.position, row).some((stall) => reasons[stall.reason] === "vmcnt"))
            return why(run, wave.position, row).map((each) => [each.name, each.text]);
        return [];"""
    )
    assert any(name == "vmcnt" and "global_load" in text for name, text in wait)


def test_the_tip_blames_whom_the_engine_blames(gap: Any) -> None:
    """The gap of the read counts from the move, not from the s_nop before it."""
    said = gap.execute_script(
        """const run = window.wavesim.runs[0];
        return [2, 3].map((row) => why(run, 0, row).map((each) => [each.name, each.text, each.holder]));"""
    )
    assert [name for name, *_ in said[0]] == ["dependency"]
    assert said[0][0][1].startswith("gap after its own v_mov_b32")
    assert said[0][0][2] == {"position": 0, "row": 0}
    assert said[1][-1][0] == "lgkmcnt"
    assert said[1][-1][1].startswith("waits for the data of its own ds_read_b32")


def test_a_click_selects_and_marks_source_and_assembly(one: Any) -> None:
    row = first_row(one, 0, "ds_read_b64")
    move_to(one, *point_of(one, 0, row), click=True)
    assert "ds_read_b64" in one.find_element("id", "tab-instruction").text
    press(one, "4")
    marked = one.find_elements("css selector", "#source .line.marked")
    assert len(marked) == 1
    assert "lds_read" in marked[0].text
    arrows = one.execute_script("return window.wavesim.view.marks.arrows.map((arrow) => arrow.kind)")
    assert set(arrows) == {"data", "use"}
    assert "ds_read_b64" in one.find_element("css selector", "#assembly .line.marked").text


def test_a_line_leads_to_its_instructions(one: Any) -> None:
    press(one, "4")
    line = one.execute_script(
        """const lines = [...document.querySelectorAll("#assembly .line.live")];
        const line = lines.find((each) => each.textContent.includes("v_mfma"));
        line.click(); return line.textContent;"""
    )
    chosen = one.execute_script(
        "const p = window.wavesim.view.marks.selected; return p.run.entry(p.position, p.row).text"
    )
    assert chosen in line


def test_keys_and_wheel_zoom_and_pan(one: Any) -> None:
    def shown() -> tuple[float, float]:
        low, high = one.execute_script("return [window.wavesim.view.from, window.wavesim.view.to]")
        return float(low), float(high)

    one.find_element("id", "timeline").click()
    before = shown()
    press(one, "+")
    after = shown()
    assert after[1] - after[0] < before[1] - before[0]
    press(one, "d")
    assert shown()[0] > after[0]
    press(one, "0")
    assert shown()[1] - shown()[0] >= one.execute_script("return window.wavesim.runs[0].endClk")
    press(one, "i")
    width = shown()[1] - shown()[0]
    assert 2000 < width < 6000
    one.execute_script(
        """const canvas = document.getElementById("timeline");
        canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: -300, bubbles: true, cancelable: true}));"""
    )
    assert shown()[1] - shown()[0] == pytest.approx(width / 2)


def test_the_player_walks_slot_by_slot(one: Any) -> None:
    press(one, ".")
    first = one.find_element("id", "player-clk").text
    states = one.find_elements("css selector", "#player-waves .state")
    assert len(states) == 8
    press(one, ".")
    second = one.find_element("id", "player-clk").text
    assert int(second.split()[1]) == int(first.split()[1]) + 4
    press(one, " ")
    one.execute_async_script("setTimeout(arguments[0], 700)")
    press(one, " ")
    assert int(one.find_element("id", "player-clk").text.split()[1]) > int(second.split()[1])
    said = one.execute_script(
        """const {runs, player} = window.wavesim, clk = runs[0].waves[2].issue[500];
        player.at(clk); return [player.strip.children[2].textContent, runs[0].entry(2, 500).text];"""
    )
    assert said[0].endswith(f"issues {said[1]}")


def test_findings_are_text_and_lead_to_their_line_and_clock(one: Any) -> None:
    press(one, "5")
    panel = one.find_element("id", "tab-findings")
    assert "two waves <b>meet</b>" in panel.text
    panel.find_element("css selector", ".link").click()
    marked = one.find_element("css selector", "#source .line.marked")
    assert marked.is_displayed()
    assert "with-finding" in marked.get_attribute("class")
    wave, seen = one.execute_script(
        """const {view} = window.wavesim, place = view.marks.selected, wave = place.run.waves[place.position];
        const issue = wave.issue[place.row], isMarked = view.marks.codes.has(wave.code[place.row]);
        return [wave.wave, isMarked && view.from <= issue && issue < view.to];"""
    )
    assert seen
    assert wave in (0, 3)
    assert complaints(one) == []


def test_the_code_opens_at_the_hottest_loop_and_sorts(one: Any) -> None:
    press(one, "4")
    in_view = """const box = (element) => element.getBoundingClientRect();
        const pane = box(document.querySelector("#assembly"));
        return [...document.querySelectorAll("#assembly .line.loop")].map(box).filter(
          (line) => line.top >= pane.top && line.bottom <= pane.bottom).length;"""
    assert one.execute_script(in_view) > 5
    left, right = (one.find_element("id", name).rect for name in ("source", "assembly"))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    press(one, "h")
    clocks = one.execute_script(
        """const run = window.wavesim.runs[0], clocks = clocksByCode(run);
        return [...document.querySelectorAll("#assembly .line.live .num:first-child")].map(
          (cell) => clocks[+cell.textContent].clk);"""
    )
    assert len(clocks) > 100
    assert clocks == sorted(clocks, reverse=True)
    stack = one.find_elements("css selector", "#assembly .line.live .stack")[0]
    assert "background: var(--" in stack.find_element("css selector", "i").get_attribute("style")


def test_a_splitter_gives_a_panel_its_width(one: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    press(one, "4")
    width = one.find_element("id", "panels").size["width"]
    bar = one.find_element("css selector", "main > .splitter")
    ActionChains(one).drag_and_drop_by_offset(bar, 120, 0).perform()
    assert one.find_element("id", "panels").size["width"] == pytest.approx(width - 120, abs=2)
    canvas = one.find_element("id", "timeline").rect
    assert canvas["x"] + canvas["width"] <= bar.rect["x"] + 1
    press(one, "1")
    assert one.find_element("id", "panels").size["width"] < width - 120
    press(one, "4")
    assert one.find_element("id", "panels").size["width"] == pytest.approx(width - 120, abs=2)


def test_search_marks_counts_and_walks(one: Any) -> None:
    press(one, "/")
    press(one, "S_BARRIER")
    said = one.find_element("id", "found").text
    barriers = one.execute_script(
        """const {waves} = window.wavesim.runs[0];
        return waves.reduce((sum, wave) => sum + wave.barriers.length, 0);"""
    )
    assert said.endswith(f"issued {barriers} times")
    press(one, "\ue007")
    clk = """const p = window.wavesim.view.marks.selected;
        return [p.run.entry(p.position, p.row).text, p.run.waves[p.position].issue[p.row]];"""
    text, first = one.execute_script(clk)
    press(one, "\ue007")
    again, second = one.execute_script(clk)
    assert text == again == "s_barrier"
    assert second > first
    one.execute_script("window.wavesim.panels.open('code')")
    found = one.find_elements("css selector", "#assembly .line.found")
    assert found
    assert all("s_barrier" in line.text for line in found)


def test_the_address_brings_the_view_back(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["one"])
    press(browser, "4")
    browser.execute_script(
        """const {view, runs, field} = window.wavesim; view.select({run: runs[0], position: 3, row: 500});
        field.value = "ds_read"; window.wavesim.find("ds_read", 0); view.show(5000, 5400);"""
    )
    browser.execute_async_script("setTimeout(arguments[0], 600)")
    state = """const {view, panels, field} = window.wavesim, p = view.marks.selected;
        return [view.from, view.to, panels.current, field.value, p.position, p.row];"""
    before = browser.execute_script(state)
    assert before == [5000, 5400, "code", "ds_read", 3, 500]
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)
    opened_again(browser)
    assert browser.execute_script(state) == before
    assert complaints(browser) == []


def test_two_fingers_zoom_and_one_pans(one: Any) -> None:
    box = one.find_element("id", "timeline").rect
    x, y = box["x"] + box["width"] / 2, box["y"] + 120

    def touch(kind: str, *apart: float) -> None:
        points = [{"x": x + each, "y": y, "id": number} for number, each in enumerate(apart)]
        one.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def shown() -> tuple[float, float]:
        low, high = one.execute_script("return [window.wavesim.view.from, window.wavesim.view.to]")
        return float(low), float(high)

    before = shown()
    touch("touchStart", -50)
    touch("touchStart", -50, 50)
    for apart in (60, 80, 100):
        touch("touchMove", -apart, apart)
    touch("touchEnd")
    pinched = shown()
    assert pinched[1] - pinched[0] == pytest.approx((before[1] - before[0]) / 2, rel=0.02)
    touch("touchStart", 0)
    for moved in (-20, -60, -100):
        touch("touchMove", moved)
    touch("touchEnd")
    panned = shown()
    assert panned[0] > pinched[0]
    assert panned[1] - panned[0] == pytest.approx(pinched[1] - pinched[0])


def test_words_explain_themselves(one: Any) -> None:
    word = one.find_element("css selector", "#runs dt .word")
    move_to(one, word.rect["x"] + 3, word.rect["y"] + 5)
    tip = one.find_element("id", "tip")
    entry = explained("verdict")
    assert entry is not None
    assert tip.text == f"verdict\n{entry.text}"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
def test_no_tip_and_no_page_is_larger_than_the_view(
    browser: Any, pages: dict[str, Path], width: int, height: int
) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(browser, pages["one"])
        tips = browser.execute_script(
            """const app = window.wavesim, run = app.runs[0], found = [];
            for (const wave of run.waves) for (let row = 0; row < 3000; row += 97) {
              const at = {clientX: (row * 7) % innerWidth, clientY: (row * 3) % innerHeight};
              app.hover({run, position: wave.position, row}, at);
              const tip = app.tip.element, box = tip.getBoundingClientRect();
              found.push([box.left, box.top, box.right, box.bottom, tip.scrollHeight - tip.clientHeight]);
            }
            app.hover(null, null); return found;"""
        )
        for left, top, right, bottom, hidden in tips:
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert hidden <= 0
        for tab in range(5):
            press(browser, str(tab + 1))
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"panel {tab + 1}"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_theme_and_size(one: Any) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    before = one.execute_script(ground)
    press(one, "t")
    assert one.execute_script(ground) != before
    unit = one.execute_script("return window.wavesim.painter.unit")
    press(one, ">")
    assert one.execute_script("return window.wavesim.painter.unit") > unit


def test_a_finding_shows_at_the_top(one: Any) -> None:
    """The numbers are right, but the kernel is not."""
    shown = one.find_element("css selector", ".chip").text
    assert "bad: an error or warning" in shown
    assert "next\n1 finding" in shown


def test_two_kernels_share_the_clock_axis(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["two"])
    assert complaints(browser) == []
    first, second = browser.find_elements("css selector", ".chip")
    assert "unchecked: numbers right" in first.text
    assert "unchecked: numbers not checked" in second.text
    advice = browser.execute_script("return window.wavesim.runs[0].data.explanation.advice[0]")
    assert f"{advice['text']}: {advice['clk']:.1f} in place of" in first.text
    browser.find_element("id", "align").click()
    heads = browser.execute_script(
        """return window.wavesim.runs.map((run) => {
          const starts = run.iterations(); return starts[Math.floor(starts.length / 2)] + run.offset; });"""
    )
    assert heads[0] == heads[1]
    press(browser, "2")
    of_first = browser.find_element("id", "tab-explain").text
    browser.find_elements("css selector", ".chip")[1].click()
    of_second = browser.find_element("id", "tab-explain").text
    assert "Critical path" in of_first
    assert "Critical path" in of_second
    assert of_first != of_second
    assert complaints(browser) == []


def test_first_paint_and_frames_with_100_k_instructions(one: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured and reported (issue: first paint within 1 s, 30 frames/s), not asserted on time."""
    paint = one.execute_script("return performance.getEntriesByType('paint').map((each) => each.startTime)")
    frames = one.execute_async_script(
        """const done = arguments[0], {view} = window.wavesim;
        view.show(view.startClk, view.endClk);
        const begin = performance.now(); let frames = 0;
        const step = () => {
          view.zoom(frames % 60 < 30 ? 0.85 : 1 / 0.85); frames += 1;
          if (performance.now() - begin < 2000) requestAnimationFrame(step);
          else done([frames, performance.now() - begin]);
        };
        requestAnimationFrame(step);"""
    )
    per_s = 1000 * frames[0] / frames[1]
    with capsys.disabled():
        print(f"\nreport.html, 110 k instructions: {json.dumps(paint)} ms to paint, {per_s:.0f} frames/s")
    assert per_s > SLOWEST_FRAMES_PER_S
    assert complaints(one) == []
