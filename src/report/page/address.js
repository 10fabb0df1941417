// The page's address: what is open and how the matrix is filtered, to be sent to somebody who has the same file.
//
// `#case/prompt@model`, with `:repeat` where it is not the first and a part for each answer beside it; after it, or alone,
// `?property=length&verdict=failed&q=words`.

/** By what name the address has a filter. */
const filterKey = (id) => (id === "text" ? "q" : id);

/** What a filter holds where nothing is filtered. */
const unfiltered = (id) => (id === "sort" ? "plan" : "");

/** The trials' part of an address. */
function addressOfTrials(shown) {
  const part = (trial) =>
    encodeURIComponent(variants[trial.variant].name).replace("%40", "@") + (trial.repeat > 0 ? `:${trial.repeat}` : "");
  return `${encodeURIComponent(data.cases[shown[0].case].id)}/${shown.map(part).join("/")}`;
}

/** The filters' part of an address. */
function addressOfFilters() {
  const query = new URLSearchParams();
  for (const id of FILTERS) if (valueOf(id) !== unfiltered(id)) query.set(filterKey(id), valueOf(id));
  return String(query) === "" ? "" : `?${query}`;
}

/** The address of trials, or of the matrix alone, as it is filtered now. */
function addressOf(shown) {
  const address = (shown.length > 0 ? addressOfTrials(shown) : "") + addressOfFilters();
  return location.pathname + location.search + (address === "" ? "" : `#${address}`);
}

/** The trials that the part of an address before its filters names; null if it names none. */
function trialsAt(address) {
  const [id, ...parts] = address.split("/").map(decoded);
  const at = data.cases.findIndex((one) => one.id === id);
  if (at < 0 || parts.length === 0) return null;
  const found = parts.map((part) => {
    const [, name, repeat] = part.match(/^(.*?)(?::(\d+))?$/);
    const variant = variants.findIndex((one) => one.name === name);
    return cells[at][variant]?.find((trial) => trial.repeat === Number(repeat ?? 0));
  });
  const known = [...new Set(found.filter((trial) => trial !== undefined))];
  return known.length > 0 ? known : null;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Sets the filters as an address has them, and says which of them mean nothing here. */
function takeFilters(query) {
  const wanted = new URLSearchParams(query);
  const strange = [...wanted.keys()].filter((key) => !FILTERS.map(filterKey).includes(key));
  for (const id of FILTERS) {
    const value = wanted.get(filterKey(id)) ?? unfiltered(id);
    const field = byId(id);
    // Files call a failed property `fail`, the page calls it failed as all else.
    field.value = id === "verdict" ? (STATUS_OF[value] ?? value) : value;
    if (field.selectedIndex === -1) {
      field.value = unfiltered(id);
      strange.push(`${filterKey(id)}=${value}`);
    }
  }
  byId("strange").textContent = visible(word("strange", { what: strange.join(", ") }));
  byId("strange").hidden = strange.length === 0;
}

/** Goes where the address says; one that names nothing of the page's changes nothing. */
function followAddress() {
  const [before, ...after] = location.hash.replace(/^#/, "").split("?");
  const shown = trialsAt(before);
  if (shown || before === "") {
    const filters = addressOfFilters();
    takeFilters(after.join("?"));
    if (addressOfFilters() !== filters) applyFilters();
  }
  if (shown) showCase(shown[0].case, shown);
  else if (open.at !== null) closeCase();
}
