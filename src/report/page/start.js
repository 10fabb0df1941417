// Begins the page: the open answer, the keyboard, light and dark.

/** The open case: its place, the trials beside each other, whether changes are shown. */
const open = { at: null, trials: [], wantsChanges: true };

function openCase(at, shown) {
  const address = new URL(addressOf(shown), location.href).href;
  if (location.href !== address) history.pushState(null, "", address);
  showCase(at, shown);
}

function closeCase() {
  const { at } = open;
  Object.assign(open, { at: null, trials: [] });
  byId("answer").close();
  document.body.classList.remove("has-answer");
  history.replaceState(null, "", addressOf([]));
  // Labels may have been given meanwhile, which the matrix shows and filters by.
  applyFilters();
  if (view.cases.includes(at)) view.row = view.cases.indexOf(at);
  focusCell();
}

/** A trial to choose: alone by its name, beside others by its box. */
function chip(trial, name) {
  const isShown = open.trials.includes(trial);
  const toggle = () => {
    const others = open.trials.filter((other) => other !== trial);
    const wanted = isShown ? others : [...open.trials, trial].sort((one, other) => one.number - other.number);
    if (wanted.length > 0) openCase(trial.case, wanted);
  };
  const label = word("lay_beside", { name: trialTitle(trial) });
  const beside = make("input", {
    type: "checkbox",
    checked: isShown,
    "aria-label": label,
    title: word("beside_it"),
    onchange: toggle,
  });
  beside.disabled = isShown && open.trials.length === 1;
  return make(
    "span",
    { class: `chip ${trial.status} ${isShown ? "shown" : ""}` },
    make(
      "button",
      {
        type: "button",
        "aria-pressed": String(isShown),
        "aria-label": `${trialTitle(trial)}: ${word(trial.status)}`,
        onclick: () => openCase(trial.case, [trial]),
      },
      mark(trial.status),
      ` ${name}`,
    ),
    beside,
  );
}

/** The chips by which a reader chooses whose answers stand beside each other; repeats stand together. */
function chooser(at) {
  const hasRepeats = data.plan.repeats > 1;
  const group = (cell, place) =>
    make(
      "span",
      { class: "repeats" },
      hasRepeats ? variants[place].name : null,
      cell.map((trial) => chip(trial, hasRepeats ? `#${trial.repeat}` : variants[place].name)),
    );
  return make(
    "div",
    { class: "chooser", role: "group", "aria-label": word("variants") },
    cells[at].map((cell, place) => (cell.length > 0 ? group(cell, place) : null)),
  );
}

function changesSwitch() {
  if (!areComparable(open.trials)) return null;
  const toggle = (event) => {
    open.wantsChanges = event.target.checked;
    showCase(open.at, open.trials);
  };
  return make(
    "label",
    { class: "switch" },
    make("input", { type: "checkbox", checked: open.wantsChanges, onchange: toggle }),
    ` ${word("changes")}`,
  );
}

function showCase(at, shown) {
  open.at = at;
  open.trials = shown;
  const texts = textsOf(at);
  const { id, title } = data.cases[at];
  const dialog = byId("answer");
  const button = (key, sign, stroke, action) =>
    make(
      "button",
      {
        type: "button",
        "aria-label": word(key),
        "aria-keyshortcuts": stroke,
        title: `${word(key)} (${stroke})`,
        onclick: action,
      },
      sign,
    );
  const head = make(
    "header",
    { class: "bar" },
    make("div", {}, make("h2", { id: "answer-title", tabindex: -1 }, id), make("p", {}, title)),
    make(
      "div",
      { class: "buttons" },
      button("previous", "↑", "k", () => step(-1)),
      button("next", "↓", "j", () => step(1)),
      button("close", "✕", "Escape", closeCase),
    ),
  );
  const content = texts
    ? make(
        "div",
        { class: `case-view ${shown.length > 1 ? "several" : ""}` },
        contextView(at, texts, shown),
        make(
          "div",
          { class: "answers" },
          make("div", { class: "under" }, legend(), changesSwitch()),
          answersView(shown, open.wantsChanges),
        ),
      )
    : make("div", {}, shown.map(leftOutView));
  dialog.replaceChildren(head, chooser(at), content);
  if (!dialog.open) dialog.showModal();
  document.body.classList.add("has-answer");
  dialog.scrollTop = 0;
  byId("answer-title").focus({ preventScroll: true });
}

