// The page where masks are drawn: one image, its label map, and what becomes of it.
import { MOVES, REPEATED, buttons, helpOf, keyOf, meaning } from "/static/draw-keys.js";
import { Pace, STRIP, noteDialog, showFacts, showStrip, verdict } from "/static/beside.js";
import { Drafts, pack, unpack } from "/static/drafts.js";
import { Easel } from "/static/easel.js";
import { Events, showSaved } from "/static/events.js";
import { classList, help, listen } from "/static/keys.js";
import { LabelMap } from "/static/map-of-labels.js";
import { Pictures, isShown } from "/static/pictures.js";
import { RoundPicks, askButton, showIdle } from "/static/round.js";
import { ask, duration, element, picture, say, secondsSince, told, who } from "/static/session.js";
import { Tools } from "/static/tools.js";

const AHEAD = 2; // drawing takes minutes: more would be kept from others
const $ = (id) => document.getElementById(id);
const pictures = new Pictures();
const drafts = new Drafts();
const easel = new Easel($("stage"), () => tools?.moved());
let tools = null;
const history = []; // what was decided, oldest first: {pick, kind, packed}
const actions = []; // what undo takes back: {entry, before}
const pace = new Pace((took) => `${duration(took / 1000)} each`);
let looking = null; // the place in history that is shown; null: the next image
let shown = null; // {pick, looking, map, image, original, seen, began, changed}
let turn = 0;
let line = Promise.resolve(); // what is said goes out in order, though masks are packed meanwhile
let packing = 0;

const events = new Events({
  changed: (waiting, trouble) => showSaved(waiting + packing, trouble),
  refused: (event, sentence) => {
    say(sentence);
    if (event.path !== "/api/remark") forget(event.body.item ?? event.body.items?.[0]);
  },
  acknowledged: (event, answer) => {
    if (event.path === "/api/undo") undone(event, answer.items);
    if (event.path === "/api/masks") drafts.acknowledged(event.body.item, event.body.event).then(() => kept(event.body.item));
    if (answer.closed) round.fill();
  },
});
const round = new RoundPicks({
  arrived: () => { if (looking === null) show(); prefetch(); },
  idle: (status, trouble) => { if (looking === null) rest(status, trouble); },
  unsent: () => events.waiting.length + packing,
  least: AHEAD, ahead: AHEAD,
});
showSaved(events.waiting.length, events.trouble);

const current = () => (looking === null ? round.waiting[0] : history[looking].pick);
const pending = (more) => { packing += more; showSaved(events.waiting.length + packing, events.trouble); };
const queue = (act) => {
  pending(1);
  line = line.then(act).catch((error) => say(error.message)).finally(() => pending(-1));
};

async function show(again = false) {
  const pick = current();
  if (!pick) return;
  if (!again && shown?.pick.item === pick.item && shown.looking === looking) return;
  keepDraft();
  const mine = ++turn;
  const place = looking;
  const found = await begun(pick, place === null ? null : history[place]);
  if (mine !== turn || current() !== pick) return;
  $("wait").hidden = true;
  $("stage").hidden = false;
  const map = new LabelMap(pick.width, pick.height, found.values);
  const image = pictures.of(pick.item);
  shown = { pick, looking: place, map, image, original: found.original, seen: found.seen, used: found.used, changed: false, began: performance.now() };
  tools.begin(shown);
  easel.show(map, image);
  describe(found.words);
  prefetch();
  drawStrip();
  pace.show(round.round);
}

// What an image begins with: a draft that was not saved, the mask that stands, or nothing.
async function begun(pick, entry) {
  const fits = (values) => values?.length === pick.width * pick.height;
  const draft = await drafts.of(pick.item);
  const original = entry?.kind === "answer" && !draft?.event ? await standing(entry) : null;
  if (draft && fits(draft.values)) {
    return { values: draft.values, original, seen: draft.seen, used: draft.used, words: draft.event ? "" : "your draft, not saved yet" };
  }
  return { values: fits(original) ? original.slice() : null, original, seen: false, used: false, words: "" };
}

async function standing(entry) {
  if (entry.packed) return unpack(entry.packed);
  const answer = await fetch(`/api/masks/${entry.pick.item}`).catch(() => null);
  if (!answer?.ok) { say("The mask that was saved cannot be shown at the moment."); return null; }
  return new Uint8Array(await answer.arrayBuffer());
}

function prefetch() {
  if (!current()) return;
  const ahead = round.waiting.slice(0, AHEAD + 1).map((pick) => pick.item);
  pictures.want(ahead, [current().item]);
}

