import assert from "node:assert/strict";
import { test } from "node:test";
import { waits, why } from "../../../wavesim/report/page/assets/why.mjs";
import { made, twoWaves } from "./made.mjs";

test("stalls of one reason are one line, with all who are to blame, the worst first", () => {
  const [line, ...more] = why(twoWaves(), 1, 1);
  assert.equal(more.length, 0);
  assert.equal(line.clk, 12);
  assert.equal(line.text, "LDS queue full; longest in it is w0 ds_read_b32 v1, v0 (8), w0 s_mov_b32 s0, 0 (4)");
  assert.deepEqual(line.holder, { position: 0, row: 1 });
});

test("more than three culprits are counted", () => {
  const stalls = [0, 1, 2, 3, 4].map((row) => [5, 4, 4, 0, row]);
  const code = [0, 1, 2, 3, 4, 1];
  const run = made([{ code, issue: [0, 4, 8, 12, 16, 40], end: [4, 8, 12, 16, 20, 44], stalls }]);
  const [line] = why(run, 0, 5);
  assert.match(line.text, /, 2 more$/);
  assert.equal(line.clk, 20);
});

test("repeats of one instruction are one culprit", () => {
  const code = [1, 1, 2];
  const run = made([{ code, issue: [0, 4, 20], end: [4, 8, 24], stalls: [[2, 1, 4, 0, 0], [2, 1, 8, 0, 1]] }]);
  assert.deepEqual(waits(run, 0, 2)[0].by, [{ position: 0, row: 0, clk: 12 }]);
});
