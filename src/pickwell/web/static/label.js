// The page where images are labelled, one key each.
import { Pace, STRIP, noteDialog, showFacts, showStrip, verdict } from "/static/beside.js";
import { Events, showSaved } from "/static/events.js";
import { MOVES, actionButtons, cap, classList, help, keyOf, listen, meaning } from "/static/keys.js";
import { Pictures, SMALL, isShown } from "/static/pictures.js";
import { RoundPicks, askButton, showIdle } from "/static/round.js";
import { ask, element, picture, say, secondsSince, told, who } from "/static/session.js";

const AHEAD = 16;
const $ = (id) => document.getElementById(id);
const stage = $("stage");
const pictures = new Pictures();
const history = []; // what was decided, oldest first: {pick, kind, label, image}
const actions = []; // what undo takes back: {entry, before}
const pace = new Pace((took) => `${Math.max(1, Math.round(60000 / took))} a minute`);
let looking = null; // the place in history that is shown; null: the next image
let shownAt = performance.now();
let modelShown = false;
let due = false; // whether what follows a painted image is on its way

const events = new Events({
  changed: showSaved,
  refused: (event, sentence) => { say(sentence); if (event.body.items) forget(event.body.items[0]); },
  acknowledged: (event, answer) => {
    if (event.path === "/api/undo") undone(event, answer.items);
    if (answer.closed) round.fill();
  },
});
const round = new RoundPicks({
  arrived: () => { if (looking === null) show(); else prefetch(); },
  idle: (status, trouble) => { if (looking === null) rest(status, trouble); },
  unsent: () => events.waiting.length,
});
showSaved(events.waiting.length, events.trouble);

const current = () => (looking === null ? round.waiting[0] : history[looking].pick);

function show() {
  const pick = current();
  if (!pick) return;
  $("wait").hidden = true;
  stage.hidden = false;
  const image = pictures.of(pick.item);
  if (stage.firstChild !== image) stage.replaceChildren(image);
  shownAt = performance.now();
  modelShown = false;
  resetZoom();
  describe(pick);
  // Whatever need not be painted with the image comes after it.
  if (!due) requestAnimationFrame(() => setTimeout(afterwards));
  due = true;
}

function afterwards() {
  due = false;
  prefetch();
  drawStrip();
  pace.show(round.round);
}

function prefetch() {
  if (!current()) return;
  const ahead = round.waiting.slice(0, AHEAD).map((pick) => pick.item);
  const near = history.slice(-STRIP).map((entry) => entry.pick.item);
  pictures.want(ahead, looking === null ? near : [...near, current().item]);
}

function describe(pick) {
  const entry = looking === null ? null : history[looking];
  showFacts(pick, entry ? [verdict(entry, `you said ${entry.label}`)] : []);
  $("model").hidden = !modelShown;
  if (modelShown) drawModel(pick.hint);
  document.querySelector("[data-move=model]").hidden = !pick.hint;
  document.querySelector("[data-move=accept]").hidden = !(modelShown && pick.hint?.suggestion);
}

function drawModel(hint) {
  const sure = hint.confidence === null ? "" : ` (${Math.round(hint.confidence * 100)} %)`;
  const near = hint.neighbours.slice(0, 6).map((one) =>
    element("li", {}, thumb(one.item, isSmall(current())), element("span", {}, one.label)));
  $("model").replaceChildren(
    element("p", {}, hint.suggestion ? `The model would say ${hint.suggestion}${sure}` : "The model has no suggestion"),
    ...(near.length ? [element("p", { class: "muted" }, "Nearest labelled images"), element("ol", { class: "strip" }, ...near)] : []),
  );
}

function decide(kind, label) {
  const pick = current();
  if (!pick) return;
  if (!isShown(pictures.of(pick.item))) return say("This image is not shown yet: a key would label what nobody has seen.");
  const body = { items: [pick.item], seconds: secondsSince(shownAt), via: "page", suggestion_seen: Boolean(pick.seen) };
  if (kind === "answer") body.label = label;
  if (looking === null) {
    const entry = { pick, kind, label, image: pictures.of(pick.item) };
    history.push(entry);
    actions.push({ entry, before: null });
    pace.said();
    events.push(`/api/${kind}`, body);
    round.decide(pick);
    if (round.round) round.round.done += 1;
  } else {
    const entry = history[looking];
    actions.push({ entry, before: { kind: entry.kind, label: entry.label } });
    Object.assign(entry, { kind, label });
    events.push(`/api/${kind}`, body);
    looking = looking + 1 < history.length ? looking + 1 : null;
  }
  if (label) classes.flash(label);
  next();
}

function next() {
  if (current()) show();
  else {
    afterwards();
    rest(null, "");
    round.look().catch(() => {});
  }
}

function undo() {
  const action = actions.pop();
  if (action) {
    takeBack(action);
    events.push("/api/undo", {}).entry = action.entry;
  } else if (history.length) {
    const entry = history.at(-1);
    takeBack({ entry, before: null });
    events.push("/api/undo", {}).entry = entry;
  } else events.push("/api/undo", {});
}

function takeBack({ entry, before }) {
  if (before) {
    Object.assign(entry, before);
    looking = history.indexOf(entry);
  } else {
    history.splice(history.indexOf(entry), 1);
    pace.tookBack();
    looking = null;
    round.giveBack(entry.pick);
    if (round.round) round.round.done -= 1;
  }
  show();
}

// The server has the last word on what an undo took back.
function undone(event, items) {
  if (event.entry && items.includes(event.entry.pick.item)) return;
  if (!items.length) {
    say(event.entry ? "That was taken back already." : "Nothing is left to take back.");
    if (!event.entry) return;
  }
  location.reload();
}

