// The page's data, its words, and the elements made of them. Texts of others are only ever text nodes, and `visible`
// spells out what would hide in them.

const byId = (id) => document.getElementById(id);

const readJson = (id) => {
  const block = byId(id);
  return block ? JSON.parse(block.textContent) : null;
};

const data = readJson("run-data");
const volatile = readJson("volatile-data");

const MARKS = { passed: "✓", failed: "✗", undecided: "?", errored: "!", skipped: "–" };
const VERDICT_OF = { passed: "pass", failed: "fail", undecided: "unscored", errored: "errored", skipped: "skipped" };
const STATUS_OF = Object.fromEntries(Object.entries(VERDICT_OF).map(([status, verdict]) => [verdict, status]));
const SVG = "http://www.w3.org/2000/svg";

/** The words of a key, with its gaps filled. */
function word(key, values = {}) {
  return data.words[key].replace(/\{(\w+)\}/g, (gap, name) => (name in values ? values[name] : gap));
}

const hiddenPattern = (() => {
  const code = (number) => `\\u{${number.toString(16)}}`;
  return new RegExp(`[${data.hidden.map(([first, last]) => `${code(first)}-${code(last)}`).join("")}]`, "u");
})();

/** A hidden character spelt out, as all reports do it. */
function spelt(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "␡" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/** A text with its hidden characters spelt out. */
function visible(text) {
  if (!hiddenPattern.test(text)) return text;
  const spell = (character) => (hiddenPattern.test(character) ? spelt(character) : character);
  return Array.from(text.replace(/\r\n/g, "\n"), spell).join("");
}

/** Puts attributes and children on an element; strings become text, `onclick` and the like listeners. */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : visible(String(value)));
  }
  element.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (child instanceof Node ? child : visible(String(child)))),
  );
  return element;
}

const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** The trials as objects, by their numbers. */
const trials = data.trials.map((row, number) => {
  const [at, variant, repeat, status, letters, fabricated, chars, finish, input, output, cost] = row;
  const [millis, attempts, cached] = volatile.trials[number];
  const statuses = Array.from(letters, (letter) => (letter === "-" ? null : data.statuses[Number(letter)]));
  return {
    number,
    case: at,
    variant,
    repeat,
    status: data.statuses[status],
    statuses,
    fabricated: fabricated ?? 0,
    chars,
    finish,
    input,
    output,
    cost,
    millis,
    attempts,
    cached,
    truncated: finish === "length" || finish === "continuation",
  };
});

/** The variants in the order of reports. */
const variants = data.prompts.flatMap((prompt, promptAt) =>
  data.models.map((model, modelAt) => ({
    name: `${prompt.id}@${model.id}`,
    prompt: prompt.id,
    model: model.id,
    promptAt,
    modelAt,
  })),
);

/** The trials of each case by variant, in the order of their repeats. */
const cells = data.cases.map(() => variants.map(() => []));
for (const trial of trials) cells[trial.case][trial.variant].push(trial);

/** A trial's variant, with its repeat where there are several. */
const trialTitle = (trial) => variants[trial.variant].name + (data.plan.repeats > 1 ? ` #${trial.repeat}` : "");

const propertyAt = new Map(data.properties.map((property, place) => [property.name, place]));

/** A property's name as files have it, and what it means where that is another language. */
const propertyName = ({ name, label }) => [
  name,
  data.lang === "en" ? null : make("span", { class: "quiet" }, ` ${label}`),
];

/** What became of several trials together: one failure decides, then what is outstanding. */
function together(statuses) {
  const found = statuses.filter((status) => status !== null);
  if (found.length === 0) return null;
  return ["failed", "errored", "undecided", "skipped"].find((status) => found.includes(status)) ?? "passed";
}

/** What became of a variant's answers to a case: of one property, or of all that is required. */
function statusOf(cell, property) {
  return together(cell.map((trial) => (property === null ? trial.status : trial.statuses[property])));
}

function duration(millis) {
  if (millis < 1000) return `${millis}\u00a0ms`;
  const seconds = millis / 1000;
  return seconds < 60
    ? `${seconds.toFixed(1)}\u00a0s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Dollars with as many digits as they need. */
function dollars(cost) {
  return cost === 0 ? "0" : String(Number(cost.toPrecision(3)));
}

const percent = (share) => String(Math.round(share * 100));

const mark = (status) =>
  make("span", { class: `mark ${status ?? "none"}`, "aria-hidden": "true" }, MARKS[status] ?? "·");
