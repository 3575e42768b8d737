// The tools that masks are drawn with: which is in the hand, with which class, and what the pointer does with it.
import { NOTHING } from "/static/map-of-labels.js";
import { $, element, told } from "/static/session.js";

const KEPT = `pickwell/${told.campaign}/tools`;
const CLOSE = 9; // screen pixels from the first corner within which a click closes a polygon
// The slider's steps are finer for thin brushes: 1 to 400 pixels.
const sizeAt = (place) => Math.max(1, Math.round(400 ** (place / 100)));
const placeOf = (size) => Math.round((100 * Math.log(size)) / Math.log(400));

export class Tools {
  // `changed()` is told of every step; `shown()` gives {map} of the image that is drawn on, or null.
  constructor({ easel, changed, shown }) {
    Object.assign(this, { easel, changed, shown });
    this.stage = easel.stage;
    this.tool = "brush";
    this.value = 0;
    this.last = 0; // the class to go back to after erasing
    this.spare = false;
    Object.assign(this, { size: 24, strength: 55 }, this.read());
    this.hidden = false;
    this.points = [];
    this.at = null;
    this.line = null; // the stroke in the making: where it is
    this.fingers = new Map();
    this.space = false;
    this.listen();
    this.moves = {
      brush: () => this.take("brush"), polygon: () => this.take("polygon"), fill: () => this.take("fill"),
      erase: () => this.draw(this.value === NOTHING ? this.last : NOTHING),
      spare: () => this.set({ spare: !this.spare }),
      thinner: () => this.resize(Math.min(this.size - 1, Math.round(this.size / 1.25))), thicker: () => this.resize(Math.max(this.size + 1, Math.round(this.size * 1.25))),
      fainter: () => this.strengthen(this.strength - 10), stronger: () => this.strengthen(this.strength + 10),
      hide: () => this.set({ hidden: !this.hidden }),
      fit: () => easel.fit(), larger: () => easel.zoom(1.3), smaller: () => easel.zoom(1 / 1.3),
    };
  }

  read() {
    try {
      const { size, strength } = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
      return { ...(size >= 1 && size <= 400 && { size }), ...(strength >= 0 && strength <= 100 && { strength }) };
    } catch { return {}; }
  }

  begin() {
    this.points = [];
    this.line = null;
    this.dress();
  }

  set(changes) {
    Object.assign(this, changes);
    this.dress();
  }

  take(tool) {
    this.leave();
    this.set({ tool });
  }

  // From now on the tools draw this class, or nothing.
  draw(value) { this.set({ value, last: value === NOTHING ? this.last : value }); }

  resize(size) { this.keep({ size: Math.min(400, Math.max(1, size)) }); }

  strengthen(share) { this.keep({ strength: Math.min(100, Math.max(0, share)), hidden: false }); }

  keep(changes) {
    this.set(changes);
    try { localStorage.setItem(KEPT, JSON.stringify({ size: this.size, strength: this.strength })); } catch { /* for this page only */ }
  }

  // Shows what is in the hand.
  dress() {
    const press = (selector, is) => document.querySelector(selector)?.setAttribute("aria-pressed", String(Boolean(is)));
    for (const tool of ["brush", "polygon", "fill"]) press(`[data-move=${tool}]`, tool === this.tool);
    press("[data-move=spare]", this.spare);
    for (const one of ["#nothing", "[data-move=erase]"]) press(one, this.value === NOTHING);
    const name = told.classes[this.value];
    for (const button of $("classes").querySelectorAll("button")) {
      const its = button.dataset.label === name;
      button.setAttribute("aria-pressed", String(its));
      if (its) button.scrollIntoView({ block: "nearest" });
    }
    $("size").value = placeOf(this.size);
    $("size-of").textContent = this.size;
    $("strength").value = this.strength;
    this.stage.style.setProperty("--strength", this.hidden ? 0 : this.strength / 100);
    if (this.shown()) this.shown().map.spare = this.spare;
    this.moved();
  }

