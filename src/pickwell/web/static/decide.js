// The page where somebody decides what annotators disagree about.
import { showFacts, showName } from "/static/beside.js";
import { Events } from "/static/events.js";
import { buttons, classList, listen, meaning } from "/static/keys.js";
import { Pictures, unseen } from "/static/pictures.js";
import { showWait } from "/static/round.js";
import { $, ask, element, say } from "/static/session.js";

const stage = $("stage");
const pictures = new Pictures();
const done = []; // what undo takes back
const decided = new Set();
let queue = [];
let timer;

const events = new Events({
  refused: (_, sentence) => { say(sentence); look(); },
  acknowledged: (event, answer) => {
    if (event.path === "/api/undo" && !answer.items.includes(event.item)) location.reload();
    if (!events.waiting.length) look();
  },
});

async function look() {
  clearTimeout(timer);
  try {
    const { disputes } = await ask("/api/disputes");
    const first = queue[0]?.item;
    queue = disputes.filter((one) => !decided.has(one.item));
    // What is looked at stays where it is.
    queue.sort((a, b) => (b.item === first) - (a.item === first));
    if (queue[0]?.item !== first || !stage.firstChild) show();
    else count();
  } catch (error) {
    rest("The server does not answer", error.message);
  }
  timer = setTimeout(look, 4000);
}

function show() {
  const one = queue[0];
  if (!one) return rest("Nothing is disputed", "Images about which annotators disagree appear here.");
  $("wait").hidden = true;
  stage.hidden = false;
  stage.replaceChildren(pictures.of(one.item));
  showFacts(one);
  $("opinions").replaceChildren(...one.opinions.map(opinion));
  pictures.want(queue.slice(0, 6).map((next) => next.item), done.slice(-2).map((last) => last.item));
  return count();
}

const WORDS = { skip: "skipped it", ignore: "took it out" };
function opinion({ annotator, kind, label }) {
  const button = element("button", { type: "button" }, element("b", { dir: "auto" }, kind === "answer" ? label : WORDS[kind]), element("span", { dir: "auto" }, annotator || "(no name)"));
  button.addEventListener("click", () => { button.blur(); decide(kind, label); });
  return element("li", {}, button);
}

function count() {
  const more = queue.length >= 60 ? " or more" : "";
  $("count").textContent = queue.length ? `${queue.length}${more} to decide. A class key, or one of the answers, decides.` : "";
}

function rest(title, text) {
  stage.replaceChildren();
  stage.hidden = true;
  showWait(title, text);
  $("why").textContent = "";
  showName("");
  $("opinions").replaceChildren();
  count();
}

function decide(kind, label) {
  const one = queue[0];
  if (!one) return;
  const fault = unseen(pictures.of(one.item));
  if (fault) return say(fault);
  queue.shift();
  done.push(one);
  decided.add(one.item);
  events.push("/api/decide", { item: one.item, kind, label: kind === "answer" ? label : null });
  if (kind === "answer") classes.flash(label);
  show();
}

function undo() {
  const one = done.pop();
  if (!one) return say("On this page nothing is left to take back.");
  decided.delete(one.item);
  queue.unshift(one);
  events.push("/api/undo", {}).item = one.item;
  show();
}

const answer = (name) => decide("answer", name);
const classes = classList(answer);
const moves = { undo, skip: () => decide("skip"), ignore: () => decide("ignore"), find: classes.find };
buttons($("actions"), [["undo", "⌫", "undo"], ["skip", "s", "skip"], ["ignore", "i", "not labellable"]], moves);
listen(meaning, moves, [], answer);
look();
