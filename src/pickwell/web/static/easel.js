// What is seen of an image that is drawn on: the image, the colours over it, zoom, pan, and the tool's shape.
import { NOTHING } from "/static/map-of-labels.js";
import { element, told } from "/static/session.js";

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
    this.outline = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.outline.classList.add("outline");
    stage.append(this.world, this.outline, this.brush);
    this.paper = this.canvas.getContext("2d", { willReadFrequently: true });
    this.scale = 1;
    this.x = this.y = 0;
    this.fitted = true;
    this.map = null;
    new ResizeObserver(() => { if (this.map && this.fitted) this.fit(); }).observe(stage);
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
    if (scale === this.least) return this.fit();
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

  // The place on the image of a place on the screen.
  of(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left - this.x) / this.scale, (event.clientY - box.top - this.y) / this.scale];
  }

  toScreen([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }

  // The ring that shows how large the brush is.
  ring(event, size) {
    this.brush.hidden = !event;
    if (!event) return;
    const box = this.stage.getBoundingClientRect();
    const across = Math.max(3, size * this.scale);
    this.brush.style.width = this.brush.style.height = `${across}px`;
    this.brush.style.transform = `translate(${event.clientX - box.left - across / 2}px, ${event.clientY - box.top - across / 2}px)`;
  }

  // The outline of a polygon in the making; `next` is where the pointer is.
  line(points, next, colour) {
    this.outline.replaceChildren();
    if (!points.length) return;
    const all = [...points, ...(next ? [next] : [])].map((point) => this.toScreen(point).map((v) => v.toFixed(1)).join(",")).join(" ");
    for (const kind of ["under", "over"]) {
      const drawn = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      drawn.setAttribute("points", all);
      drawn.setAttribute("class", kind);
      if (kind === "over") drawn.style.stroke = colour;
      this.outline.append(drawn);
    }
    points.forEach((point, at) => {
      const [cx, cy] = this.toScreen(point);
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      Object.entries({ cx, cy, r: at ? 3.5 : 5.5, class: "dot" }).forEach(([name, value]) => dot.setAttribute(name, value));
      this.outline.append(dot);
    });
  }
}
