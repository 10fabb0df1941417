// The figures of the run as a whole: rates with their intervals, times and costs, each variant a line.

function showHead() {
  document.title = visible(`${word("title")} · ${volatile.run}`);
  byId("title").textContent = visible(volatile.run);
  const about = [word("started", { time: volatile.started_at.replace("T", " ").replace(/\.\d+Z$|Z$/, " UTC") })];
  if (volatile.commit) about.push(word("commit", { commit: volatile.commit.slice(0, 12) }));
  if (volatile.rescored_from) about.push(word("rescored", { run: volatile.rescored_from }));
  byId("about").textContent = visible(about.join(" · "));
  const plan = data.plan;
  const made = { tool: plan.tool_version, scorers: plan.scorer_version, plan: plan.digest.slice(0, 12) };
  byId("made-by").textContent = visible(word("made_by", made));
}

function showCounts() {
  const counts = data.statuses.map((status, place) => [status, data.counts[place]]);
  const shown = counts.filter(([status, count]) => count > 0 || status === "passed" || status === "failed");
  byId("counts").append(
    ...shown.map(([status, count]) =>
      make("span", { class: `count ${status}` }, mark(status), make("b", {}, count), ` ${word(status)}`),
    ),
  );
  const done = data.plan.trials - data.counts[data.statuses.indexOf("skipped")];
  if (!data.plan.finished) {
    byId("unfinished").textContent = word("unfinished", { done, all: data.plan.trials });
    byId("unfinished").hidden = false;
  }
}

/** A horizontal line from 0 to 1 with an interval and a point. */
function intervalDrawing(rate) {
  const at = (share) => `${(share * 100).toFixed(2)}%`;
  const line = draw("svg", { class: "interval", "aria-hidden": "true" });
  line.append(
    ...[0, 0.5, 1].map((share) => draw("line", { class: "grid", x1: at(share), x2: at(share), y1: 0, y2: "100%" })),
  );
  if (rate) {
    const [estimate, low, high] = rate;
    line.append(
      draw("line", { class: "range", x1: at(low), x2: at(high), y1: "50%", y2: "50%" }),
      draw("line", { class: "end", x1: at(low), x2: at(low), y1: "25%", y2: "75%" }),
      draw("line", { class: "end", x1: at(high), x2: at(high), y1: "25%", y2: "75%" }),
      draw("circle", { class: "point", cx: at(estimate), cy: "50%", r: 4 }),
    );
  }
  return line;
}

/** A variant's name in two parts, which narrow places show one above the other. */
function variantName(variant) {
  return make(
    "span",
    { class: "name", title: variant.name },
    make("span", {}, variant.prompt),
    make("span", { class: "at" }, `@${variant.model}`),
  );
}

function rateLine(variant, place, subject) {
  const { rate, counts } = subject;
  const asked = counts.reduce((sum, count) => sum + count, 0);
  if (asked === 0) return null;
  const beside = ["undecided", "errored", "skipped"]
    .map((status) => [status, counts[data.statuses.indexOf(status)]])
    .filter(([, count]) => count > 0)
    .map(([status, n]) =>
      make(
        "span",
        { class: `beside ${status}` },
        word("beside", { n, status: word(place === 0 ? status : VERDICT_OF[status]) }),
      ),
    );
  const figures = rate
    ? word("rate_line", {
        passed: subject.passed_cases,
        decided: subject.decided_cases,
        percent: percent(rate[0]),
        low: percent(rate[1]),
        high: percent(rate[2]),
      })
    : "–";
  return make(
    "li",
    {},
    variantName(variant),
    intervalDrawing(rate),
    make("span", { class: "figures" }, figures, beside),
  );
}

function rateCard(title, place) {
  const lines = variants.map((variant, at) => rateLine(variant, place, data.tallies[at].subjects[place]));
  return make("figure", { class: "card" }, make("figcaption", {}, title), make("ul", {}, lines));
}

/** The values at some shares of a sorted list. */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

function spreadDrawing(sorted, most) {
  const at = (value) => `${((most > 0 ? value / most : 0) * 100).toFixed(2)}%`;
  const [low, first, middle, third, high] = [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share));
  const width = `${((most > 0 ? (third - first) / most : 0) * 100).toFixed(2)}%`;
  return draw(
    "svg",
    { class: "interval", "aria-hidden": "true" },
    draw("line", { class: "range thin", x1: at(low), x2: at(high), y1: "50%", y2: "50%" }),
    draw("rect", { class: "box", x: at(first), width, y: "20%", height: "60%" }),
    draw("line", { class: "end", x1: at(middle), x2: at(middle), y1: "10%", y2: "90%" }),
  );
}

