import assert from "node:assert/strict";
import { test } from "node:test";
import { Run } from "../../../wavesim/report/page/assets/run.mjs";

const waves = (...pairs) => pairs.map(([workgroup, wave]) => ({ workgroup, wave }));
const named = (all, some = all) => Run.prototype.names.call({ waves: all }, some);

test("several waves are named in few words, with their workgroups where there are several", () => {
  assert.equal(named(waves([0, 0], [0, 1], [0, 2], [0, 5])), "waves 0-2,5");
  assert.equal(named(waves([0, 0], [0, 1]), waves([0, 1])), "wave 1");
  assert.equal(named(waves([0, 0], [1, 0], [2, 0], [2, 1])), "g0-1 w0, g2 w0-1");
});
