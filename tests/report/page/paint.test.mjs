import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnFill, Rows, inkOn, pixelOf, shortened } from "../../../wavesim/report/page/assets/paint.mjs";
import { shownInStrip } from "../../../wavesim/report/page/assets/view.mjs";

test("ink stands out from its block", () => {
  assert.deepEqual(["#000000", "#0072b2", "#9bdcff", "#ffffff"].map(inkOn), ["#ffffff", "#ffffff", "#000000", "#000000"]);
});

test("a column narrower than what falls into it has the class with most of it", () => {
  const drawn = [];
  const fill = new ColumnFill(3, (which, x, width) => drawn.push([which, x, width]));
  fill.put(0, 0.3, 0);
  fill.put(0.3, 0.9, 1);
  fill.put(0.9, 4.2, 2);
  fill.put(4.2, 5, 0);
  fill.finish();
  assert.deepEqual(drawn, [[1, 0, 1], [2, 1, 3], [0, 4, 1]]);
});

test("rows have the pixels that were put, inside their edges", () => {
  const put = [];
  const image = (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) });
  const context = { createImageData: image, putImageData: ({ data }) => put.push([...new Uint32Array(data.buffer)]) };
  const rows = new Rows({ getContext: () => context }, 3, 2);
  rows.fillAll(() => {
    rows.fill(0, -2, 3, 7);
    rows.fill(1, 2, 5, 8);
  });
  rows.fillAll(() => rows.fill(1, 0, 1, 9));
  assert.deepEqual(put, [[7, 0, 0, 0, 0, 8], [0, 0, 0, 9, 0, 0]]);
  assert.deepEqual([...new Uint8Array(Uint32Array.of(pixelOf("#0172b2")).buffer)], [1, 0x72, 0xb2, 255]);
});

test("a text that is cut says so", () => {
  assert.deepEqual([8, 7, 2].map((letters) => shortened("s_endpgm", letters)), ["s_endpgm", "s_endp…", "s…"]);
});

test("the strip counts the matrix pipes, or the waves where none is used", () => {
  const waves = [{ issue: [0], end: [4] }];
  const pipe = { resource: "mfma", start: [0], end: [16] };
  assert.deepEqual(shownInStrip({ waves, busy: [pipe, { resource: "mfma", start: [], end: [] }] }), { spans: [pipe], activity: 0 });
  assert.deepEqual(shownInStrip({ waves, busy: [] }), { spans: [{ start: [0], end: [4] }], activity: -1 });
});
