import assert from "node:assert/strict";
import { test } from "node:test";
import { readLink, written } from "../../../wavesim/report/page/assets/link.mjs";

test("what is written comes back", () => {
  for (const state of [
    { from: 9108, to: 11496 },
    { from: -32, to: 100, run: 1, tab: "code", find: "v_mfma a&b=%", path: true, aligned: true, select: { position: 3, row: 512 } },
  ]) assert.deepEqual(readLink(`#${written(state)}`), state);
});

test("nonsense is left out", () => {
  for (const text of ["", "#", "#clk=5-5", "#clk=x-y", "#at=1", "#at=-1.2", "#run=x", "#clk=9-1"]) assert.deepEqual(readLink(text), {});
  assert.deepEqual(readLink("#find=%E0%A4%A"), { find: "%E0%A4%A" });
});
