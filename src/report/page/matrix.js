// The matrix of cases and variants: filtered, ordered, and drawn only as far as it is in sight.

const FILTERS = ["text", "property", "verdict", "tag", "prompt", "model", "sort"];
const VERDICTS = ["failed", "passed", "undecided", "errored", "skipped"];
const NARROW = 144;
const CASE_WIDTH = 220;
const SPARE_ROWS = 6;

/** What is shown: the cases in order, the variants, and where the reader is. */
const view = { cases: [], columns: [], row: 0, column: 0, height: 0, isStacked: false, drawn: new Map() };

const valueOf = (id) => byId(id).value;

function addOptions(id, options) {
  byId(id).append(...options.map(([value, text]) => make("option", { value }, text)));
}

function showFilters() {
  const any = ["", word("any")];
  const named = (list) => list.map((name) => [name, name]);
  addOptions("property", [any, ...data.properties.map(({ name, label }) => [name, `${name} · ${label}`])]);
  addOptions("verdict", [
    any,
    ...VERDICTS.map((status) => [status, word(status)]),
    ["truncated", word("truncated")],
    ["differs", word("differs")],
    ["labelled", word("labelled")],
  ]);
  addOptions("tag", [any, ...named([...new Set(data.cases.flatMap((one) => one.tags))].sort())]);
  addOptions("prompt", [any, ...named(data.prompts.map((prompt) => prompt.id))]);
  addOptions("model", [any, ...named(data.models.map((model) => model.id))]);
  addOptions(
    "sort",
    ["plan", "worst", "best", "fabricated", "long", "cost", "slow"].map((key) => [key, word(`sort_${key}`)]),
  );
  byId("tag").closest("label").hidden = data.cases.every((one) => one.tags.length === 0);
  byId("filters").addEventListener("input", changeFilters);
  byId("filters").addEventListener("reset", () => setTimeout(changeFilters));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("marks").append(
    ...data.properties.map(({ name, label }) => make("li", {}, name, make("span", { class: "quiet" }, ` ${label}`))),
  );
}

/** All that is said of a case and in its answers, to be searched. */
const searched = new Map();

function textToSearch(at) {
  if (!searched.has(at)) {
    const { id, title, publisher, tags } = data.cases[at];
    const texts = textsOf(at);
    const answers = texts
      ? Object.values(texts.trials).map((trial) => `${trial.answer ?? ""}\n${trial.error ?? ""}`)
      : [];
    searched.set(at, fold([id, title, publisher, ...tags, ...answers].join("\n")));
  }
  return searched.get(at);
}

/** Letters of either case and width alike. */
const fold = (text) => text.normalize("NFKC").toLowerCase();

function fitsVerdict(at, columns, property, verdict) {
  const shown = columns.flatMap((column) => cells[at][column]);
  if (verdict === "truncated") return shown.some((trial) => trial.truncated);
  if (verdict === "labelled") return shown.some(isLabelled);
  const statuses = columns.map((column) => statusOf(cells[at][column], property));
  if (verdict === "differs") return statuses.includes("passed") && statuses.includes("failed");
  if (verdict === "") return property === null || statuses.some((status) => status !== null);
  return shown.some((trial) => (property === null ? trial.status : trial.statuses[property]) === verdict);
}

/** By what cases are ordered: the greatest first. */
const ORDERS = {
  worst: (list, property) =>
    list.filter((trial) => (property === null ? trial.status : trial.statuses[property]) === "failed").length +
    list.reduce((sum, trial) => sum + trial.statuses.filter((status) => status === "failed").length, 0) / 1000,
  best: (list, property) =>
    list.filter((trial) => (property === null ? trial.status : trial.statuses[property]) === "passed").length,
  fabricated: (list) => list.reduce((sum, trial) => sum + trial.fabricated, 0),
  long: (list) => Math.max(0, ...list.map((trial) => trial.chars ?? 0)),
  cost: (list) => list.reduce((sum, trial) => sum + (trial.cost ?? 0), 0),
  slow: (list) => Math.max(0, ...list.map((trial) => trial.millis)),
};

