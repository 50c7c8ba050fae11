import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnFill, inkOn } from "../../../wavesim/report/page/assets/paint.mjs";

test("ink stands out from its block", () => {
  assert.deepEqual(["#000000", "#0072b2", "#9bdcff", "#ffffff"].map(inkOn), ["#ffffff", "#ffffff", "#000000", "#000000"]);
});

test("a column narrower than what falls into it has the class with most of it", () => {
  const drawn = [];
  const fill = new ColumnFill(null, 3, (which, x, width) => drawn.push([which, x, width]));
  fill.put(0, 0.3, 0);
  fill.put(0.3, 0.9, 1);
  fill.put(0.9, 4.2, 2);
  fill.put(4.2, 5, 0);
  fill.finish();
  assert.deepEqual(drawn, [[1, 0, 1], [2, 1, 3], [0, 4, 1]]);
});
