// One case in full: its source and prompt, and the answers of one variant or several with the words marked that verdicts
// rest on.

const WEIGHTS = ["against", "neutral", "for"];
const SIGNS = { against: "✗", neutral: "?", for: "✓" };
const CHANGE_SIGNS = { "=": "", "~": "~", "-": "−", "+": "+", "<": "↗", ">": "↘" };
const MOST_EVIDENCE = 6;
const MOST_AGAINST = 40;

/** A browser takes seconds to set more characters than that in one go. */
const MOST_CHARACTERS = 40_000;

/** The marked stretches of an answer: each with the pieces of evidence that cover it, the gravest first. */
function stretches(evidence) {
  const ends = [...new Set(evidence.flatMap((piece) => piece.at))].sort((one, other) => one - other);
  const sorted = [...evidence].sort((one, other) => one.at[0] - other.at[0]);
  const found = [];
  let open = [];
  let next = 0;
  for (let place = 0; place + 1 < ends.length; place += 1) {
    const [start, end] = [ends[place], ends[place + 1]];
    open = open.filter((piece) => piece.at[1] > start);
    while (next < sorted.length && sorted[next].at[0] <= start) open.push(sorted[next++]);
    const covering = open.filter((piece) => piece.at[1] > start);
    covering.sort((one, other) => WEIGHTS.indexOf(one.weight) - WEIGHTS.indexOf(other.weight));
    if (covering.length > 0) found.push({ start, end, covering });
  }
  return found;
}

/** Why words are marked, in a line. */
function why(piece) {
  const found = [piece.kind, piece.verdict, piece.basis].filter((part) => part !== undefined);
  const waived = piece.waived ? [word("waived", { reason: piece.waived })] : [];
  return [...new Set(found), ...(piece.why ? [piece.why] : []), ...waived].join(" · ");
}

/** Characters as text, the hidden ones among them spelt out and framed. */
function plain(characters) {
  const parts = [];
  let text = "";
  characters.forEach((character, place) => {
    if (character === "\r" && characters[place + 1] === "\n") return;
    if (!hiddenPattern.test(character)) {
      text += character;
      return;
    }
    parts.push(text, make("span", { class: "spelt" }, spelt(character)));
    text = "";
  });
  return [...parts, text].filter((part) => part !== "");
}

/** A part of an answer, of which a very long one waits behind a button. */
function passage(answer, [from, to], changed, tag) {
  const end = Math.min(to, from + MOST_CHARACTERS);
  const nodes = words(answer, [from, end], changed, tag);
  if (end === to) return nodes;
  const more = make("button", { type: "button", class: "more" }, word("more_text", { n: to - end }));
  more.addEventListener("click", () => more.replaceWith(...passage(answer, [end, to], changed, tag)));
  return [...nodes, more];
}

/** Words of an answer: cut where marks and changes begin and end. */
function words(answer, [from, to], changed, tag) {
  const cuts = new Set([from, to]);
  const within = (place) => place > from && place < to && cuts.add(place);
  const marked = answer.stretches.filter((stretch) => stretch.end > from && stretch.start < to);
  for (const stretch of marked) [stretch.start, stretch.end].forEach(within);
  for (const range of changed) range.forEach(within);
  const ends = [...cuts].sort((one, other) => one - other);
  const nodes = [];
  let at = 0;
  for (let place = 0; place + 1 < ends.length; place += 1) {
    const [start, end] = [ends[place], ends[place + 1]];
    while (at < marked.length && marked[at].end <= start) at += 1;
    const stretch = at < marked.length && marked[at].start <= start ? marked[at] : null;
    let node = plain(answer.characters.slice(start, end));
    if (changed.some((range) => range[0] <= start && end <= range[1])) node = [make(tag, {}, node)];
    nodes.push(stretch ? markedWords(answer, stretch, start, node) : node);
  }
  return nodes;
}

function markedWords(answer, stretch, start, children) {
  const [first] = stretch.covering;
  const numbers = stretch.covering
    .filter((piece) => piece.at[0] === start && piece.weight !== "for")
    .map((piece) => piece.number);
  const reasons = stretch.covering.map((piece) => `${SIGNS[piece.weight]} ${piece.property}: ${why(piece)}`);
  const sign =
    numbers.length > 0 ? make("sup", { "aria-hidden": "true" }, `${SIGNS[first.weight]}${numbers.join(",")}`) : null;
  const marked = make("mark", { class: first.weight, title: reasons.join("\n") }, sign, children);
  marked.addEventListener("click", () => point(answer.entries.get(first.number)?.()));
  for (const piece of stretch.covering) if (!answer.words.has(piece.number)) answer.words.set(piece.number, marked);
  return marked;
}

