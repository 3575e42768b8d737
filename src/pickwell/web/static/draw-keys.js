// The keys of the page where masks are drawn, and its buttons.
import { cap, keySet } from "/static/keys.js";
import { element } from "/static/session.js";

export const MOVES = {
  b: "brush", e: "erase", l: "polygon", g: "fill", x: "spare", p: "predict", s: "skip", i: "ignore", f: "flag", n: "note",
  z: "fit", o: "hide", "[": "thinner", "]": "thicker", ",": "fainter", ".": "stronger", "/": "find", "?": "help", "+": "larger", "=": "larger", "-": "smaller",
  Enter: "save", Backspace: "takeBack", ArrowLeft: "back", ArrowRight: "forward", Escape: "leave",
};
export const { keyOf, meaning: plain } = keySet(MOVES);
export const REPEATED = ["back", "forward", "larger", "smaller", "thinner", "thicker", "fainter", "stronger", "undo", "redo"];

// What a press asks for: {move} or {label}; null for nothing of ours.
export function meaning(press) {
  const key = press.key.toLowerCase();
  if ((press.ctrlKey || press.metaKey) && !press.altKey) {
    if (key === "z") return { move: press.shiftKey ? "redo" : "undo" };
    if (key === "y") return { move: "redo" };
    return key === "s" ? { move: "save" } : null;
  }
  return plain(press);
}

const WORDS = {
  brush: "brush", erase: "erase: nothing is said of these pixels, or they are to be ignored (255); with any tool", polygon: "polygon: click its corners, Enter or a double click closes it, Backspace takes a corner back",
  fill: "fill what hangs together", spare: "draw only where nothing is drawn yet", predict: "put the model's prediction beneath what is drawn; kept with the label",
  skip: "skip: ask another time", ignore: "not labellable: never ask again", flag: "flag", note: "write a note", fit: "see the whole image", hide: "hide or show the colours",
  thinner: "thinner brush", thicker: "thicker brush", fainter: "fainter colours", stronger: "stronger colours", find: "find a class by name", help: "this help", larger: "zoom in (also the wheel)", smaller: "zoom out",
  save: "save, and go on", takeBack: "take back what was saved last", back: "look back", forward: "look forward", leave: "leave the polygon, or go back to the next image",
};

export function helpOf(place) {
  const keys = [...keyOf.values()];
  const rows = Object.entries(MOVES).filter(([key]) => key !== "=").map(([key, move]) => [[key], WORDS[move]]);
  const all = [[[keys[0], keys.at(-1)], "a class to draw with"], [["Space"], "hold and drag: move the image"], [["Ctrl Z"], "undo a step"], [["Ctrl ⇧ Z"], "redo it"], ...rows];
  place.append(...all.flatMap(([caps, words]) => [
    element("dt", {}, ...caps.flatMap((key, at) => [at ? " … " : "", cap(key)])), element("dd", {}, words)]));
}

// Buttons [move, key, words] in a place; `act(move)` is called.
export function buttons(place, entries, act) {
  for (const [move, key, words, title] of entries) {
    const button = element("button", { type: "button", "data-move": move, title: title ?? WORDS[move] ?? words, "aria-label": title ?? WORDS[move] ?? words }, ...(key ? [cap(key)] : []), words);
    button.addEventListener("click", () => { button.blur(); act(move); });
    place.append(button);
  }
}