function forget(item) {
  const at = history.findIndex((entry) => entry.pick.item === item);
  if (at < 0) return;
  const [entry] = history.splice(at, 1);
  for (let i = actions.length; i--;) if (actions[i].entry === entry) actions.splice(i, 1);
  if (looking !== null) looking = null;
  drawStrip();
}

function rest(status, trouble) {
  if (current()) return;
  stage.replaceChildren();
  stage.hidden = true;
  $("wait").hidden = false;
  $("why").textContent = "";
  $("model").hidden = true;
  if (status || trouble) showIdle(status, trouble);
  if (status) {
    round.round = status.round;
    if (!status.round) $("done").value = 1;
  }
  pace.show(round.round);
}

const isSmall = ({ width, height }) => Math.max(width, height) <= SMALL;
const thumb = (item, small) => element("img", { src: picture(item, "thumb"), alt: "", class: small && "small" });

function drawStrip() {
  showStrip(history, looking, {
    image: ({ pick, image }) => (image && image.parentNode !== stage ? image : thumb(pick.item, isSmall(pick))),
    words: ({ label }) => label,
    open: (at) => { looking = at; show(); },
  });
}

function browse(step) {
  const at = (looking ?? history.length) + step;
  if (at < 0) return;
  looking = at >= history.length ? null : at;
  if (looking === null && !current()) next();
  else show();
}

// Zoom: by keys, wheel and double click; dragging moves.
let zoom = { scale: 1, x: 0, y: 0 };
function resetZoom() { if (zoom.scale !== 1) setZoom(1, 0, 0); }
function setZoom(scale, x = zoom.x, y = zoom.y) {
  scale = Math.min(16, Math.max(1, scale));
  if (scale === 1) x = y = 0;
  zoom = { scale, x, y };
  const image = stage.firstChild;
  if (image) image.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
  stage.classList.toggle("zoomed", scale > 1);
}
stage.addEventListener("wheel", (turn) => { turn.preventDefault(); setZoom(zoom.scale * (turn.deltaY < 0 ? 1.2 : 1 / 1.2)); }, { passive: false });
stage.addEventListener("dblclick", () => setZoom(zoom.scale > 1 ? 1 : 3));
stage.addEventListener("pointermove", (move) => {
  if (move.buttons && zoom.scale > 1) setZoom(zoom.scale, zoom.x + move.movementX, zoom.y + move.movementY);
});

function remark(changes) {
  const pick = current();
  if (!pick) return;
  Object.assign(pick, changes);
  events.push("/api/remark", { item: pick.item, flag: Boolean(pick.flag), note: pick.note ?? "" });
  describe(pick);
}

const openNote = noteDialog(current, (note) => remark({ note }));

function showModel() {
  const pick = current();
  if (!pick?.hint) return;
  modelShown = !modelShown;
  pick.seen = true;
  describe(pick);
}

const lastLabel = () => history.findLast((entry) => entry.kind === "answer")?.label;
const moves = {
  skip: () => decide("skip"),
  ignore: () => decide("ignore"),
  flag: () => remark({ flag: !current()?.flag }),
  note: openNote,
  model: showModel,
  accept: () => { const { hint } = current() ?? {}; if (modelShown && hint?.suggestion) decide("answer", hint.suggestion); },
  repeat: () => { const label = lastLabel(); if (label) decide("answer", label); },
  undo, back: () => browse(-1), forward: () => browse(1),
  find: () => classes.find(),
  zoom: () => setZoom(zoom.scale > 1 ? 1 : 3), larger: () => setZoom(zoom.scale * 1.3), smaller: () => setZoom(zoom.scale / 1.3),
  help,
  leave: () => { if (looking !== null) { looking = null; next(); } },
};

const classes = classList((name) => decide("answer", name));
actionButtons([
  ["undo", "⌫", "undo"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"], ["flag", "f", "flag"], ["note", "n", "note"],
  ["zoom", "z", "zoom"], ["model", "p", "model"], ["accept", "↵", "accept"], ["help", "?", "keys"],
], (move) => moves[move]());
askButton($("wait-ask"));

const WORDS = {
  skip: "skip: ask another time", ignore: "not labellable: never ask again", flag: "flag", note: "write a note", model: "show or hide what the model thinks",
  zoom: "zoom in and out", repeat: "the same class again", find: "find a class by name", help: "this help", larger: "larger", smaller: "smaller",
  undo: "undo, as often as you like (also Ctrl-Z)", back: "look back", forward: "look forward", accept: "accept the model's suggestion, once shown", leave: "back to the next image",
};
$("help-keys").append(
  element("dt", {}, element("kbd", {}, [...keyOf.values()][0]), " … ", element("kbd", {}, [...keyOf.values()].at(-1))), element("dd", {}, "a class: labels and moves on"),
  ...Object.entries(MOVES).filter(([, move]) => WORDS[move]).flatMap(([key, move]) => [element("dt", {}, cap(key)), element("dd", {}, WORDS[move])]),
);

listen(meaning, moves, ["back", "forward", "larger", "smaller"], (label) => decide("answer", label));

ask(`/api/history?limit=${STRIP}&annotator=${encodeURIComponent(who().annotator)}`).then(({ entries }) => {
  if (history.length) return;
  history.push(...entries.map((one) => ({ pick: { item: one.item, round: one.round, width: one.width, height: one.height }, kind: one.kind, label: one.label })));
  drawStrip();
}, () => {});
