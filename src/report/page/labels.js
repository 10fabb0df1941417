// People's own verdicts: kept in the browser for this run, and downloaded as lines that `evalrun calibrate` reads.

const labelsKey = `evalrun labels ${data.plan.digest} ${volatile.started_at}`;

/** By trial's name, then property: whether the answer passes in the reader's eyes, a note, and the words it rests on. */
let labels = loadLabels();

function loadLabels() {
  try {
    return JSON.parse(localStorage.getItem(labelsKey)) ?? {};
  } catch {
    return {};
  }
}

function keepLabels() {
  try {
    localStorage.setItem(labelsKey, JSON.stringify(labels));
  } catch {
    // A browser that keeps nothing for pages from disk still holds them until the page is closed.
  }
  showLabelCount();
}

/** The name of a trial in the labels' lines. */
const trialName = (trial) => `${data.cases[trial.case].id}/${variants[trial.variant].name}/${trial.repeat}`;

const labelOf = (trial, property) => labels[trialName(trial)]?.[property] ?? null;

const isLabelled = (trial) => trialName(trial) in labels;

/** Sets a label, or takes it away if it is null. */
function setLabel(trial, property, label) {
  const name = trialName(trial);
  const own = { ...labels[name] };
  if (label === null) delete own[property];
  else own[property] = label;
  labels = { ...labels, [name]: own };
  if (Object.keys(own).length === 0) delete labels[name];
  keepLabels();
}

const labelCount = () => Object.values(labels).reduce((sum, own) => sum + Object.keys(own).length, 0);

function showLabelCount() {
  const count = labelCount();
  byId("download").textContent = word("download", { n: count });
  byId("download").disabled = count === 0;
  byId("forget").hidden = count === 0;
}

/** A trial's line: an item with its labels. */
function labelLine(trial) {
  const texts = textsOf(trial.case);
  const own = labels[trialName(trial)];
  const prompt = texts.prompts[variants[trial.variant].promptAt];
  const notes = Object.entries(own)
    .filter(([, label]) => label.note)
    .map(([property, label]) => `${property}: ${label.note}`);
  const judged = Object.entries(own).map(([property, { pass, spans }]) => [
    property,
    spans?.length > 0 ? { pass, spans } : { pass },
  ]);
  return JSON.stringify({
    id: trialName(trial),
    source: texts.source,
    prompt: prompt ? [prompt.system, prompt.user].filter((text) => text !== undefined).join("\n\n") : null,
    output: texts.trials[trial.number].answer,
    labels: Object.fromEntries(judged),
    ...(notes.length > 0 ? { notes: notes.join("\n") } : {}),
  });
}

const labelLines = () => trials.filter((trial) => isLabelled(trial) && textsOf(trial.case)).map(labelLine);

function downloadLabels() {
  const blob = new Blob(
    labelLines().map((line) => `${line}\n`),
    { type: "application/jsonl" },
  );
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: "labels.jsonl" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function forgetLabels() {
  if (!confirm(word("forget_sure", { n: labelCount() }))) return;
  labels = {};
  keepLabels();
  applyFilters();
}

/** The buttons by which a reader judges a verdict. */
function judging(trial, score) {
  const property = data.properties[propertyAt.get(score.property)];
  if (!property.is_judged) return null;
  const choices =
    score.verdict === "unscored"
      ? [
          ["should_pass", true],
          ["should_fail", false],
        ]
      : [
          ["right", score.verdict === "pass"],
          ["wrong", score.verdict !== "pass"],
        ];
  const note = make("input", {
    type: "text",
    class: "note",
    "aria-label": `${word("note")}: ${score.property}`,
    placeholder: word("note"),
  });
  const buttons = choices.map(([key, pass]) => {
    const choose = () => {
      const old = labelOf(trial, score.property);
      setLabel(trial, score.property, old?.pass === pass ? null : { pass, note: note.value });
      show();
    };
    return make(
      "button",
      { type: "button", class: key, "aria-label": `${score.property}: ${word(key)}`, onclick: choose },
      word(key),
    );
  });
  const words = make("span", { class: "spans" });
  const show = () => {
    const label = labelOf(trial, score.property);
    choices.forEach(([, pass], place) => buttons[place].setAttribute("aria-pressed", String(label?.pass === pass)));
    note.hidden = label === null;
    note.value = label?.note ?? note.value;
    words.replaceChildren(...spanMarking(trial, score.property, show));
  };
  note.addEventListener("input", () =>
    setLabel(trial, score.property, { ...labelOf(trial, score.property), note: note.value }),
  );
  show();
  return make(
    "div",
    { class: "judging", role: "group", "aria-label": `${score.property}: ${word("judge")}` },
    buttons,
    note,
    words,
  );
}

/** Whether a label rests on words that can be marked: those that are wrong, or the sentences that cover a topic. */
const restsOnWords = (property, label) => label !== null && label.pass === property.startsWith("covers_");

/** The words that a reader has marked for a label, each with its ✕, and the button that adds those selected in the answer. */
function spanMarking(trial, property, show) {
  const label = labelOf(trial, property);
  if (!restsOnWords(property, label)) return [];
  const spans = label.spans ?? [];
  const keep = (kept) => {
    setLabel(trial, property, { ...label, spans: kept });
    show();
  };
  const told = make("span", { class: "quiet", role: "status" });
  const add = () => {
    const text = document.getSelection().toString().trim();
    const isThere = text !== "" && textsOf(trial.case).trials[trial.number].answer?.includes(text);
    if (!isThere) told.textContent = word("select_words");
    else if (!spans.includes(text)) keep([...spans, text]);
  };
  return [
    ...spans.map((text) =>
      make(
        "button",
        {
          type: "button",
          class: "marked",
          "aria-label": word("forget_words", { text: inBrackets(text) }),
          title: word("forget_words", { text: inBrackets(text) }),
          onclick: () => keep(spans.filter((other) => other !== text)),
        },
        `${inBrackets(text)} ✕`,
      ),
    ),
    make(
      "button",
      {
        type: "button",
        "aria-label": `${property}: ${word("mark_words")}`,
        title: word("select_words"),
        // A button that takes the keyboard takes the selection from some browsers.
        onmousedown: (event) => event.preventDefault(),
        onclick: add,
      },
      `+ ${word("mark_words")}`,
    ),
    told,
  ];
}
