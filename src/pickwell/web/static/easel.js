// What is seen of an image that is drawn on: the image, the colours over it, zoom, pan, and the tool's shape.
import { NOTHING } from "/static/map-of-labels.js";
import { element, svg, told } from "/static/session.js";

const LARGEST = 40; // screen pixels a pixel
const colours = new Uint32Array(256); // as in memory: alpha, blue, green, red; 0 shows the image
told.colours.forEach((colour, at) => {
  const [r, g, b] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  colours[at] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
});
colours[NOTHING] = 0;

export class Easel {
  // `moved()` is told when zoom or place changed.
  constructor(stage, moved = () => {}) {
    Object.assign(this, { stage, moved });
    this.canvas = element("canvas", { class: "colours" });
    this.world = element("div", { class: "world" }, this.canvas);
    this.brush = element("div", { class: "brush", hidden: true });
    this.outline = svg("svg", { class: "outline" });
    stage.append(this.world, this.outline, this.brush);
    this.paper = this.canvas.getContext("2d", { willReadFrequently: true });
    this.scale = 1;
    this.x = this.y = 0;
    this.fitted = true;
    this.map = null;
    new ResizeObserver(() => { if (this.fitted) this.fit(); }).observe(stage);
  }

  show(map, image) {
    this.map = map;
    this.image?.remove();
    this.image = image;
    this.world.prepend(image);
    this.world.style.width = `${map.width}px`;
    this.world.style.height = `${map.height}px`;
    if (this.canvas.width !== map.width || this.canvas.height !== map.height) Object.assign(this.canvas, { width: map.width, height: map.height });
    map.fresh = { left: 0, top: 0, right: map.width, bottom: map.height };
    this.draw();
    this.fit();
  }

  // Draws what changed, and nothing else.
  draw() {
    const box = this.map?.fresh;
    if (!box) return;
    this.map.fresh = null;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    const picture = new ImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let y = 0, to = 0; y < height; y++) {
      const row = (box.top + y) * this.map.width + box.left;
      for (let from = row; from < row + width; from++) pixels[to++] = colours[this.map.values[from]];
    }
    this.paper.putImageData(picture, box.left, box.top);
  }

  // Draws with the next frame, once however often it is asked.
  soon() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.draw(); });
  }

  place() {
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.world.classList.toggle("coarse", this.scale >= 2);
    this.moved();
  }

  fit() {
    if (!this.map) return;
    const { clientWidth, clientHeight } = this.stage;
    const { width, height } = this.map;
    this.scale = Math.min((clientWidth - 16) / width, (clientHeight - 16) / height, LARGEST);
    this.least = Math.min(1, this.scale);
    this.x = (clientWidth - width * this.scale) / 2;
    this.y = (clientHeight - height * this.scale) / 2;
    this.fitted = true;
    this.place();
  }

  // Larger or smaller around a place of the stage; its middle, if none is named.
  zoom(by, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.min(LARGEST, Math.max(this.least, this.scale * by));
    if (!this.map || scale === this.least) return this.fit();
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    return this.pan(0, 0);
  }

  pan(dx, dy) {
    // Some of the image stays in sight.
    const within = (v, whole, seen) => Math.min(seen - 40, Math.max(40 - whole * this.scale, v));
    this.x = within(this.x + dx, this.map.width, this.stage.clientWidth);
    this.y = within(this.y + dy, this.map.height, this.stage.clientHeight);
    this.fitted = false;
    this.place();
  }

  // The place of an event on the stage, and on the image.
  on(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  of(event) {
    const [x, y] = this.on(event);
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  toStage([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }

  // The ring that shows how large the brush is.
  ring(event, size) {
    this.brush.hidden = !event;
    if (!event) return;
    const across = Math.max(3, size * this.scale);
    const [left, top] = this.on(event).map((v) => v - across / 2);
    this.brush.style.width = this.brush.style.height = `${across}px`;
    this.brush.style.transform = `translate(${left}px, ${top}px)`;
  }

  // The outline of a polygon in the making; `next` is where the pointer is.
  line(points, next, colour) {
    this.outline.replaceChildren();
    if (!points.length) return;
    const corners = points.map((point) => this.toStage(point));
    const all = [...corners, ...(next ? [this.toStage(next)] : [])].map((corner) => corner.map((v) => v.toFixed(1)).join(",")).join(" ");
    this.outline.append(
      svg("polygon", { points: all, class: "under" }), svg("polygon", { points: all, class: "over", stroke: colour }),
      ...corners.map(([cx, cy], at) => svg("circle", { cx, cy, r: at ? 3.5 : 5.5, class: "dot" })),
    );
  }
}
