// The figures, drawn again when something changes.
import { curve, histograms } from "/static/charts.js";
import { showMap } from "/static/map.js";
import { askButton, showProgress } from "/static/round.js";
import { $, ask, duration, element, picture, say, send, told, who } from "/static/session.js";

const PAGE = 60;
const METRICS = { accuracy: "accuracy", mean_iou: "mean IoU" };
let figures = null;
let seen = "";
let chosen = null;
let shown = 0;
askButton($("ask"));
$("class-form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await send("/api/classes", { ...who(), old: $("class-old").value, name: $("class-name").value });
    location.reload();
  } catch (error) { say(error.message); }
});

async function look() {
  const began = performance.now();
  try {
    const status = await ask("/api/status");
    live(status);
    const state = JSON.stringify([status.position, status.round?.number, status.loop.running, Math.floor(Date.now() / 20000)]);
    if (state !== seen) {
      seen = state;
      figures = await ask("/api/dashboard");
      drawAll();
    }
  } catch (error) {
    $("doing").textContent = `The server does not answer: ${error.message}`;
  }
  // Of a large campaign the figures take the server a while: people who label must not wait for them.
  setTimeout(look, Math.max(document.hidden ? 10000 : 1500, 10 * (performance.now() - began)));
}

function live({ round, loop }) {
  const bar = $("doing-bar");
  const busy = loop.running || (loop.doing && loop.doing.done < loop.doing.total);
  bar.hidden = !busy;
  $("ask").hidden = busy || Boolean(round) || !loop.left || (loop.when !== "hand" && !loop.error);
  if (busy) {
    const left = showProgress(bar, loop.doing);
    const losses = Object.entries(loop.doing?.losses ?? {}).map(([name, value]) => `${name} loss ${value.toPrecision(3)}`);
    const step = [loop.doing ? `${loop.doing.what}: ${loop.doing.done} of ${loop.doing.total}${left}` : "starting to fit", ...losses].join(" · ");
    $("doing").textContent = round ? `Round ${round.number}: ${round.done} of ${round.total} done · ${step}` : step;
  } else if (round) $("doing").textContent = `Round ${round.number} (${round.strategy}): ${round.done} of ${round.total} done, ${round.leased} with annotators now${round.disputed ? `, ${round.disputed} disputed` : ""}.`;
  else $("doing").textContent = loop.error || (loop.left ? "No round is open." : "Every image is labelled or set aside.");
}

function drawAll() {
  const last = figures.curve.at(-1);
  const metric = METRICS[figures.metric];
  $("curve-of").textContent = `${metric[0].toUpperCase()}${metric.slice(1)} by number of labels`;
  $("band").hidden = !figures.curve.some((point) => point.low !== null);
  const seconds = figures.annotators.reduce((sum, one) => sum + one.at_work, 0);
  const span = last && last.low !== null ? `${last.low.toFixed(3)} to ${last.high.toFixed(3)}, on ${last.measured} images` : last ? `on ${last.measured} images` : "";
  $("numbers").replaceChildren(...[
    ["labelled", figures.labelled.toLocaleString("en"), `of ${figures.images.toLocaleString("en")} images`],
    [metric, last ? last.value.toFixed(3) : "–", span || "not measured yet"],
    ["held out", figures.held_out.toLocaleString("en"), "to measure on"],
    ["people's time", seconds ? duration(seconds) : "–", `${figures.annotators.length} annotators`.replace(/^1 annotators/, "1 annotator")],
    ["computing", figures.computed_seconds ? duration(figures.computed_seconds) : "–", `${figures.rounds.length} rounds`.replace(/^1 rounds/, "1 round")],
  ].map(([name, value, more]) => element("div", {}, element("dt", {}, name), element("dd", {}, value, element("small", {}, more)))));
  curve($("curve"), figures.curve, METRICS[figures.metric]);
  balance();
  people();
  monitors();
  showMap(figures.maps.at(-1), figures.images).catch((error) => say(error.message));
  tabs();
}

const cell = (value) => element("td", {}, String(value));
const row = (name, ...cells) => element("tr", {}, element("th", { scope: "row" }, name), ...cells);
const table = (facts, heads, rows) => element("table", facts,
  element("thead", {}, element("tr", {}, ...heads.map((words) => element("th", { scope: "col" }, words)))),
  element("tbody", {}, ...rows));

function balance() {
  if (!figures.balance.length) return $("balance").replaceChildren("No label yet.");
  const recent = figures.balance.slice(-12);
  const sum = (counts) => counts.reduce((a, b) => a + b, 0);
  const rows = figures.classes.map((name, at) => [name, sum(figures.balance.map(({ counts }) => counts[at])), at])
    .sort((a, b) => b[1] - a[1]).slice(0, 40).map(([name, all, at]) => row(name, ...recent.map(({ counts }) => {
      const one = cell(counts[at]);
      one.style.setProperty("--share", (counts[at] / Math.max(1, sum(counts))).toFixed(3));
      return one;
    }), cell(all)));
  const more = figures.classes.length > 40 ? [element("p", { class: "muted" }, `The 40 classes with most labels, of ${figures.classes.length}.`)] : [];
  return $("balance").replaceChildren(table({ class: "heat" }, ["class", ...recent.map((one) => `${one.round}`), "all"], rows), ...more);
}