  // Draws what lies over the image anew: after a zoom, a corner, a move of the pointer.
  moved() {
    const brushing = this.tool === "brush" && !this.panning && !this.space;
    this.stage.classList.toggle("brushing", brushing && Boolean(this.at));
    this.stage.classList.toggle("pan", this.space || Boolean(this.panning));
    this.easel.ring(brushing ? this.at : null, this.size);
    this.easel.line(this.points, this.points.length && this.at ? this.easel.of(this.at) : null, told.colours[this.value] ?? "#000000");
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("pointerdown", (press) => this.down(press));
    stage.addEventListener("pointermove", (move) => this.move(move));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (press) => this.up(press));
    stage.addEventListener("pointerleave", () => { this.at = null; this.moved(); });
    stage.addEventListener("dblclick", () => this.close());
    stage.addEventListener("contextmenu", (press) => press.preventDefault());
    stage.addEventListener("wheel", (turn) => {
      turn.preventDefault();
      this.easel.zoom(turn.deltaY < 0 ? 1.2 : 1 / 1.2, ...this.easel.on(turn));
    }, { passive: false });
    addEventListener("keydown", (press) => this.hold(press, true));
    addEventListener("keyup", (press) => this.hold(press, false));
    addEventListener("blur", () => { this.space = false; this.moved(); });
    $("nothing").addEventListener("click", (press) => { press.currentTarget.blur(); this.moves.erase(); });
    $("size").addEventListener("input", () => this.resize(sizeAt(Number($("size").value))));
    $("strength").addEventListener("input", () => this.strengthen(Number($("strength").value)));
    for (const id of ["size", "strength"]) $(id).addEventListener("change", () => $(id).blur());
    for (const button of $("classes").querySelectorAll("button")) {
      const swatch = element("i", { class: "swatch" });
      swatch.style.background = told.colours[told.classes.indexOf(button.dataset.label)];
      button.firstChild.after(swatch);
    }
  }

  hold(press, is) {
    if (press.key !== " " || press.target.matches?.("input, textarea, select, button, dialog *")) return;
    press.preventDefault();
    this.space = is;
    this.moved();
  }

  down(press) {
    const { map } = this.shown() ?? {};
    if (!map) return;
    press.preventDefault();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    this.stage.setPointerCapture(press.pointerId);
    this.at = press;
    if (press.pointerType === "touch") this.fingers.set(press.pointerId, press);
    if (this.fingers.size === 2) return this.pinch(map);
    if (press.button === 1 || (press.button === 0 && this.space)) this.panning = press.pointerId;
    else if (press.button === 0) this.begun(map, press);
    return this.moved();
  }

  begun(map, press) {
    const [x, y] = this.easel.of(press);
    if (this.tool === "brush") {
      this.line = { id: press.pointerId, x, y };
      this.to(map, press);
      this.easel.soon();
    } else if (this.tool === "polygon") this.corner([x, y], press);
    else if (map.has(x, y)) {
      map.fill(Math.floor(x), Math.floor(y), this.value);
      this.commit();
    }
  }

  move(event) {
    const shown = this.shown();
    if (!shown) return;
    this.at = event;
    const before = this.fingers.get(event.pointerId);
    if (before) this.fingers.set(event.pointerId, event);
    if (this.pinched) this.spread();
    else if (this.panning === event.pointerId) this.easel.pan(event.movementX, event.movementY);
    else if (this.line?.id === event.pointerId) {
      const way = event.getCoalescedEvents?.() ?? [];
      for (const part of way.length ? way : [event]) this.to(shown.map, part);
      this.easel.soon();
    }
    this.moved();
    this.name(shown.map, event);
  }

  to(map, event) {
    const [x, y] = this.easel.of(event);
    map.stroke(this.line.x, this.line.y, x, y, this.size, this.value);
    Object.assign(this.line, { x, y });
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size < 2) this.pinched = null;
    if (this.panning === event.pointerId) this.panning = null;
    if (this.line?.id === event.pointerId) this.finish();
    if (event.pointerType === "touch") this.at = null;
    this.moved();
  }

  // Two fingers move and zoom; what the first of them had begun to draw is dropped.
  pinch(map) {
    this.line = null;
    map.cancel();
    this.easel.soon();
    this.pinched = this.grip();
  }

  grip() {
    const [[ax, ay], [bx, by]] = [...this.fingers.values()].map((finger) => this.easel.on(finger));
    return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) };
  }

  spread() {
    const [before, now] = [this.pinched, this.grip()];
    this.pinched = now;
    this.easel.pan(now.x - before.x, now.y - before.y);
    if (before.apart > 0) this.easel.zoom(now.apart / before.apart, now.x, now.y);
  }

  // Says which class lies under the pointer: colours alone do not tell everybody.
  name(map, event) {
    const [x, y] = this.easel.of(event).map(Math.floor);
    const value = map.has(x, y) ? map.at(x, y) : null;
    if (value === this.named) return;
    this.named = value;
    $("under").textContent = value === null ? "" : value === NOTHING ? "nothing said" : told.classes[value];
    $("under").style.setProperty("--under", value === null || value === NOTHING ? "transparent" : told.colours[value]);
  }

  corner(point, press) {
    const [x, y] = this.easel.on(press);
    const near = (corner, pixels) => { const [a, b] = this.easel.toStage(corner); return Math.hypot(x - a, y - b) <= pixels; };
    if (this.points.length > 2 && near(this.points[0], CLOSE)) this.close();
    // The second click of a double click adds no corner.
    else if (!this.points.length || !near(this.points.at(-1), 2)) this.points.push(point);
  }

  // Draws the polygon in the making; true if there was one.
  close() {
    const { points } = this;
    const shown = this.shown();
    if (!points.length || !shown) return false;
    this.points = [];
    if (points.length > 2) {
      shown.map.polygon(points, this.value);
      this.commit();
    }
    this.moved();
    return true;
  }

  takeCorner() {
    const corner = this.points.pop();
    this.moved();
    return Boolean(corner);
  }

  // Drops the polygon in the making; true if there was one.
  leave() {
    const some = this.points.splice(0).length > 0;
    this.finish();
    this.moved();
    return some;
  }

  // Ends the stroke in the making.
  finish() {
    if (!this.line) return;
    this.line = null;
    this.commit();
  }

  commit() {
    const shown = this.shown();
    if (!shown) return;
    if (shown.map.commit()) this.changed();
    this.easel.draw();
  }
}