function describe(words = shown?.words ?? "") {
  if (!shown) return;
  shown.words = words;
  const { pick } = shown;
  const entry = shown.looking === null ? null : history[shown.looking];
  showFacts(pick, [words, entry && verdict(entry, "you drew this")].filter(Boolean), `${pick.width} × ${pick.height}`);
  document.querySelector("[data-move=predict]").disabled = !pick.prediction;
  steps();
}

function steps() {
  document.querySelector("[data-move=undo]").disabled = !shown?.map.done.length;
  document.querySelector("[data-move=redo]").disabled = !shown?.map.undone.length;
}

// Called when a step was drawn, undone or redone.
let soon = null;
let keptAt = -Infinity;
function changed() {
  shown.changed = true;
  steps();
  clearTimeout(soon);
  // At once after a pause: a busy browser may not finish what is begun as the page is left.
  soon = setTimeout(keepDraft, performance.now() - keptAt > 2000 ? 0 : 400);
}

const draftOf = ({ pick, map, seen, used }) =>
  ({ item: pick.item, width: map.width, height: map.height, values: map.values.slice(), seen, used: used || map.holds("predicted") });

function keepDraft() {
  clearTimeout(soon);
  if (!shown?.changed) return null;
  shown.changed = false;
  keptAt = performance.now();
  return drafts.keep(draftOf(shown));
}
addEventListener("pagehide", keepDraft);
document.addEventListener("visibilitychange", () => { if (document.hidden) keepDraft(); });

function save() {
  if (!shown || shown.pick !== current()) return;
  tools.finish();
  if (!isShown(shown.image)) return say("This image is not shown yet.");
  if (shown.map.isEmpty) return say("Nothing is drawn. Skip the image (s), or say that it cannot be labelled (i).");
  const draft = draftOf(shown);
  shown.changed = false;
  drafts.keep(draft);
  decide("answer", async (entry, body) => {
    entry.packed = await pack(draft.values);
    const event = events.push("/api/masks", { ...body, item: draft.item, mask: entry.packed, suggestion_used: draft.used });
    await drafts.keep({ ...draft, event: event.body.event });
  });
}

function pass(kind) {
  if (!shown || shown.pick !== current()) return;
  if (!isShown(shown.image)) return say("This image is not shown yet.");
  keepDraft(); // a skipped image may come back
  decide(kind, (_, body) => { events.push(`/api/${kind}`, { ...body, items: [body.item], item: undefined }); });
}

function decide(kind, out) {
  const { pick, seen, original, began } = shown;
  const body = { item: pick.item, seconds: secondsSince(began), via: "page", suggestion_seen: Boolean(seen) };
  if (looking === null) {
    const entry = { pick, kind, packed: null };
    history.push(entry);
    actions.push({ entry, before: null });
    pace.said();
    queue(() => out(entry, body));
    round.decide(pick);
    if (round.round) round.round.done += 1;
  } else {
    const entry = history[looking];
    const before = { kind: entry.kind, packed: entry.packed };
    actions.push({ entry, before });
    Object.assign(entry, { kind, packed: null });
    queue(async () => {
      if (original && !before.packed) before.packed = await pack(original);
      await out(entry, body);
    });
    looking = looking + 1 < history.length ? looking + 1 : null;
  }
  shown = { ...shown, pick: {} }; // whatever is drawn next is another image
  next();
}

function next() {
  if (current()) show(true);
  else {
    shown = null;
    drawStrip();
    pace.show(round.round);
    rest(null, "");
    round.look().catch(() => {});
  }
}

// Takes back what was saved last; the mask is there again, as a draft.
function takeBack() {
  if (tools.takeCorner()) return;
  // An entry stays in the history until its mask is at hand: a second press means the one before it.
  const last = history.findLast((entry) => !entry.leaving);
  const action = actions.pop() ?? (last ? { entry: last, before: null } : null);
  if (action && !action.before) action.entry.leaving = true;
  queue(async () => {
    if (!action) return events.push("/api/undo", {});
    const { entry, before } = action;
    const values = entry.kind === "answer" && !before ? await standing(entry) : null;
    events.push("/api/undo", {}).entry = entry;
    const { pick } = entry;
    if (before) {
      Object.assign(entry, before);
      await drafts.forget(pick.item);
      looking = history.indexOf(entry);
    } else {
      if (values) await drafts.keep({ item: pick.item, width: pick.width, height: pick.height, values, seen: false, used: false });
      history.splice(history.indexOf(entry), 1);
      pace.tookBack();
      looking = null;
      round.giveBack(pick);
      if (round.round) round.round.done -= 1;
    }
    return show(true);
  });
}

// The server has the last word on what was taken back.
function undone(event, items) {
  if (event.entry && items.includes(event.entry.pick.item)) return;
  if (!items.length) {
    say(event.entry ? "That was taken back already." : "Nothing is left to take back.");
    if (!event.entry) return;
  }
  keepDraft();
  location.reload();
}

