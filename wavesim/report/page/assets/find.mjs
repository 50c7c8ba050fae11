// Find: instructions by their text.

/** Static instructions whose text, label or comment holds every word, whatever its case: their numbers, in order. */
export function matching(run, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  run.code.forEach((entry, code) => {
    const said = `${run.data.labels[String(code)] || ""} ${entry.text} ${entry.comment || ""}`.toLowerCase();
    if (words.every((word) => said.includes(word))) found.push(code);
  });
  return found;
}
