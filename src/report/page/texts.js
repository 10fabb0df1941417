// The texts of a case, which the page keeps in few bytes, read back: what recurs stands once in `shared-data`.

const shared = readJson("shared-data");

/** What the number of a score's verdict means, and the value that such a score has if it does not say another. */
const VERDICT_NAMES = ["pass", "fail", "unscored"];
const PLAIN_VALUES = [1, 0, null];

const textsRead = new Map();

/** The texts of a case; null if the page had no room for them. */
function textsOf(at) {
  if (!textsRead.has(at)) textsRead.set(at, readTexts(at));
  return textsRead.get(at);
}

function readTexts(at) {
  const texts = readJson(`case-${at}`);
  return texts && { ...texts, prompts: texts.prompts.map(promptOf) };
}

/** A prompt with a case's values: kept as it parts from the first case's. */
function promptOf(prompt, place) {
  if (prompt === null) return null;
  const base = shared.prompts[place];
  const user = textOf(base.user, prompt.user);
  return prompt.system === undefined ? { user } : { system: textOf(base.system, prompt.system), user };
}

/** A text that begins and ends, for some characters, as another does. */
function textOf(base, [head, tail, middle]) {
  const characters = Array.from(base);
  return [...characters.slice(0, head), middle, ...characters.slice(characters.length - tail)].join("");
}

/** A score of an answer: its property, verdict, value, reason if there is one, and evidence. */
function scoreOf([place, verdict, value = PLAIN_VALUES[verdict], reason = -1, ...numbers], characters) {
  const evidence = [];
  for (let at = 0; at < numbers.length; at += 4) evidence.push(evidenceOf(numbers.slice(at, at + 4), characters));
  return {
    property: data.properties[place].name,
    verdict: VERDICT_NAMES[verdict],
    value,
    reason: shared.recurring[reason],
    evidence,
  };
}

/** A piece of evidence: where it stands or the words that are missing, what it is, and why it counts. */
function evidenceOf([start, length, kind, why], characters) {
  const isMissing = start === -1;
  const words = isMissing ? shared.recurring[length] : characters.slice(start, start + length).join("");
  const place = isMissing ? { text: words } : { at: [start, start + length] };
  const told = shared.recurring[why];
  return { ...place, ...shared.recurring[kind], why: Array.isArray(told) ? told.join(words) : told };
}