// A mask that an earlier page had saved is in the store now: go on if it is the one shown.
function kept(item) {
  const pick = round.waiting.find((one) => one.item === item);
  if (!pick || looking !== null || shown?.pick.item !== item || shown.map.done.length) return;
  history.push({ pick, kind: "answer", packed: null });
  round.decide(pick);
  next();
}

function forget(item) {
  const at = history.findIndex((entry) => entry.pick.item === item);
  if (at < 0) return;
  const [entry] = history.splice(at, 1);
  for (let i = actions.length; i--;) if (actions[i].entry === entry) actions.splice(i, 1);
  if (looking !== null) { looking = null; show(true); }
  drawStrip();
}

function rest(status, trouble) {
  if (current()) return;
  shown = null;
  $("stage").hidden = true;
  $("wait").hidden = false;
  $("why").textContent = $("under").textContent = "";
  if (status || trouble) showIdle(status, trouble);
  if (status) {
    round.round = status.round;
    if (!status.round) $("done").value = 1;
  }
  pace.show(round.round);
}

function drawStrip() {
  showStrip(history, looking, {
    image: ({ pick }) => element("img", { src: picture(pick.item, "thumb"), alt: "" }),
    words: () => "drawn",
    open: (at) => { looking = at; show(); },
  });
}

function browse(step) {
  const at = (looking ?? history.length) + step;
  if (at < 0) return;
  keepDraft();
  looking = at >= history.length ? null : at;
  if (looking === null && !current()) next();
  else show();
}

async function predict() {
  const of = shown;
  if (!of?.pick.prediction) return;
  try {
    const answer = await fetch(`/api/rounds/${of.pick.round}/predictions/${of.pick.item}`);
    if (!answer.ok) throw new Error();
    const values = new Uint8Array(await answer.arrayBuffer());
    if (of !== shown || values.length !== of.map.values.length) return;
    tools.finish();
    of.seen = true;
    of.map.under(values);
    of.map.commit("predicted");
    easel.draw();
    changed();
  } catch { say("The model's prediction cannot be shown at the moment."); }
}

function step(which) {
  if (!shown) return;
  tools.leave();
  if (shown.map[which]()) {
    easel.draw();
    changed();
  }
}

function remark(changes) {
  if (!shown) return;
  Object.assign(shown.pick, changes);
  const { item, flag, note } = shown.pick;
  events.push("/api/remark", { item, flag: Boolean(flag), note: note ?? "" });
  describe();
}
const openNote = noteDialog(() => shown?.pick, (note) => remark({ note }));

const classes = classList((name) => { tools.draw(told.classes.indexOf(name)); classes.flash(name); }, keyOf);
tools = new Tools({ easel, changed, shown: () => shown });
const moves = {
  ...tools.moves, predict, takeBack,
  save: () => { if (!tools.close()) save(); },
  skip: () => pass("skip"), ignore: () => pass("ignore"),
  undo: () => step("undo"), redo: () => step("redo"),
  flag: () => remark({ flag: !shown?.pick.flag }), note: openNote,
  back: () => browse(-1), forward: () => browse(1),
  find: () => classes.find(), help,
  leave: () => { if (!tools.leave() && looking !== null) { keepDraft(); looking = null; next(); } },
};
const act = (move) => moves[move]();
buttons($("tools"), [["brush", "b", "brush"], ["polygon", "l", "polygon"], ["fill", "g", "fill"], ["erase", "e", "erase"], ["spare", "x", "only empty"]], act);
buttons($("steps"), [["undo", "", "↶", "undo a step (Ctrl Z)"], ["redo", "", "↷", "redo it (Ctrl Shift Z)"], ["predict", "p", "predict"]], act);
buttons($("views"), [["smaller", "", "−"], ["fit", "z", "fit"], ["larger", "", "+"]], act);
buttons($("actions"), [["save", "↵", "save, next"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"], ["takeBack", "⌫", "take back"], ["flag", "f", "flag"], ["note", "n", "note"], ["help", "?", "keys"]], act);
helpOf($("help-keys"));
askButton($("wait-ask"));
tools.dress();

listen(meaning, moves, REPEATED, (label) => tools.draw(told.classes.indexOf(label)));
if (Object.values(MOVES).some((move) => !moves[move])) throw new Error("a key without a move");

ask(`/api/history?limit=${STRIP}&annotator=${encodeURIComponent(who().annotator)}`).then(({ entries }) => {
  if (history.length) return;
  history.push(...entries.map((one) => ({ pick: { item: one.item, round: one.round, width: one.width, height: one.height }, kind: one.kind, packed: null })));
  drawStrip();
}, () => {});