/** How a measure of answers spreads, a line a variant; `valueOf` gives null where there is nothing to count. */
function spreadCard(title, none, note, valueOf, told, beside) {
  const values = variants.map(() => []);
  for (const trial of trials) {
    const value = valueOf(trial);
    if (value !== null) values[trial.variant].push(value);
  }
  const most = Math.max(0, ...values.map((list) => list.reduce((sum, value) => Math.max(sum, value), 0)));
  if (values.every((list) => list.length === 0)) return make("p", { class: "quiet" }, `${title}: ${none}`);
  const lines = variants.map((variant, place) => {
    const sorted = values[place].sort((one, other) => one - other);
    const figures =
      sorted.length === 0
        ? ["–"]
        : [word("median", { x: told(quantile(sorted, 0.5)), y: told(sorted[sorted.length - 1]) }), beside(place)];
    return make(
      "li",
      {},
      variantName(variant),
      sorted.length > 0 ? spreadDrawing(sorted, most) : draw("svg", { class: "interval" }),
      make("span", { class: "figures" }, figures),
    );
  });
  return make(
    "figure",
    { class: "card" },
    make("figcaption", {}, title),
    make("ul", {}, lines),
    note && make("p", { class: "quiet" }, note),
  );
}

function costsBeside(place) {
  const { cost, without_cost: unknown } = data.tallies[place];
  const sum = cost === null ? null : word("cost_sum", { sum: dollars(cost) });
  return make(
    "span",
    { class: "beside" },
    [sum, unknown > 0 ? word("cost_unknown", { n: unknown }) : null].filter(Boolean).join(" · "),
  );
}

/** How a rate went from run to run: points in equal steps, each with its range. */
function trendDrawing(points) {
  const across = (place) => `${(points.length > 1 ? 4 + (place / (points.length - 1)) * 92 : 50).toFixed(2)}%`;
  const up = (share) => `${(94 - share * 88).toFixed(2)}%`;
  const line = draw("svg", { class: "interval trend", "aria-hidden": "true" });
  line.append(
    ...[0, 1].map((share) => draw("line", { class: "grid", x1: 0, x2: "100%", y1: up(share), y2: up(share) })),
  );
  const known = points.map((point, place) => ({ ...point, place })).filter(({ rate }) => rate !== null);
  known.slice(1).forEach((point, before) =>
    line.append(
      draw("line", {
        class: "range thin",
        x1: across(known[before].place),
        y1: up(known[before].rate[0]),
        x2: across(point.place),
        y2: up(point.rate[0]),
      }),
    ),
  );
  for (const {
    rate: [estimate, low, high],
    place,
    run,
  } of known) {
    const told = draw("title", {}, `${run}: ${percent(estimate)} % (${percent(low)}–${percent(high)})`);
    line.append(
      draw("line", { class: "spread", x1: across(place), x2: across(place), y1: up(low), y2: up(high) }),
      draw("circle", { class: "point", cx: across(place), cy: up(estimate), r: 3.5 }, told),
    );
  }
  return line;
}

/** The rates of this run's variants in the runs before it; null if there are none. */
function trendCard() {
  if (volatile.earlier.length === 0) return null;
  const lines = variants.map((variant, at) => {
    const now = { run: volatile.run, rate: data.tallies[at].subjects[0].rate };
    const points = [...volatile.earlier.map(({ run, rates }) => ({ run, rate: rates[at] })), now];
    const known = points.filter(({ rate }) => rate !== null);
    const figures =
      known.length < 2
        ? "–"
        : word("trend_line", {
            from: percent(known[0].rate[0]),
            to: percent(known[known.length - 1].rate[0]),
            n: known.length,
          });
    return make("li", {}, variantName(variant), trendDrawing(points), make("span", { class: "figures" }, figures));
  });
  return make(
    "figure",
    { class: "card" },
    make("figcaption", {}, word("trend")),
    make("ul", {}, lines),
    make("p", { class: "quiet" }, word("trend_note")),
  );
}

function showSummary() {
  const { method, repeats } = data.plan;
  const notes = ["rates_note", repeats > 1 ? "repeats_note" : null, method.includes("sources") ? "sources_note" : null];
  const rates = rateCard(`${word("rates")}: ${word("all")}`, 0);
  rates.append(
    make(
      "p",
      { class: "quiet" },
      notes.filter(Boolean).map((key) => `${word(key)} `),
    ),
  );
  const isRecorded = (trial) => data.models[variants[trial.variant].modelAt].provider === "recorded";
  const time = (trial) => (trial.cached || trial.millis === 0 || isRecorded(trial) ? null : trial.millis);
  const spreads = [
    spreadCard(word("latency"), word("latency_none"), word("latency_note"), time, duration, () => null),
    spreadCard(word("cost"), word("cost_none"), null, (trial) => trial.cost, dollars, costsBeside),
  ];
  byId("summary").append(rates, ...[trendCard(), ...spreads].filter((shown) => shown?.matches("figure")));
  byId("summary").after(...spreads.filter((shown) => shown.matches("p")));
  byId("by-property").addEventListener("toggle", showProperties, { once: true });
}

/** The rates of each property, made when somebody looks. */
function showProperties() {
  byId("properties").append(...data.properties.map((property, place) => rateCard(propertyName(property), place + 1)));
}