/** Opens the same variants of a case before or after, in the matrix's order. */
function step(by) {
  const row = view.cases.indexOf(open.at) + by;
  const at = view.cases[row];
  if (at === undefined) return;
  const shown = open.trials
    .map((trial) => cells[at][trial.variant].find((other) => other.repeat === trial.repeat))
    .filter(Boolean);
  const instead = shown.length > 0 ? shown : cells[at].flat().slice(0, 1);
  if (instead.length > 0) openCase(at, instead);
}

/** Opens the same case's answer by the variant before or after. */
function stepVariant(by) {
  const all = cells[open.at].flat();
  const next = all[all.indexOf(open.trials[0]) + by];
  if (next) openCase(open.at, [next]);
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), select, textarea");
}

/** What keys do: in the matrix, and while an answer is open. */
const KEYS = {
  j: [() => move(1, 0), () => step(1)],
  k: [() => move(-1, 0), () => step(-1)],
  l: [() => move(0, 1), () => stepVariant(1)],
  h: [() => move(0, -1), () => stepVariant(-1)],
  ArrowDown: [() => move(1, 0), null],
  ArrowUp: [() => move(-1, 0), null],
  ArrowRight: [() => move(0, 1), null],
  ArrowLeft: [() => move(0, -1), null],
  "/": [() => byId("text").focus(), null],
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape" && !byId("answer").open) event.target.blur();
    return;
  }
  const isInMatrix = event.target.closest?.(".body");
  if (event.key.startsWith("Arrow") && !isInMatrix) return;
  const action = KEYS[event.key]?.[byId("answer").open ? 1 : 0];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Light, dark, or as the system has it. */
function switchTheme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
  setTheme(now === "dark" ? "light" : "dark");
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("evalrun theme", theme);
  } catch {
    // It lasts as long as the page.
  }
}

function keptTheme() {
  try {
    return localStorage.getItem("evalrun theme");
  } catch {
    return null;
  }
}

function showLeftOut() {
  const withoutTexts = data.cases.filter(
    (_, at) => cells[at].some((cell) => cell.length > 0) && byId(`case-${at}`) === null,
  ).length;
  const told = [];
  if (data.left_out > 0) told.push(word("left_out", { n: data.left_out }));
  if (withoutTexts > 0) told.push(word("texts_left_out", { n: withoutTexts }));
  byId("left-out").textContent = told.join(" ");
  byId("left-out").hidden = told.length === 0;
}

function start() {
  const theme = keptTheme();
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  byId("theme").addEventListener("click", switchTheme);
  byId("download").addEventListener("click", downloadLabels);
  byId("forget").addEventListener("click", forgetLabels);
  byId("answer").addEventListener("cancel", (event) => {
    event.preventDefault();
    closeCase();
  });
  // A browser may close the dialog without asking, when Esc is pressed twice.
  byId("answer").addEventListener("close", () => {
    if (open.at !== null) closeCase();
  });
  showHead();
  showCounts();
  showSummary();
  showFilters();
  showLabelCount();
  showLeftOut();
  takeFilters("");
  applyFilters();
  let isWaiting = false;
  addEventListener(
    "scroll",
    () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        drawRows();
      });
    },
    { passive: true },
  );
  addEventListener("resize", layOut);
  addEventListener("beforeprint", () => drawBetween(0, view.cases.length));
  addEventListener("afterprint", drawRows);
  addEventListener("popstate", followAddress);
  document.addEventListener("keydown", onKey);
  followAddress();
  // Whoever follows a link to some cases wants to see these.
  if (open.at === null && addressOfFilters() !== "") byId("matrix-title").scrollIntoView();
}

start();
