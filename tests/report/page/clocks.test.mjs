import assert from "node:assert/strict";
import { test } from "node:test";
import { blamedFor, clocksByCode, clocksOf, hottestLoop, loops, nextPlace, placeBefore } from "../../../wavesim/report/page/assets/clocks.mjs";
import { made, twoWaves } from "./made.mjs";

test("the clocks of the lines are those of the waves", () => {
  const run = twoWaves();
  const clocks = clocksByCode(run);
  assert.equal(clocks.reduce((sum, cell) => sum + cell.clk, 0), 60 + 32);
  for (const cell of clocks) assert.equal(cell.clk, cell.own + [...cell.waits.values()].reduce((sum, clk) => sum + clk, 0));
});

test("further slots of an instruction are its own, not a wait", () => {
  assert.deepEqual(clocksByCode(twoWaves())[3], { issues: 3, clk: 16, own: 16, waits: new Map() });
});

test("several lines add up, parts with most clocks first, each in the colour of its reason", () => {
  const { issues, clk, parts } = clocksOf(twoWaves(), [1, 2]);
  assert.deepEqual([issues, clk], [6, 56]);
  assert.deepEqual(parts.map((part) => [part.colour, part.clk]), [["queue", 24], ["lds-read", 12], ["wait-lgkm", 20]].sort((a, b) => b[1] - a[1]));
  assert.deepEqual(parts.find((part) => part.colour === "wait-lgkm").reasons, [["issue", 12], ["lgkmcnt", 8]]);
});

test("who is to blame is summed by instruction", () => {
  assert.deepEqual(blamedFor(twoWaves(), [2]), [{ code: 1, reason: 4, clk: 12 }, { code: 1, reason: 1, clk: 8 }]);
  assert.deepEqual(blamedFor(twoWaves(), [0]), []);
});

test("a loop goes from the target of a backward step to that step", () => {
  assert.deepEqual(loops(twoWaves()).map(({ from, to }) => [from, to]), [[1, 4]]);
});

test("the hottest loop holds no other one", () => {
  const code = [0, 1, 2, 2, 3, 1, 2, 3, 4];
  const issue = code.map((_, row) => 4 * row);
  const run = made([{ code, issue, end: issue.map((clk) => clk + 4) }]);
  assert.deepEqual(loops(run).map(({ from, to }) => [from, to]), [[1, 3], [2, 2]]);
  assert.equal(hottestLoop(run).from, 2);
  assert.equal(hottestLoop(made([{ code: [0], issue: [0], end: [4] }])), null);
});

test("the next place is the earliest of any wave, or of those asked for", () => {
  const run = twoWaves();
  assert.deepEqual(nextPlace(run, new Set([1]), 5), { position: 1, row: 1 });
  assert.deepEqual(nextPlace(run, new Set([1]), 5, [0]), { position: 0, row: 5 });
  assert.equal(nextPlace(run, new Set([1]), 900), null);
  assert.deepEqual(placeBefore(run, new Set([1]), 16), { position: 0, row: 1 });
});
