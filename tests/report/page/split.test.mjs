import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAST_PART_PX, fitting } from "../../../wavesim/report/page/assets/split.mjs";

test("both parts keep room", () => {
  assert.equal(fitting(10, 1000), LEAST_PART_PX);
  assert.equal(fitting(990, 1000), 1000 - LEAST_PART_PX);
  assert.equal(fitting(400, 1000), 400);
});
