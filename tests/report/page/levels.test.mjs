import assert from "node:assert/strict";
import { test } from "node:test";
import { Levels, LEAST_BIN_CLK, MOST_BINS } from "../../../wavesim/report/page/assets/levels.mjs";

/** Intervals that follow each other, from a fixed pseudo-random sequence. */
function intervals(end) {
  const found = [];
  let seed = 7;
  const next = (most) => (seed = (seed * 16807) % 2147483647) % most;
  for (let clk = next(50); clk < end; clk += next(9)) {
    const to = Math.min(end, clk + 1 + next(90));
    found.push([clk, to, next(4)]);
    clk = to;
  }
  return found;
}

test("each bin of each level has the class with most of its clocks", () => {
  const all = intervals(9000);
  const { levels } = new Levels(9000, 4, (put) => all.forEach((each) => put(...each)));
  assert.ok(levels.length > 2);
  for (const { bin, classes } of levels) {
    classes.forEach((which, at) => {
      const sums = [0, 0, 0, 0];
      for (const [from, to, kind] of all) sums[kind] += Math.max(0, Math.min(to, (at + 1) * bin) - Math.max(from, at * bin));
      assert.equal(which === 255 ? 0 : sums[which], Math.max(...sums), `bin ${at} of ${bin}`);
    });
  }
});

test("a level is never coarser than a pixel", () => {
  const levels = new Levels(100000, 1, (put) => put(0, 100000, 0));
  assert.equal(levels.at(LEAST_BIN_CLK - 1), null);
  for (const clk of [32, 33, 64, 100, 1e6]) assert.ok(levels.at(clk).bin <= clk);
});

test("a very long run takes no more bins", () => {
  assert.ok(new Levels(1e9, 2, (put) => put(5, 1e9, 1)).levels[0].classes.length <= MOST_BINS + 1);
});

test("stretches join neighbours and leave out what is empty", () => {
  const levels = new Levels(320, 2, (put) => [[0, 64, 1], [64, 128, 0], [128, 160, 0], [224, 320, 1]].forEach((each) => put(...each)));
  const found = [];
  Levels.stretches(levels.levels[0], 0, 320, (...each) => found.push(each));
  assert.deepEqual(found, [[0, 64, 1], [64, 160, 0], [224, 320, 1]]);
});