/** Brings an element into sight and lights it up for a moment. */
function point(element) {
  if (!element) return;
  element.closest("details")?.setAttribute("open", "");
  element.scrollIntoView({ block: "center", behavior: "auto" });
  element.classList.remove("pointed");
  requestAnimationFrame(() => element.classList.add("pointed"));
}

/** What is needed to draw a trial's answer. */
function answerOf(trial) {
  const texts = textsOf(trial.case).trials[trial.number];
  const characters = Array.from(texts.answer ?? "");
  const scores = texts.scores.map((row) => scoreOf(row, characters));
  const evidence = scores.flatMap((score) => score.evidence.map((piece) => ({ ...piece, property: score.property })));
  const placed = evidence.filter((piece) => piece.at !== undefined).sort((one, other) => one.at[0] - other.at[0]);
  placed.forEach((piece, place) => {
    piece.number = place + 1;
  });
  return { trial, texts, scores, evidence, characters, stretches: stretches(placed), words: new Map(), entries: new Map() };
}

function facts(trial, texts) {
  const told = [];
  const say = (key, values) => told.push(word(key, values));
  if (trial.chars !== null) say("chars", { n: trial.chars });
  if (trial.input !== null || trial.output !== null)
    say("tokens", { in: trial.input ?? "?", out: trial.output ?? "?" });
  if (trial.cost !== null) say("dollars", { x: dollars(trial.cost) });
  if (trial.cached) say("from_store");
  else if (trial.millis > 0) told.push(duration(trial.millis));
  if (trial.attempts > 1) say("attempts", { n: trial.attempts });
  if (texts.served_model !== undefined) say("served", { model: shared.recurring[texts.served_model] });
  if (trial.finish && trial.finish !== "stop")
    say("ended", { reason: [trial.finish, texts.finish].filter(Boolean).join(", ") });
  return told.join(" · ");
}

function attemptList(trial) {
  const attempts = volatile.attempts[trial.number];
  if (!attempts) return null;
  const told = attempts.map((attempt, place) => {
    const what =
      [attempt.status, attempt.failure, attempt.message].filter((part) => part !== undefined).join(" ") || "✓";
    const waited =
      attempt.waited_millis === undefined ? "" : ` · ${word("waited", { time: duration(attempt.waited_millis) })}`;
    return make("li", {}, word("attempt", { n: place + 1, what, time: duration(attempt.millis) }), waited);
  });
  return make(
    "details",
    { class: "attempts" },
    make("summary", {}, word("attempts", { n: attempts.length })),
    make("ol", {}, told),
  );
}

function answerHead(answer) {
  const { trial, texts } = answer;
  return make(
    "header",
    {},
    make(
      "h3",
      {},
      mark(trial.status),
      ` ${trialTitle(trial)} `,
      make("span", { class: trial.status }, word(trial.status)),
      trial.truncated ? make("strong", { class: "cut" }, ` ${word("truncated")}`) : null,
    ),
    make("p", { class: "quiet" }, facts(trial, texts)),
    attemptList(trial),
  );
}

function answerText(answer, added) {
  if (answer.texts.answer === null) {
    const reason = answer.texts.error ?? answer.texts.finish ?? "";
    return make("p", { class: "text notice" }, `${word("no_answer")}${reason ? `: ${reason}` : ""}`);
  }
  return make("div", { class: "text" }, passage(answer, [0, answer.characters.length], added, "ins"));
}

/** A text in Japanese brackets: its own where they hold all of it, else around it, and those within become the inner ones. */
function inBrackets(text) {
  let depth = 0;
  const closes = Array.from(text).findIndex((character) => {
    if ("「『".includes(character)) depth += 1;
    if ("」』".includes(character)) depth = Math.max(0, depth - 1);
    return depth === 0;
  });
  if (/^[「『]/.test(text) && closes === Array.from(text).length - 1) return text;
  return `「${text.replaceAll("「", "『").replaceAll("」", "』")}」`;
}

function quoted(answer, piece) {
  if (piece.at === undefined) return word("missing", { text: inBrackets(piece.text) });
  const text = answer.characters.slice(piece.at[0], piece.at[1]);
  const short = text.length > 60 ? [...text.slice(0, 40), "…", ...text.slice(-18)] : text;
  return inBrackets(short.join("").replace(/\s+/g, " "));
}

