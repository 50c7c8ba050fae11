import assert from "node:assert/strict";
import { test } from "node:test";
import { lineStory, placed } from "../../../wavesim/report/page/assets/tip.mjs";
import { twoWaves } from "./made.mjs";

test("the box stays in the view, wherever the pointer is", () => {
  for (const [width, height] of [[390, 844], [1280, 800], [1920, 1080]]) {
    const box = { width: Math.min(500, width - 8), height: Math.min(300, height - 8) };
    for (let x = 0; x <= width; x += 13) {
      for (let y = 0; y <= height; y += 13) {
        const at = placed({ x, y }, box, { width, height });
        assert.ok(at.x >= 4 && at.y >= 4 && at.x + box.width <= width - 4 && at.y + box.height <= height - 4, `${x}, ${y}`);
      }
    }
  }
});

test("it does not cover the pointer where there is room", () => {
  const at = placed({ x: 700, y: 20 }, { width: 300, height: 50 }, { width: 800, height: 600 });
  assert.deepEqual(at, { x: 384, y: 36 });
});

test("a line says its clocks by reason and because of whom", () => {
  const rows = lineStory(twoWaves(), [2], 92);
  assert.deepEqual(rows, [
    ["issued", "3 times"], ["clocks", "32, 34.8 % of all waves' clocks"],
    ["issue", "12 clk"], ["lgkmcnt", "8 clk: because of ds_read_b32 v1, v0 (8)"], ["lds_queue", "12 clk: because of ds_read_b32 v1, v0 (12)"],
  ]);
});
