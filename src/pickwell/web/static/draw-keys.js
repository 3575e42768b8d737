// The keys of the page where masks are drawn, and what they do in words.
import { keySet } from "/static/keys.js";

export const MOVES = {
  b: "brush", e: "erase", l: "polygon", g: "fill", x: "spare", p: "predict", s: "skip", i: "ignore", f: "flag", n: "note",
  z: "fit", o: "hide", "[": "thinner", "]": "thicker", ",": "fainter", ".": "stronger", "/": "find", "?": "help", "+": "larger", "=": "larger", "-": "smaller",
  Enter: "save", Backspace: "takeBack", ArrowLeft: "back", ArrowRight: "forward", Escape: "leave",
};
export const { keyOf, meaning } = keySet(MOVES, { z: "undo", "shift z": "redo", y: "redo", s: "save" });
export const REPEATED = ["back", "forward", "larger", "smaller", "thinner", "thicker", "fainter", "stronger", "undo", "redo"];

export const WORDS = {
  brush: "brush", erase: "erase: nothing is said of these pixels, or they are to be ignored (255); with any tool", polygon: "polygon: click its corners, Enter or a double click closes it, Backspace takes a corner back",
  fill: "fill a connected region", spare: "draw only where nothing is drawn yet", predict: "put the model's prediction beneath what is drawn; kept with the label",
  skip: "skip: ask another time", ignore: "not labellable: never ask again", flag: "flag", note: "write a note", fit: "see the whole image", hide: "hide or show the colours",
  thinner: "thinner brush", thicker: "thicker brush", fainter: "fainter colours", stronger: "stronger colours", find: "find a class by name", help: "this help", larger: "zoom in (also the wheel)", smaller: "zoom out",
  undo: "undo a step (Ctrl Z)", redo: "redo it (Ctrl Shift Z)", save: "save, and go on", takeBack: "take back what was saved last", back: "look back", forward: "look forward", leave: "leave the polygon, or go back to the next image",
};
