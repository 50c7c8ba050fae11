import assert from "node:assert/strict";
import { test } from "node:test";
import { codeLines, findingsByLine, timedLines } from "../../../wavesim/report/page/assets/code.mjs";
import { twoWaves } from "./made.mjs";

test("a source line has the clocks of all instructions that came from it", () => {
  const run = twoWaves();
  const lines = timedLines(run, codeLines(run, "k.s"), false);
  assert.deepEqual(lines.map((line) => [line.number, line.codes]), [[1, [0]], [2, [1]], [3, [2]], [4, [3, 4]]]);
  assert.equal(lines.reduce((sum, line) => sum + line.sum.clk, 0), 92);
});

test("a label is a line of its own", () => {
  assert.deepEqual(codeLines(twoWaves(), null).map((line) => line.text.trim()).slice(0, 3), ["s_mov_b32 s0, 0", "again:", "ds_read_b32 v1, v0"]);
});

test("hottest first leaves out what costs nothing", () => {
  const run = twoWaves();
  const clocks = timedLines(run, codeLines(run, null), true).map((line) => line.sum.clk);
  assert.deepEqual(clocks, [...clocks].sort((a, b) => b - a));
  assert.equal(clocks.length, 5);
});

test("a line has its worst finding, in the source too", () => {
  const place = { file: "k.s", line: 2, source: { file: "k.hip", line: 7 } };
  const found = findingsByLine([{ severity: "note", places: [place] }, { severity: "error", places: [place] }, { severity: "warning", places: [place] }]);
  assert.deepEqual([...found].map(([key, each]) => [key, each.severity]), [["k.s:2", "error"], ["k.hip:7", "error"]]);
});