function ordered(found, columns, property, sort) {
  const rank = ORDERS[sort];
  if (!rank) return found;
  const ranks = new Map(
    found.map((at) => [
      at,
      rank(
        columns.flatMap((column) => cells[at][column]),
        property,
      ),
    ]),
  );
  return [...found].sort((one, other) => ranks.get(other) - ranks.get(one) || one - other);
}

/** Shows what the reader chose; the address follows when the choice rests, since browsers stop pages that hurry them. */
function changeFilters() {
  byId("strange").hidden = true;
  applyFilters();
  clearTimeout(view.waiting);
  view.waiting = setTimeout(() => history.replaceState(null, "", addressOf(open.trials)), 200);
}

function applyFilters() {
  const [text, name, verdict, tag, prompt, model, sort] = FILTERS.map(valueOf);
  const property = name === "" ? null : propertyAt.get(name);
  const words = fold(text).split(/\s+/).filter(Boolean);
  view.columns = variants
    .map((_, place) => place)
    .filter(
      (place) =>
        (prompt === "" || variants[place].prompt === prompt) && (model === "" || variants[place].model === model),
    );
  const found = data.cases
    .map((_, at) => at)
    .filter(
      (at) =>
        cells[at].some((cell) => cell.length > 0) &&
        (tag === "" || data.cases[at].tags.includes(tag)) &&
        fitsVerdict(at, view.columns, property, verdict) &&
        words.every((one) => textToSearch(at).includes(one)),
    );
  view.cases = ordered(found, view.columns, property, sort);
  view.property = property;
  view.row = Math.max(0, Math.min(view.row, view.cases.length - 1));
  view.column = Math.max(0, Math.min(view.column, view.columns.length - 1));
  byId("shown").textContent = word("shown", { n: view.cases.length, all: data.cases.length });
  byId("none").hidden = view.cases.length > 0;
  layOut();
}

/** Decides between a table and cards, and how high a row is, then draws what is in sight. */
function layOut() {
  const matrix = byId("matrix");
  view.isStacked = matrix.clientWidth < CASE_WIDTH + view.columns.length * NARROW;
  const marks = view.property === null ? data.properties.length : 1;
  const lines = view.isStacked ? 1 : Math.ceil(marks / 8);
  view.height = view.isStacked ? 52 + 38 * view.columns.length : Math.max(64, 34 + 17 * lines);
  matrix.classList.toggle("stacked", view.isStacked);
  matrix.style.setProperty("--columns", view.columns.length);
  matrix.style.setProperty("--row", `${view.height}px`);
  matrix.setAttribute("aria-rowcount", view.cases.length + 1);
  const head = make(
    "div",
    { class: "names", role: "row", "aria-rowindex": 1 },
    make("span", { role: "columnheader" }, word("case")),
    view.columns.map((place) => make("span", { role: "columnheader" }, variantName(variants[place]))),
  );
  const body = make("div", { class: "body", role: "rowgroup" });
  body.style.height = `${view.cases.length * view.height}px`;
  matrix.replaceChildren(make("div", { role: "rowgroup", class: "heads" }, head), body);
  view.body = body;
  view.drawn = new Map();
  drawRows();
}

/** Draws the rows that are in sight and a few beside them; takes away the others. */
function drawRows() {
  const top = view.body.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / view.height) - SPARE_ROWS);
  const last = Math.min(view.cases.length, Math.ceil((innerHeight - top) / view.height) + SPARE_ROWS);
  drawBetween(first, last);
}

function drawBetween(first, last) {
  for (const [row, element] of view.drawn) {
    if (row < first || row >= last) {
      element.remove();
      view.drawn.delete(row);
    }
  }
  for (let row = first; row < last; row += 1) {
    if (view.drawn.has(row)) continue;
    const element = rowElement(row);
    view.drawn.set(row, element);
    view.body.append(element);
  }
}

function rowElement(row) {
  const at = view.cases[row];
  const { id, title } = data.cases[at];
  const name = make(
    "div",
    { class: "case", role: "rowheader" },
    make("b", { title: id }, id),
    make("span", { title }, title),
  );
  const element = make(
    "div",
    { class: "line", role: "row", "aria-rowindex": row + 2 },
    name,
    view.columns.map((variant, column) => cellElement(row, column, cells[at][variant])),
  );
  element.style.top = `${row * view.height}px`;
  return element;
}

