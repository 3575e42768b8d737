// The page where images are labelled, one key each.
import { showFacts } from "/static/beside.js";
import { MOVES, buttons, classList, fillHelp, keyOf, listen, meaning } from "/static/keys.js";
import { OneByOne, STRIP } from "/static/one-by-one.js";
import { SMALL, unseen } from "/static/pictures.js";
import { $, element, picture, say, secondsSince } from "/static/session.js";

const stage = $("stage");
const work = new OneByOne({
  show, clear, describe,
  image: ({ pick, image }) => (image && image.parentNode !== stage ? image : thumb(pick.item, pick)),
  words: ({ label }) => label,
  rate: (took) => `${Math.max(1, Math.round(60000 / took))} a minute`,
  ahead: 16, near: STRIP,
});
let shownAt = performance.now();
let modelShown = false;
let due = false; // whether what follows a painted image is on its way

function show() {
  const pick = work.current();
  if (!pick) return;
  $("wait").hidden = true;
  stage.hidden = false;
  const image = work.pictures.of(pick.item);
  if (stage.firstChild !== image) stage.replaceChildren(image);
  shownAt = performance.now();
  modelShown = false;
  if (zoom.scale !== 1) setZoom(1);
  describe();
  // Whatever need not be painted with the image comes after it.
  if (!due) requestAnimationFrame(() => setTimeout(() => { due = false; work.showAround(); }));
  due = true;
}

function clear() {
  stage.replaceChildren();
  $("model").hidden = true;
}

function describe() {
  const pick = work.current();
  showFacts(pick, work.verdict(({ label }) => `you said ${label}`));
  $("model").hidden = !modelShown;
  if (modelShown) drawModel(pick.hint);
  document.querySelector("[data-move=model]").hidden = !pick.hint;
  document.querySelector("[data-move=accept]").hidden = !(modelShown && pick.hint?.suggestion);
}

function drawModel(hint) {
  const sure = hint.confidence === null ? "" : ` (${Math.round(hint.confidence * 100)} %)`;
  const near = hint.neighbours.slice(0, 6).map((one) => element("li", {}, thumb(one.item, work.current()), element("span", {}, one.label)));
  $("model").replaceChildren(
    element("p", {}, hint.suggestion ? `The model would say ${hint.suggestion}${sure}` : "The model has no suggestion"),
    ...(near.length ? [element("p", { class: "muted" }, "Nearest labelled images"), element("ol", { class: "strip" }, ...near)] : []),
  );
}

const thumb = (item, { width, height }) => element("img", { src: picture(item, "thumb"), alt: "", class: Math.max(width, height) <= SMALL && "small" });

function decide(kind, label) {
  const pick = work.current();
  if (!pick) return;
  const image = work.pictures.of(pick.item);
  const fault = unseen(image);
  if (fault) return say(fault);
  const body = { items: [pick.item], seconds: secondsSince(shownAt), via: "page", suggestion_seen: Boolean(pick.seen), label };
  work.decide({ kind, label, image }, () => work.events.push(`/api/${kind}`, body));
  if (label) classes.flash(label);
}
const answer = (label) => { if (label) decide("answer", label); };

async function undo() {
  const action = work.last() ?? await work.earlier();
  if (!action) return say("Nothing is left to take back.");
  work.takeBack(action);
  work.undo(action);
}

// Zoom: by keys, wheel and double click; dragging moves.
let zoom = { scale: 1, x: 0, y: 0 };
function setZoom(scale, x = zoom.x, y = zoom.y) {
  scale = Math.min(16, Math.max(1, scale));
  if (scale === 1) x = y = 0;
  zoom = { scale, x, y };
  const image = stage.firstChild;
  if (image) image.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
  stage.classList.toggle("zoomed", scale > 1);
}
const toggleZoom = () => setZoom(zoom.scale > 1 ? 1 : 3);
stage.addEventListener("wheel", (turn) => { turn.preventDefault(); setZoom(zoom.scale * (turn.deltaY < 0 ? 1.2 : 1 / 1.2)); }, { passive: false });
stage.addEventListener("dblclick", toggleZoom);
stage.addEventListener("pointermove", (move) => {
  if (move.buttons && zoom.scale > 1) setZoom(zoom.scale, zoom.x + move.movementX, zoom.y + move.movementY);
});

function showModel() {
  const pick = work.current();
  if (!pick?.hint) return;
  modelShown = !modelShown;
  pick.seen = true;
  describe();
}

const classes = classList(answer);
const moves = {
  ...work.moves, undo, model: showModel, find: classes.find,
  skip: () => decide("skip"), ignore: () => decide("ignore"),
  accept: () => { if (modelShown) answer(work.current()?.hint?.suggestion); },
  repeat: () => answer(work.history.findLast((entry) => entry.kind === "answer")?.label),
  zoom: toggleZoom, larger: () => setZoom(zoom.scale * 1.3), smaller: () => setZoom(zoom.scale / 1.3),
};
buttons($("actions"), [
  ["undo", "⌫", "undo"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"], ["flag", "f", "flag"], ["note", "n", "note"],
  ["zoom", "z", "zoom"], ["model", "p", "model"], ["accept", "↵", "accept"], ["help", "?", "keys"],
], moves);

const keys = [...keyOf.values()];
fillHelp([[[keys[0], keys.at(-1)], "a class: labels and moves on"]], MOVES, {
  skip: "skip: ask another time", ignore: "not labellable: never ask again", flag: "flag", note: "write a note", model: "show or hide what the model thinks",
  zoom: "zoom in and out", repeat: "the same class again", find: "find a class by name", help: "this help", larger: "larger", smaller: "smaller",
  undo: "undo, as often as you like (also Ctrl-Z)", back: "look back", forward: "look forward", accept: "accept the model's suggestion, once shown", leave: "back to the next image",
});
listen(meaning, moves, ["back", "forward", "larger", "smaller"], answer);
