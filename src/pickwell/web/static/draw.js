// The page where masks are drawn: one image, its label map, and what becomes of it.
import { showFacts } from "/static/beside.js";
import { MOVES, REPEATED, WORDS, keyOf, meaning } from "/static/draw-keys.js";
import { Drafts, pack, unpack } from "/static/drafts.js";
import { Easel } from "/static/easel.js";
import { buttons, classList, fillHelp, listen } from "/static/keys.js";
import { LabelMap } from "/static/map-of-labels.js";
import { OneByOne } from "/static/one-by-one.js";
import { unseen } from "/static/pictures.js";
import { $, duration, element, picture, say, secondsSince, told } from "/static/session.js";
import { Tools } from "/static/tools.js";

const AHEAD = 2; // drawing takes minutes: more would be kept from others
const drafts = new Drafts();
const work = new OneByOne({
  show, clear, describe,
  acknowledged: ({ path, body }) => { if (path === "/api/masks") drafts.acknowledged(body.item, body.event).then(() => kept(body.item)); },
  image: ({ pick }) => element("img", { src: picture(pick.item, "thumb"), alt: "" }),
  words: () => "drawn",
  rate: (took) => `${duration(took / 1000)} each`,
  ahead: AHEAD + 1, near: 0,
}, { least: AHEAD, ahead: AHEAD });
let shown = null; // {pick, entry, map, image, original, seen, used, began, changed, words}
let turn = 0;
const easel = new Easel($("stage"), () => tools?.moved());
let tools = null;