function evidenceEntry(answer, piece) {
  const sign = make(
    "span",
    { class: `sign ${piece.weight}`, "aria-hidden": "true" },
    `${SIGNS[piece.weight]}${piece.number ?? ""}`,
  );
  const words = quoted(answer, piece);
  const show = () => point(answer.words.get(piece.number));
  const shown =
    piece.at === undefined
      ? make("span", {}, words)
      : make("button", { type: "button", class: "link", title: word("to_words"), onclick: show }, words);
  const entry = make(
    "li",
    {},
    sign,
    " ",
    shown,
    make("span", { class: "visually-hidden" }, ` (${word(piece.weight)})`),
    " ",
    make("span", { class: "quiet" }, why(piece)),
  );
  return entry;
}

/** The rest of a list of evidence, which is made when somebody looks. */
function restOfEvidence(answer, pieces) {
  const list = make("ul", { class: "evidence" });
  const made = new Map();
  const unfold = () => {
    if (made.size > 0) return;
    for (const piece of pieces) made.set(piece, evidenceEntry(answer, piece));
    list.append(...made.values());
  };
  for (const piece of pieces) answer.entries.set(piece.number, () => (unfold(), made.get(piece)));
  return make("details", { ontoggle: unfold }, make("summary", {}, word("more_evidence", { n: pieces.length })), list);
}

function evidenceList(answer, pieces) {
  if (pieces.length === 0) return null;
  const sorted = [...pieces].sort((one, other) => WEIGHTS.indexOf(one.weight) - WEIGHTS.indexOf(other.weight));
  const against = sorted.filter((piece) => piece.weight === "against").length;
  const few = sorted.length <= MOST_EVIDENCE + 1 ? sorted.length : MOST_EVIDENCE;
  const first = Math.max(Math.min(against, MOST_AGAINST), few);
  const entries = sorted.slice(0, first).map((piece) => {
    const entry = evidenceEntry(answer, piece);
    answer.entries.set(piece.number, () => entry);
    return entry;
  });
  return [
    make("ul", { class: "evidence" }, entries),
    sorted.length > first ? restOfEvidence(answer, sorted.slice(first)) : null,
  ];
}

function scoreEntry(answer, score) {
  const status = STATUS_OF[score.verdict];
  const property = data.properties[propertyAt.get(score.property)];
  const value = score.value !== null && ![0, 1].includes(score.value) ? ` ${Number(score.value.toFixed(2))}` : "";
  const pieces = answer.evidence.filter((piece) => piece.property === score.property);
  return make(
    "li",
    { class: `score ${status}` },
    make(
      "div",
      { class: "head" },
      mark(status),
      make("b", { title: property.label }, propertyName(property)),
      make("span", { class: `verdict ${status}` }, ` ${word(score.verdict)}${value}`),
      judging(answer.trial, score),
    ),
    score.reason ? make("p", { class: "reason" }, score.reason) : null,
    evidenceList(answer, pieces),
  );
}

function scoreList(answer) {
  const rank = { fail: 0, unscored: 1, pass: 2 };
  const scores = [...answer.scores].sort((one, other) => rank[one.verdict] - rank[other.verdict]);
  return make(
    "section",
    { class: "scores", "aria-label": word("verdicts") },
    make(
      "ul",
      {},
      scores.map((score) => scoreEntry(answer, score)),
    ),
  );
}

function changeRow(base, answer, { sign, old, now, removed, added }) {
  const side = (from, sentence, changed, tag, whole) => {
    if (sentence === undefined) return [];
    const words = passage(from, sentence.at, changed, tag);
    return whole ? [make(tag, {}, words)] : words;
  };
  const gap = Math.max(old?.gap ?? 0, now?.gap ?? 0);
  return make(
    "div",
    { class: `row gap-${gap} ${sign === "=" ? "same" : "changed"} ${"<>".includes(sign) ? "moved" : ""}` },
    make("span", { class: "sign" }, CHANGE_SIGNS[sign]),
    make("div", { class: "old" }, side(base, old, removed, "del", "-<".includes(sign))),
    make("div", { class: "new" }, side(answer, now, added, "ins", "+>".includes(sign))),
  );
}

/** Two answers in rows, a sentence each. */
function changesView(base, answer) {
  const { rows, isCoarse } = differences(base, answer);
  return make(
    "div",
    { class: "changes" },
    make(
      "div",
      { class: "row" },
      make("span", { class: "sign" }),
      make("div", { class: "old" }, answerHead(base)),
      make("div", { class: "new" }, answerHead(answer)),
    ),
    make("p", { class: "quiet" }, word("changes_legend")),
    isCoarse ? make("p", { class: "notice" }, word("coarse")) : null,
    rows.map((row) => changeRow(base, answer, row)),
    make(
      "div",
      { class: "row" },
      make("span", { class: "sign" }),
      make("div", { class: "old" }, scoreList(base)),
      make("div", { class: "new" }, scoreList(answer)),
    ),
  );
}

