// Any two answers laid side by side, sentence by sentence, then word by word, by the rules of diff.html; only where words
// part, the browser's dictionary decides.

/** Sentences of less likeness are shown as one removed and one added. */
const LEAST_LIKENESS = 0.4;

/** A shorter sentence that is found elsewhere is more likely a repeated heading than a moved one. */
const SHORTEST_MOVED = 6;

/** Beyond these a reader would wait: sentences or words of one answer × those of the other, and what is read of them. */
const MOST_COMPARISONS = 4_000_000;
const MOST_LIKENESSES = 40_000;
const MOST_LETTERS = 10_000_000;
const LONGEST_CUT = 20_000;

const STOPS = "。！？!?";
const OPENING = "「『（(【〔《";
const CLOSING = "」』）)】〕》";

/** The sentences of an answer, which end at stops outside brackets and at line ends: text, place, and how many line ends (two at most) part it from the one before. */
function sentencesOf(characters) {
  const found = [];
  let [start, end, depth] = [0, 0, 0];
  const finish = (stop) => {
    let [from, to] = [start, stop];
    while (from < to && /\s/.test(characters[from])) from += 1;
    while (from < to && /\s/.test(characters[to - 1])) to -= 1;
    [start, depth] = [stop, 0];
    if (from === to) return;
    const breaks = characters.slice(end, from).filter((character) => character === "\n").length;
    found.push({
      text: characters.slice(from, to).join(""),
      at: [from, to],
      gap: found.length === 0 ? 0 : Math.min(2, breaks),
    });
    end = to;
  };
  characters.forEach((character, at) => {
    if (OPENING.includes(character)) depth += 1;
    if (CLOSING.includes(character)) depth = Math.max(0, depth - 1);
    const stops = depth === 0 && STOPS.includes(character) && !STOPS.includes(characters[at + 1]);
    if (stops || character === "\n") finish(at + 1);
  });
  finish(characters.length);
  return found;
}

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter("ja", { granularity: "word" }) : null;

/** The words of a sentence; in an old browser, its stretches of one script. */
function wordsOf(text) {
  if (segmenter) return Array.from(segmenter.segment(text), ({ segment }) => segment);
  return text.match(/\p{Script=Han}+|[\p{Script=Katakana}ー]+|[a-z0-9.,]+|./gisu) ?? [];
}

/** Pairs in order on both sides with the greatest weight in sum. */
function heaviestPairs(m, n, weight) {
  const width = n + 1;
  const best = new Float32Array((m + 1) * width);
  const isPaired = new Uint8Array(best.length);
  for (let i = 1; i <= m; i += 1) {
    for (let j = 1; j <= n; j += 1) {
      const here = i * width + j;
      best[here] = Math.max(best[here - width], best[here - 1]);
      const sum = best[here - width - 1] + weight(i - 1, j - 1);
      if (sum > best[here]) [best[here], isPaired[here]] = [sum, 1];
    }
  }
  const pairs = [];
  let [i, j] = [m, n];
  while (i > 0 && j > 0) {
    const here = i * width + j;
    if (isPaired[here]) pairs.push([(i -= 1), (j -= 1)]);
    else if (best[here - width] >= best[here - 1]) i -= 1;
    else j -= 1;
  }
  return pairs.reverse();
}

/** How many items two lists have in common from their beginnings. */
function commonHead(old, now) {
  const most = Math.min(old.length, now.length);
  let count = 0;
  while (count < most && old[count] === now[count]) count += 1;
  return count;
}

/** The pairs of equal texts in order on both sides; of too much to compare, those at the ends alone. */
function equalPairs(old, now) {
  const head = commonHead(old, now);
  const [before, after] = [old.slice(head), now.slice(head)];
  const tail = commonHead([...before].reverse(), [...after].reverse());
  const [m, n] = [before.length - tail, after.length - tail];
  const isCoarse = m * n > MOST_COMPARISONS;
  const middle = isCoarse ? [] : heaviestPairs(m, n, (i, j) => (before[i] === after[j] ? 1 : 0));
  const pairs = [
    ...Array.from({ length: head }, (_, at) => [at, at]),
    ...middle.map(([i, j]) => [head + i, head + j]),
    ...Array.from({ length: tail }, (_, at) => [head + m + at, head + n + at]),
  ];
  return { pairs, isCoarse };
}

/** How often each pair of neighbouring letters stands in a text. */
function letterPairs(text) {
  const letters = Array.from(text);
  const pairs = letters.length < 2 ? letters : letters.slice(1).map((letter, at) => letters[at] + letter);
  const counts = new Map();
  for (const pair of pairs) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  return { counts, all: pairs.length };
}

/** Dice's coefficient: the share of letter pairs that both have. */
function likeness(old, now) {
  let both = 0;
  for (const [pair, count] of old.counts) both += Math.min(count, now.counts.get(pair) ?? 0);
  return (2 * both) / (old.all + now.all);
}

