import assert from "node:assert/strict";
import { test } from "node:test";
import { entryOf, pieces } from "../../../wavesim/report/page/assets/dom.mjs";
import { VOCABULARY } from "./made.mjs";

const { words } = VOCABULARY;

test("words of the glossary are found in a sentence, once each; its English words are none", () => {
  const found = pieces("issue MFMAs at s_barrier; an MFMA waits, lgkmcnt(0).", words).filter(([, entry]) => entry);
  assert.deepEqual(found.map(([text]) => text), ["MFMAs", "s_barrier", "lgkmcnt"]);
});

test("no piece of a longer word, a path or an opcode is taken", () => {
  for (const text of ["v_MFMA_f32", "kernels/MFMA.yaml", "lgkmcnt_full", "myMFMA"]) assert.deepEqual(pieces(text, words), [[text, null]]);
});

test("the pieces are the sentence", () => {
  const text = "MFMA at s_barrier: MFMA.";
  assert.equal(pieces(text, words).map(([piece]) => piece).join(""), text);
});

test("a label is looked up as a whole", () => {
  assert.equal(entryOf("issue", words), "Slots.");
  assert.equal(entryOf("waves", words), "64 lanes.");
  assert.equal(entryOf("place", words), null);
});