function people() {
  if (!figures.annotators.length) return $("people").replaceChildren("Nobody has labelled yet.");
  const rows = figures.annotators.map((one) => row(one.name || "(no name)", ...[
    one.answered, one.skipped, one.ignored, one.undone, one.a_minute?.toFixed(1) ?? "–", one.seconds?.toFixed(2) ?? "–", one.suggestions_seen,
  ].map(cell)));
  const heads = ["name", "labels", "skipped", "out", "undone", "a minute", "seconds each", "suggestion seen"];
  const { together } = figures.agreement;
  const all = together ? [element("li", {}, `All: Fleiss' kappa ${together.kappa === null ? "undefined" : together.kappa.toFixed(2)} on ${together.images} images with ${together.answers} answers each`)] : [];
  const open = figures.disputes ? [element("li", {}, element("a", { href: "/decide" }, `${figures.disputes === 200 ? "200 or more" : figures.disputes} disputed, to be decided`))] : [];
  const pairs = figures.agreement.pairs.map(({ names, images, kappa }) =>
    element("li", {}, `${names.map((name) => name || "(no name)").join(" and ")}: Cohen's kappa ${kappa === null ? "undefined" : kappa.toFixed(2)} on ${images} images`));
  return $("people").replaceChildren(table({}, heads, rows), ...(pairs.length || open.length ? [element("ul", { class: "muted" }, ...open, ...all, ...pairs)] : []));
}

function monitors() {
  const latest = figures.rounds.findLast((one) => Object.keys(one.monitors).length);
  $("monitors-of").textContent = latest ? `Round ${latest.number}, ${latest.strategy}.` : "";
  if (!latest) return $("monitors").replaceChildren("The strategy of these rounds watches nothing.");
  const { warnings = [], ...values } = latest.monitors;
  const facts = Object.entries(values).filter(([, value]) => typeof value === "number");
  const list = element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) =>
    [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, Number.isInteger(value) ? String(value) : value.toFixed(3))]));
  $("monitors").replaceChildren(...warnings.map((words) => element("p", { class: "warning" }, words)));
  const series = [
    { name: "unlabelled", counts: values.score_histogram }, { name: "labelled", counts: values.score_histogram_labelled },
  ].filter(({ counts }) => counts);
  if (series.length) {
    $("monitors").append(element("p", { class: "key" }, ...series.map(({ name }, at) => element("span", { class: `key-${at}` }, name)), " by score 1 − D"));
    histograms($("monitors"), series);
  }
  return $("monitors").append(list);
}

function tabs() {
  const one = figures.rounds.find((found) => found.number === chosen) ?? figures.rounds.at(-1);
  if (!one) return $("round-facts").replaceChildren("No round yet.");
  chosen = one.number;
  $("tabs").replaceChildren(...figures.rounds.slice(-24).map(({ number }) => {
    const button = element("button", { type: "button", "aria-pressed": String(number === chosen) }, `${number}`);
    button.addEventListener("click", () => { chosen = number; shown = 0; tabs(); });
    return button;
  }));
  const took = Object.entries(one.timings).filter(([, value]) => typeof value === "number").map(([what, value]) => `${what} ${value < 10 ? `${value.toFixed(1)} s` : duration(value)}`);
  $("round-facts").textContent = [`${one.strategy}, ${one.state}`, `asked ${new Date(one.opened).toLocaleString("en-GB")}`, ...took].join(" · ");
  return gallery(0, Math.max(PAGE, shown));
}

async function gallery(start, limit) {
  try {
    const { picks, total } = await ask(`/api/rounds/${chosen}?start=${start}&limit=${Math.min(200, limit)}`);
    const made = picks.map((pick) => {
      const label = pick.label && told.kind === "segmentation" ? "drawn" : pick.label;
      const words = label ?? (pick.state === "answered" ? "" : pick.state);
      const tile = element("li", { title: `${pick.name}: rank ${pick.rank}${pick.score === null ? "" : `, score ${pick.score.toFixed(3)}`}` },
        element("img", { src: picture(pick.item, "thumb"), alt: pick.name, loading: "lazy" }), element("b", {}, `${pick.rank}`), element("span", {}, words));
      tile.classList.toggle("held", pick.held_out);
      return tile;
    });
    if (start) $("gallery").append(...made);
    else $("gallery").replaceChildren(...made);
    shown = start + picks.length;
    $("more").hidden = shown >= total;
  } catch (error) { say(error.message); }
}
$("more").addEventListener("click", () => gallery(shown, PAGE));
addEventListener("resize", () => { if (figures) curve($("curve"), figures.curve, METRICS[figures.metric]); });
look();