/** The properties that failed, by name. */
const failedIn = (statuses) =>
  data.properties.filter((_, place) => statuses[place] === "failed").map((property) => property.name);

/** What a cell says in words: the status, and what failed. */
function cellName(variant, status, statuses) {
  const failed = failedIn(statuses);
  return `${variant.name}: ${word(status)}${failed.length > 0 ? ` (${failed.join(", ")})` : ""}`;
}

/** A mark a property, in the order that the page tells; of one property alone where the reader chose it. */
function cellMarks(statuses) {
  const shown = view.property === null ? data.properties.map((_, place) => place) : [view.property];
  return shown.map((place) => {
    const status = statuses[place];
    const said = word(status === null ? "not_required" : (VERDICT_OF[status] ?? status));
    return make(
      "span",
      { class: `mark ${status ?? "none"}`, title: `${data.properties[place].name}: ${said}` },
      MARKS[status] ?? "·",
    );
  });
}

/** The mark of a cell's status, how many repeats passed, whether an answer is truncated. */
function cellStatus(cell, status) {
  const passed = cell.filter((trial) => trial.status === "passed").length;
  const cut = cell.some((trial) => trial.truncated);
  return make(
    "span",
    { class: "status" },
    MARKS[status],
    cell.length > 1 ? ` ${passed}/${cell.length}` : null,
    cut ? make("span", { class: "cut", title: word("truncated") }, " ✂") : null,
    cell.some(isLabelled) ? make("span", { class: "labelled", title: word("labelled") }, " ✎") : null,
  );
}

/** Opens the answer of a cell that decides its status. */
function openCell(row, column, status) {
  view.row = row;
  view.column = column;
  const cell = cells[view.cases[row]][view.columns[column]];
  openCase(view.cases[row], [cell.find((trial) => trial.status === status) ?? cell[0]]);
}

function cellElement(row, column, cell) {
  const variant = variants[view.columns[column]];
  if (cell.length === 0) return make("div", { role: "gridcell", class: "cell" }, "–");
  const status = statusOf(cell, null);
  const statuses = data.properties.map((_, place) => statusOf(cell, place));
  const failed = failedIn(statuses).join(", ");
  const attributes = {
    type: "button",
    class: `open ${status}`,
    "data-row": row,
    "data-column": column,
    tabindex: row === view.row && column === view.column ? 0 : -1,
    "aria-label": cellName(variant, status, statuses),
    onclick: () => openCell(row, column, status),
  };
  const name = make("span", { class: "variant" }, variantName(variant));
  const told = make("span", { class: "told", title: failed || null }, failed || word(status));
  const marks = make("span", { class: "marks" }, cellMarks(statuses));
  return make(
    "div",
    { role: "gridcell", class: "cell" },
    make("button", attributes, cellStatus(cell, status), name, told, marks),
  );
}

/** Brings the reader's cell into sight and gives it the keyboard. */
function focusCell() {
  if (view.cases.length === 0 || view.columns.length === 0) return;
  const top = view.body.getBoundingClientRect().top + view.row * view.height;
  const head = byId("matrix").querySelector(".heads").offsetHeight;
  if (top < head) scrollBy(0, top - head - 8);
  else if (top + view.height > innerHeight) scrollBy(0, top + view.height - innerHeight + 8);
  drawRows();
  for (const button of view.body.querySelectorAll("button[tabindex='0']")) button.tabIndex = -1;
  const button = view.drawn.get(view.row)?.querySelector(`[data-column="${view.column}"]`);
  if (!button) return;
  button.tabIndex = 0;
  button.focus({ preventScroll: true });
}

/** Goes some rows and columns on; the first key shows where the reader is. */
function move(rows, columns) {
  const isHere = document.activeElement?.closest(".body") !== null && document.activeElement !== document.body;
  if (isHere) {
    view.row = Math.max(0, Math.min(view.cases.length - 1, view.row + rows));
    view.column = Math.max(0, Math.min(view.columns.length - 1, view.column + columns));
  }
  focusCell();
}