async function show(again = false) {
  const [pick, { entry }] = [work.current(), work];
  if (!pick || (!again && shown?.pick === pick && shown.entry === entry)) return;
  keepDraft();
  const mine = ++turn;
  const found = await begun(pick, entry);
  if (mine !== turn || work.current() !== pick) return;
  $("wait").hidden = true;
  $("stage").hidden = false;
  const map = new LabelMap(pick.width, pick.height, found.values);
  const image = work.pictures.of(pick.item);
  shown = { ...found, pick, entry, map, image, changed: false, began: performance.now() };
  tools.begin();
  easel.show(map, image);
  describe();
  work.showAround();
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

async function standing({ packed, pick }) {
  if (packed) return unpack(packed);
  const values = await bytes(`/api/masks/${pick.item}`);
  if (!values) say("The mask that was saved cannot be shown at the moment.");
  return values;
}

// A mask from the server; null where it gives none.
async function bytes(path) {
  const answer = await fetch(path).catch(() => null);
  return answer?.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
}

function describe() {
  if (!shown || shown.pick !== work.current()) return;
  const { pick, words } = shown;
  showFacts(pick, [words, ...work.verdict(() => "you drew this")], `${pick.width} × ${pick.height}`);
  document.querySelector("[data-move=predict]").disabled = !pick.prediction;
  steps();
}

function steps() {
  document.querySelector("[data-move=undo]").disabled = !shown.map.done.length;
  document.querySelector("[data-move=redo]").disabled = !shown.map.undone.length;
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
  ({ item: pick.item, values: map.values.slice(), seen, used: used || map.holds("predicted") });

function keepDraft() {
  clearTimeout(soon);
  if (!shown?.changed) return;
  shown.changed = false;
  keptAt = performance.now();
  drafts.keep(draftOf(shown));
}
addEventListener("pagehide", keepDraft);
document.addEventListener("visibilitychange", () => { if (document.hidden) keepDraft(); });

function clear() {
  keepDraft();
  shown = null;
  $("under").textContent = "";
}

// Whether the image that a key is for can be seen.
function ready() {
  if (!shown || shown.pick !== work.current()) return false;
  tools.finish();
  const fault = unseen(shown.image);
  if (fault) say(fault);
  return !fault;
}

function save() {
  if (!ready()) return;
  if (shown.map.isEmpty) return say("Nothing is drawn. Skip the image (s), or say that it cannot be labelled (i).");
  const draft = draftOf(shown);
  shown.changed = false;
  drafts.keep(draft);
  decide("answer", async (entry, body) => {
    entry.packed = await pack(draft.values);
    const event = work.events.push("/api/masks", { ...body, item: draft.item, mask: entry.packed, suggestion_used: draft.used });
    await drafts.keep({ ...draft, event: event.body.event });
  });
}

function pass(kind) {
  if (!ready()) return;
  keepDraft(); // a skipped image may come back
  const items = [shown.pick.item];
  decide(kind, (_, body) => { work.events.push(`/api/${kind}`, { ...body, items }); });
}

function decide(kind, push) {
  const { original, seen, began } = shown;
  const body = { seconds: secondsSince(began), via: "page", suggestion_seen: seen };
  shown = { ...shown, pick: {} }; // whatever is drawn next is another image
  work.decide({ kind, packed: null }, (entry, before) => work.events.later(async () => {
    if (before && original) before.packed ??= await pack(original);
    await push(entry, body);
  }));
}

// Takes back what was saved last; the mask is there again, as a draft.
async function takeBack() {
  if (tools.takeCorner()) return;
  const action = work.last() ?? await work.earlier();
  if (!action) return say("Nothing is left to take back.");
  const { entry, before } = action;
  // An entry stays in the history until its mask is at hand: a second press means the one before it.
  if (!before) entry.leaving = true;
  work.events.later(async () => {
    const { item } = entry.pick;
    const values = entry.kind === "answer" && !before ? await standing(entry) : null;
    work.undo(action);
    if (before) await drafts.forget(item);
    else if (values) await drafts.keep({ item, values, seen: false, used: false });
    return work.takeBack(action);
  });
}

// A mask that an earlier page had saved is in the store now: go on if it is the one shown.
function kept(item) {
  const pick = work.round.waiting.find((one) => one.item === item);
  if (!pick || work.entry || shown?.pick.item !== item || shown.map.done.length) return;
  work.history.push({ pick, kind: "answer", packed: null });
  work.round.decide(pick);
  work.next();
}

async function predict() {
  const of = shown;
  if (!of?.pick.prediction) return;
  const values = await bytes(`/api/rounds/${of.pick.round}/predictions/${of.pick.item}`);
  if (!values) return say("The model's prediction cannot be shown at the moment.");
  if (of !== shown || values.length !== of.map.values.length) return;
  tools.finish();
  of.seen = true;
  of.map.under(values);
  of.map.commit("predicted");
  easel.draw();
  changed();
}

function step(which) {
  if (!shown) return;
  tools.leave();
  if (shown.map[which]()) {
    easel.draw();
    changed();
  }
}

const draw = (name) => tools.draw(told.classes.indexOf(name));
const classes = classList((name) => { draw(name); classes.flash(name); }, keyOf);
tools = new Tools({ easel, changed, shown: () => shown });
const moves = {
  ...work.moves, ...tools.moves, predict, takeBack, find: classes.find,
  save: () => { if (!tools.close()) save(); },
  skip: () => pass("skip"), ignore: () => pass("ignore"),
  undo: () => step("undo"), redo: () => step("redo"),
  leave: () => { if (!tools.leave()) work.leave(); },
};
buttons($("tools"), [["brush", "b", "brush"], ["polygon", "l", "polygon"], ["fill", "g", "fill"], ["erase", "e", "erase"], ["spare", "x", "only empty"]], moves, WORDS);
buttons($("steps"), [["undo", "", "↶"], ["redo", "", "↷"], ["predict", "p", "predict"]], moves, WORDS);
buttons($("views"), [["smaller", "", "−"], ["fit", "z", "fit"], ["larger", "", "+"]], moves, WORDS);
buttons($("actions"), [["save", "↵", "save, next"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"], ["takeBack", "⌫", "take back"], ["flag", "f", "flag"], ["note", "n", "note"], ["help", "?", "keys"]], moves, WORDS);
const keys = [...keyOf.values()];
fillHelp([
  [[keys[0], keys.at(-1)], "a class to draw with"], [["Space"], "hold and drag: move the image"], [["Ctrl Z"], "undo a step"], [["Ctrl ⇧ Z"], "redo it"],
], MOVES, WORDS);
tools.dress();
listen(meaning, moves, REPEATED, draw);
if (Object.values(MOVES).some((move) => !moves[move])) throw new Error("a key without a move");