/** The pairs of like sentences; null if there is too much to compare. */
function likePairs(old, now) {
  const letters = (list) => list.reduce((sum, { text }) => sum + text.length, 0);
  const toRead = letters(old) * now.length + letters(now) * old.length;
  if (old.length * now.length > MOST_LIKENESSES || toRead > MOST_LETTERS) return null;
  const [before, after] = [old, now].map((list) => list.map(({ text }) => letterPairs(text)));
  return heaviestPairs(old.length, now.length, (i, j) => {
    const alike = likeness(before[i], after[j]);
    return alike >= LEAST_LIKENESS ? alike : 0;
  });
}

/** Calls `between` with what lies before, between and after pairs, and `paired` with each pair. */
function walk(pairs, ends, between, paired) {
  let [i, j] = [0, 0];
  for (const [k, l] of [...pairs, ends]) {
    if (k > i || l > j) between([i, k], [j, l]);
    if (k < ends[0]) paired(k, l);
    [i, j] = [k + 1, l + 1];
  }
}

/** The stretches of two sentences that differ, in characters of each; null if they are too long to be cut into words. */
function changedWords(old, now) {
  if (Math.max(old.text.length, now.text.length) > LONGEST_CUT) return null;
  const [before, after] = [old, now].map(({ text }) => wordsOf(text));
  const { pairs, isCoarse } = equalPairs(before, after);
  if (isCoarse) return null;
  const [oldEnds, nowEnds] = [before, after].map((list) => {
    const ends = [0];
    for (const one of list) ends.push(ends[ends.length - 1] + Array.from(one).length);
    return ends;
  });
  const changes = [];
  const add = (removed, added) => {
    const change = [removed.map((at) => oldEnds[at]), added.map((at) => nowEnds[at])];
    const last = changes[changes.length - 1];
    // Changes that are parted by one character are one: the eye does not profit from a `の` that stayed.
    const isNear = last && last.every(([from, to]) => from < to) && change[0][0] - last[0][1] <= 1;
    if (isNear) [0, 1].forEach((side) => (last[side][1] = change[side][1]));
    else changes.push(change);
  };
  walk(pairs, [before.length, after.length], add, () => {});
  return changes;
}

const isAll = ([[start, end]], { at: [from, to] }) => start === 0 && end === to - from;

/** The row of two sentences that are alike, or a row each where no word is the same. */
function rewordedRows(old, now, told) {
  const changes = changedWords(old, now);
  if (changes === null) told.isCoarse = true;
  if (changes === null || changes.some((change) => isAll(change, old))) return apartRows([old], [now]);
  const side = (place, sentence) =>
    changes
      .map((change) => change[place])
      .filter(([from, to]) => from < to)
      .map((range) => range.map((at) => at + sentence.at[0]));
  return [{ sign: "~", old, now, removed: side(0, old), added: side(1, now) }];
}

const apartRows = (old, now) => [
  ...old.map((sentence) => ({ sign: "-", old: sentence, removed: [], added: [] })),
  ...now.map((sentence) => ({ sign: "+", now: sentence, removed: [], added: [] })),
];

/** Marks sentences that were removed here and added there as moved. */
function findMoved(rows) {
  const removed = new Map();
  for (const row of rows)
    if (row.sign === "-") removed.set(row.old.text, [...(removed.get(row.old.text) ?? []), row]);
  for (const row of rows) {
    if (row.sign !== "+" || row.now.at[1] - row.now.at[0] < SHORTEST_MOVED) continue;
    const from = removed.get(row.now.text)?.shift();
    if (from) [from.sign, row.sign] = ["<", ">"];
  }
}

/** Two answers laid side by side: a row a sentence, its sign, its places, the words removed and those added. */
function differences(base, answer) {
  const [old, now] = [base, answer].map(({ characters }) => sentencesOf(characters));
  const same = equalPairs(...[old, now].map((list) => list.map(({ text }) => text)));
  const told = { rows: [], isCoarse: same.isCoarse };
  const add = (rows) => rows.forEach((row) => told.rows.push(row));
  const changed = (...ranges) => {
    const [before, after] = [old.slice(...ranges[0]), now.slice(...ranges[1])];
    const like = same.isCoarse ? null : likePairs(before, after);
    if (like === null) told.isCoarse = true;
    walk(
      like ?? [],
      [before.length, after.length],
      (removed, added) => add(apartRows(before.slice(...removed), after.slice(...added))),
      (i, j) => add(rewordedRows(before[i], after[j], told)),
    );
  };
  walk(same.pairs, [old.length, now.length], changed, (i, j) =>
    add([{ sign: "=", old: old[i], now: now[j], removed: [], added: [] }]),
  );
  findMoved(told.rows);
  return told;
}
