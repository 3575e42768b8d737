// The page where many similar images are labelled at once.
import { Events } from "/static/events.js";
import { buttons, classList, listen, meaning } from "/static/keys.js";
import { RoundPicks, askButton, showIdle } from "/static/round.js";
import { $, element, picture, say, secondsSince } from "/static/session.js";

const tiles = $("tiles");
const selected = new Set();
const batches = []; // what undo takes back
let at = 0;
let anchor = 0;
let shownAt = performance.now();

const events = new Events({
  refused: (_, sentence) => { say(sentence); round.fill(); },
  acknowledged: (event, answer) => {
    if (answer.closed) round.fill();
    if (event.path === "/api/undo" && !event.picks?.every((pick) => answer.items.includes(pick.item))) location.reload();
  },
});
const round = new RoundPicks({ events, arrived: draw, idle: rest, least: 30, ahead: 60 });

const ORDERS = {
  rank: (pick) => [pick.rank],
  class: (pick) => [pick.hint?.suggestion ?? "￿", -(pick.hint?.confidence ?? 0), pick.rank],
  similar: (pick) => [pick.hint?.order ?? Infinity, pick.rank],
};
const compare = (a, b) => {
  const differs = a.findIndex((one, place) => one !== b[place]);
  return a[differs] < b[differs] ? -1 : 1;
};
function ordered() {
  const order = ORDERS[$("sort").value];
  return [...round.waiting].sort((a, b) => compare(order(a), order(b)));
}

function draw() {
  const picks = ordered();
  $("wait").hidden = picks.length > 0;
  for (const option of $("sort").options) option.disabled = option.value !== "rank" && !picks.some((pick) => pick.hint);
  const old = new Map([...tiles.children].map((tile) => [Number(tile.dataset.item), tile]));
  tiles.replaceChildren(...picks.map((pick) => old.get(pick.item) ?? tile(pick)));
  at = Math.min(at, Math.max(0, picks.length - 1));
  mark();
}

function tile(pick) {
  const image = element("img", { src: picture(pick.item, "thumb"), alt: pick.name, draggable: "false", loading: "lazy" });
  const words = pick.hint?.suggestion && $("sort").value === "class" ? pick.hint.suggestion : `${pick.rank}`;
  return element("li", { role: "option", "data-item": pick.item, id: `tile-${pick.item}`, title: pick.name }, image, element("span", { dir: "auto" }, words), element("span", { class: "name", dir: "auto" }, pick.name.split("/").at(-1)));
}

function mark() {
  [...tiles.children].forEach((one, place) => {
    one.setAttribute("aria-selected", String(selected.has(Number(one.dataset.item))));
    one.classList.toggle("at", place === at);
  });
  const here = tiles.children[at];
  if (here) tiles.setAttribute("aria-activedescendant", here.id);
  const now = round.round;
  $("count").textContent = `${selected.size} of ${round.waiting.length} selected${now ? ` · ${Math.min(now.done, now.total)} of ${now.total} done in round ${now.number}` : ""}`;
}

function toggle(place, range) {
  const places = range ? [Math.min(anchor, place), Math.max(anchor, place)] : [place, place];
  for (let i = places[0]; i <= places[1]; i++) {
    const item = Number(tiles.children[i]?.dataset.item);
    if (range || !selected.has(item)) selected.add(item);
    else selected.delete(item);
  }
  at = place;
  if (!range) anchor = place;
  mark();
}

function decide(kind, label) {
  const picks = round.waiting.filter((pick) => selected.has(pick.item)).slice(0, 200);
  if (!picks.length) return say("Nothing is selected: click images, or x on the framed one.");
  const seen = $("sort").value === "class";
  const body = { items: picks.map((pick) => pick.item), seconds: secondsSince(shownAt), via: "grid", suggestion_seen: seen, label };
  events.push(`/api/${kind}`, body);
  batches.push(picks);
  selected.clear();
  for (const pick of picks) round.decide(pick);
  shownAt = performance.now();
  if (label) classes.flash(label);
  draw();
  if (!round.waiting.length) round.look().catch(() => {});
}

function undo() {
  const picks = batches.pop();
  if (!picks) return say("On this page nothing is left to take back; the Label page goes further back.");
  for (const pick of [...picks].reverse()) round.giveBack(pick);
  events.push("/api/undo", {}).picks = picks;
  picks.forEach((pick) => selected.add(pick.item));
  draw();
}

function rest(status, trouble) {
  if (round.waiting.length) return;
  if (status?.round) round.round = status.round;
  draw();
  showIdle(status, trouble);
}

function go(step) {
  at = Math.max(0, Math.min(tiles.children.length - 1, at + step));
  tiles.children[at]?.scrollIntoView({ block: "nearest" });
  mark();
}
const columns = () => getComputedStyle(tiles).gridTemplateColumns.split(" ").length;

const answer = (name) => decide("answer", name);
const classes = classList(answer);
const moves = {
  select: () => toggle(at, false), all: () => { round.waiting.forEach((pick) => selected.add(pick.item)); mark(); },
  leave: () => { selected.clear(); mark(); }, undo, find: classes.find,
  skip: () => decide("skip"), ignore: () => decide("ignore"),
  back: () => go(-1), forward: () => go(1), up: () => go(-columns()), down: () => go(columns()),
};
buttons($("actions"), [["undo", "⌫", "undo"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"]], moves);
askButton($("wait-ask"));
$("sort").addEventListener("change", () => { tiles.replaceChildren(); draw(); $("sort").blur(); });
tiles.addEventListener("click", (click) => {
  const one = click.target.closest("li");
  if (one) toggle([...tiles.children].indexOf(one), click.shiftKey);
});
listen(meaning, moves, ["back", "forward", "up", "down"], answer);
