import assert from "node:assert/strict";
import { test } from "node:test";
import { matching } from "../../../wavesim/report/page/assets/find.mjs";
import { twoWaves } from "./made.mjs";

test("every word must be there, in any case; a label counts", () => {
  const run = twoWaves();
  assert.deepEqual(matching(run, "V1"), [1, 3]);
  assert.deepEqual(matching(run, "mfma v1"), [3]);
  assert.deepEqual(matching(run, "again"), [1, 4]);
});

test("nothing is found by nothing, and no sign has a meaning of its own", () => {
  assert.deepEqual(matching(twoWaves(), "  "), []);
  assert.deepEqual(matching(twoWaves(), "(0)"), [2]);
  assert.deepEqual(matching(twoWaves(), ".*"), []);
});
