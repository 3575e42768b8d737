// Which key means what: digits and the free letters are classes, the others are moves.
import { $, element, told } from "/static/session.js";

export const MOVES = {
  s: "skip", i: "ignore", f: "flag", n: "note", p: "model", z: "zoom", x: "select", ".": "repeat",
  "/": "find", "?": "help", "+": "larger", "-": "smaller",
  Backspace: "undo", ArrowLeft: "back", ArrowRight: "forward", ArrowUp: "up", ArrowDown: "down",
  Enter: "accept", Escape: "leave",
};

// What stands on the keys of a Latin keyboard beside letters, by the names that browsers give their places.
const SIGNS = { BracketLeft: "[", BracketRight: "]", Comma: ",", Period: ".", Slash: "/", Minus: "-", Equal: "=" };

// The key in small letters; on keyboards of other scripts what stands there on a Latin one.
function latin({ key, code }) {
  if (key.length > 1) return key;
  if (!/\p{L}/u.test(key) || /\p{Script=Latin}/u.test(key)) return key.toLowerCase();
  return /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? SIGNS[code] ?? key;
}

// The keys of classes, and what a press means, where these keys are moves, and with Ctrl those.
export function keySet(moves, controls) {
  const free = [..."1234567890"].concat([..."abcdefghijklmnopqrstuvwxyz"].filter((letter) => !(letter in moves)));
  // A class named as a key has that key: 3 labels a 3. The others take what is free, in their order.
  const own = new Map();
  for (const name of told.classes) {
    const key = name.toLowerCase();
    if (free.includes(key) && ![...own.values()].includes(key)) own.set(name, key);
  }
  const rest = free.filter((key) => ![...own.values()].includes(key));
  const keyOf = new Map(told.classes.map((name) => [name, own.get(name) ?? rest.shift()]).filter(([, key]) => key));
  const classOf = new Map([...keyOf].map(([name, key]) => [key, name]));

  // What a key press asks for: {move} or {label}; null for nothing of ours.
  function meaning(press) {
    if (press.altKey) return null;
    const key = latin(press);
    if (press.ctrlKey || press.metaKey) {
      const move = (press.shiftKey && controls[`shift ${key}`]) || controls[key];
      return move ? { move } : null;
    }
    // Some keyboards have digits on the shifted level only: without Shift, such a key's own sign is no move.
    const digit = /^Digit(\d)$/.exec(press.code)?.[1];
    if (!press.shiftKey && classOf.has(digit)) return { label: classOf.get(digit) };
    if (key in moves) return { move: moves[key] };
    const label = classOf.get(digit ?? key) ?? classOf.get(key);
    return label === undefined ? null : { label };
  }
  return { keyOf, meaning };
}
export const { keyOf, meaning } = keySet(MOVES, { z: "undo", a: "all" });

// Whether the press is for what has the focus: text that is typed, a link or a button that Enter follows.
const taken = ({ key, target }) => target instanceof Element
  && target.closest(key === "Enter" ? "input, textarea, select, a, button, summary" : "input, textarea, select") !== null;

const CAPS = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", "-": "−" };
export function cap(key) {
  const words = CAPS[key] ?? key;
  return element("kbd", { class: /[^ -~]/.test(words) && "sign" }, words);
}

// Fills the help: first the rows [keys, words], then every key whose move has words.
export function fillHelp(first, moves, words) {
  const rows = Object.entries(moves).filter(([key, move]) => words[move] && key !== "=");
  $("help-keys").append(...[...first, ...rows.map(([key, move]) => [[key], words[move]])].flatMap(([keys, meant]) => [
    element("dt", {}, ...keys.flatMap((key, at) => [at ? " … " : "", cap(key)])), element("dd", {}, meant)]));
}

// The list of classes with a field to find one; `choose(name)` is called with what is clicked, or found and entered.
export function classList(choose, keys = keyOf) {
  const list = $("classes");
  const find = $("find");
  const rows = told.classes.map((name) => {
    const key = keys.get(name);
    const cap = key ? element("kbd", {}, key) : element("span", { class: "nokey" });
    const button = element("button", { type: "button", "data-label": name }, cap, element("span", { dir: "auto" }, name));
    return element("li", {}, button);
  });
  let at = 0;
  const shown = () => rows.filter((row) => !row.hidden);
  const mark = () => shown().forEach((row, place) => {
    row.classList.toggle("found", Boolean(find.value) && place === at);
    if (find.value && place === at) row.scrollIntoView({ block: "nearest" });
  });
  const filter = () => {
    const words = find.value.trim().toLowerCase();
    const fits = (name) => name.toLowerCase().includes(words);
    rows.forEach((row, place) => { row.hidden = !fits(told.classes[place]); });
    const begins = rows.filter((row, place) => !row.hidden && told.classes[place].toLowerCase().startsWith(words));
    at = words && begins.length ? shown().indexOf(begins[0]) : 0;
    mark();
  };
  const flash = (name) => rows[told.classes.indexOf(name)]?.animate([{ background: "var(--pressed)" }, { background: "transparent" }], 350);
  const leave = () => { find.value = ""; filter(); find.blur(); };
  list.append(...rows);
  list.classList.toggle("many", told.classes.length > 12);
  list.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    button.blur();
    leave();
    choose(button.dataset.label);
  });
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (press) => {
    if (press.isComposing) return;
    const found = shown();
    if (press.key === "Enter" && found[at] && find.value.trim()) {
      const { label } = found[at].firstChild.dataset;
      leave();
      choose(label);
    } else if (press.key === "Escape") leave();
    else if (press.key === "ArrowDown") at = Math.min(at + 1, found.length - 1);
    else if (press.key === "ArrowUp") at = Math.max(at - 1, 0);
    else return;
    press.preventDefault();
    press.stopPropagation();
    mark();
  });
  return { find: () => find.focus(), flash };
}

// Buttons [move, key, words] in a place, each with a longer title if there is one.
export function buttons(place, entries, moves, titles = {}) {
  for (const [move, key, words] of entries) {
    const named = { title: titles[move], "aria-label": titles[move] };
    const button = element("button", { type: "button", "data-move": move, ...named }, ...(key ? [cap(key)] : []), words);
    button.addEventListener("click", () => { button.blur(); moves[move](); });
    place.append(button);
  }
}

// Gives each key to its move, or to `label(name)` if it is a class's.
export function listen(meaning, moves, repeated, label) {
  addEventListener("keydown", (press) => {
    if (taken(press) || document.querySelector("dialog[open]")) return;
    const asked = meaning(press);
    if (!asked || (asked.move && !moves[asked.move])) return;
    press.preventDefault();
    // A key held down must not label everything.
    if (press.repeat && !repeated.includes(asked.move)) return;
    if (asked.label !== undefined) label(asked.label);
    else moves[asked.move]();
  });
}