/** The stretches of an answer that another has not, or has in other words. */
function addedTo(base, answer) {
  const { rows } = differences(base, answer);
  return rows.flatMap(({ sign, now, added }) => (sign === "+" ? [now.at] : added));
}

function answerColumn(answer, added = []) {
  const text = make("div", { class: "answer-text" }, answerHead(answer), answerText(answer, added));
  return make("article", { class: "column", "aria-label": trialTitle(answer.trial) }, text, scoreList(answer));
}

/** Whether source and prompt have a place beside the answer; else they stand before it, folded. */
const isWide = () => matchMedia("(min-width: 64rem)").matches;

/** A line of the source: its name and what it says. */
function sourceLine(key, value) {
  const isEmpty = value === null || value === undefined || value.length === 0;
  if (isEmpty) return null;
  const told = Array.isArray(value)
    ? make(
        "ul",
        {},
        value.map((one) => make("li", {}, [one].flat().join(" = "))),
      )
    : value;
  return [make("dt", {}, word(key)), make("dd", {}, told)];
}

function sourceView(at, texts) {
  const { source } = texts;
  const time = source.published_at?.replace("T", " ").replace(/(:\d\d):\d\d\+09:00$/, "$1");
  return make(
    "dl",
    {},
    sourceLine("published", time),
    sourceLine("publisher", source.publisher),
    sourceLine("headline", source.title),
    sourceLine("body", source.body),
    sourceLine("facts", source.facts),
    sourceLine("background", source.background),
    sourceLine("aliases", source.aliases),
    sourceLine("tags", data.cases[at].tags),
  );
}

function promptView(variant, texts) {
  const prompt = texts.prompts[variant.promptAt];
  const told =
    prompt === null
      ? make("p", { class: "quiet" }, word("prompt_unknown"))
      : [
          prompt.system === undefined
            ? null
            : [make("h4", {}, word("system")), make("div", { class: "text" }, plain(Array.from(prompt.system)))],
          make("div", { class: "text" }, plain(Array.from(prompt.user))),
        ];
  return make("details", { open: isWide() }, make("summary", {}, `${word("prompt_sent")}: ${variant.prompt}`), told);
}

function contextView(at, texts, shown) {
  const prompts = new Map(shown.map((trial) => [variants[trial.variant].prompt, variants[trial.variant]]));
  return make(
    "aside",
    { class: "context", "aria-label": word("source") },
    make("details", { open: isWide() }, make("summary", {}, word("source")), sourceView(at, texts)),
    [...prompts.values()].map((variant) => promptView(variant, texts)),
  );
}

/** The command that shows an answer which the page had no room for. */
function leftOutView(trial) {
  const { prompt, model } = variants[trial.variant];
  const command = `evalrun show ${volatile.run} ${data.cases[trial.case].id} --prompt ${prompt} --model ${model}`;
  return make("div", { class: "notice" }, make("p", {}, word("text_left_out")), make("pre", {}, command));
}

const legend = () =>
  make(
    "p",
    { class: "legend" },
    `${word("legend")}: `,
    WEIGHTS.map((weight) => [make("mark", { class: weight }, `${SIGNS[weight]} ${word(weight)}`), " "]),
  );

/** Whether a page knows the words of several of these trials, so that it can tell what changed. */
const areComparable = (shown) =>
  shown.length > 1 && shown.every((trial) => textsOf(trial.case).trials[trial.number].answer !== null);

/** The answers of the trials: two that are compared sentence by sentence, else a column each, in which words are marked that the first has not. */
function answersView(shown, wantsChanges) {
  const answers = shown.map(answerOf);
  const [base, ...others] = answers;
  const isCompared = wantsChanges && areComparable(shown);
  if (isCompared && others.length === 1) return changesView(base, others[0]);
  const columns = [
    answerColumn(base),
    ...others.map((answer) => answerColumn(answer, isCompared ? addedTo(base, answer) : [])),
  ];
  return [
    isCompared ? make("p", { class: "quiet" }, word("added_legend", { name: trialTitle(base.trial) })) : null,
    make("div", { class: columns.length === 1 ? "columns single" : "columns" }, columns),
  ];
}
