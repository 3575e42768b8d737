// The map of a round: up to 100,000 points on a canvas.
import { $, element, picture } from "/static/session.js";

const NAMES = ["unlabelled", "labelled", "picked"];
const SIZES = [2, 4, 5];
const REACH = 14; // pixels
const STEPS = 12; // shades of the score
const EDGE = 10; // pixels around the points
const canvas = $("map");
const context = canvas.getContext("2d", { alpha: false });
const shown = [true, true, true];
let points = null; // {n, item, x, y, score, state}
let place = { width: 0, height: 0, left: 0, top: 0 };
let at = -1;
let loaded = "";
let drawing = 0;

// Shows the map of a round; called again with the same one it does nothing.
export async function showMap(number, total) {
  $("map-figure").hidden = number === undefined;
  const wanted = `${number}/${total}`;
  if (number === undefined || wanted === loaded) return;
  loaded = wanted;
  const answer = await fetch(`/api/rounds/${number}/map`);
  if (!answer.ok) { $("map-figure").hidden = true; return; }
  points = unpack(await answer.arrayBuffer());
  $("map-of").textContent = `Round ${number}${points.n < total ? `; ${points.n.toLocaleString("en")} of ${total.toLocaleString("en")} images` : ""}.`;
  legend();
  leave();
  draw();
}

function unpack(bytes) {
  const n = new DataView(bytes).getUint32(0, true);
  const column = (Kind, which) => new Kind(bytes, 4 + which * 4 * n, n);
  return { n, item: column(Uint32Array, 0), x: column(Float32Array, 1), y: column(Float32Array, 2), score: column(Float32Array, 3), state: new Uint8Array(bytes, 4 + 16 * n, n) };
}

function legend() {
  const counts = [0, 0, 0];
  for (let i = 0; i < points.n; i++) counts[points.state[i]]++;
  $("map-legend").replaceChildren(...NAMES.map((name, which) => {
    const button = element("button", { type: "button", class: `map-${name}`, "aria-pressed": String(shown[which]) }, `${name} ${counts[which].toLocaleString("en")}`);
    button.addEventListener("click", () => {
      shown[which] = !shown[which];
      button.setAttribute("aria-pressed", String(shown[which]));
      leave();
      draw();
    });
    return button;
  }));
  $("map-scores").disabled = !points.score.some((score) => !Number.isNaN(score));
}

function draw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(paint);
}

// Pixel by pixel: 50,000 rectangles drawn one by one take several frames.
function paint() {
  if (!points || !canvas.clientWidth) return;
  const began = performance.now();
  const sharp = Math.min(2, devicePixelRatio || 1);
  const wide = (canvas.width = Math.round(canvas.clientWidth * sharp));
  const high = (canvas.height = Math.round(canvas.clientHeight * sharp));
  place = { left: EDGE, top: EDGE, width: wide / sharp - 2 * EDGE, height: high / sharp - 2 * EDGE };
  const style = getComputedStyle(canvas);
  const ink = (name) => parts(style.getPropertyValue(name).trim());
  const image = context.createImageData(wide, high);
  const pixels = new Uint32Array(image.data.buffer).fill(packed(ink("--stage")));
  const square = (x, y, size, colour) => {
    const [left, top] = [Math.round(x - size / 2), Math.round(y - size / 2)];
    for (let row = Math.max(0, top); row < Math.min(high, top + size); row++) pixels.fill(colour, row * wide + Math.max(0, left), row * wide + Math.min(wide, left + size));
  };
  const shades = $("map-scores").checked ? shading(ink("--low"), ink("--high")) : null;
  const inks = NAMES.map((name) => packed(ink(`--map-${name}`)));
  const frame = packed(ink("--ink"));
  const sizes = SIZES.map((size) => Math.round(size * sharp));
  const { n, x, y, score, state } = points;
  for (let i = 0; i < n; i++) {
    const which = state[i];
    if (!shown[which]) continue;
    const [px, py] = [(place.left + x[i] * place.width) * sharp, (place.top + (1 - y[i]) * place.height) * sharp];
    // By score a pick has the colours of the others: a frame tells it apart.
    if (which === 2) square(px, py, sizes[2] + Math.round(2 * sharp), frame);
    square(px, py, sizes[which], shades && !Number.isNaN(score[i]) ? shades[Math.min(STEPS - 1, Math.floor(score[i] * STEPS))] : inks[which]);
  }
  context.putImageData(image, 0, 0);
  canvas.dataset.milliseconds = (performance.now() - began).toFixed(1);
}

const parts = (colour) => [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16)); // of #rrggbb
const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const shading = (low, high) => Array.from({ length: STEPS }, (_, step) => packed(low.map((one, k) => Math.round(one + ((high[k] - one) * step) / (STEPS - 1)))));

const screenX = (i) => place.left + points.x[i] * place.width;
const screenY = (i) => place.top + (1 - points.y[i]) * place.height;

// The point closest to a place on the screen, within reach; -1 for none.
function closest(sx, sy) {
  let best = -1;
  let least = REACH * REACH;
  for (let i = 0; i < points.n; i++) {
    if (!shown[points.state[i]]) continue;
    const far = (screenX(i) - sx) ** 2 + (screenY(i) - sy) ** 2;
    // Of two at one place the one on top.
    if (far <= least) { best = i; least = far; }
  }
  return best;
}

function point(i) {
  if (i === at) return;
  at = i;
  const [ring, card] = [$("map-ring"), $("map-card")];
  ring.hidden = card.hidden = i < 0;
  if (i < 0) return;
  const [x, y] = [screenX(i), screenY(i)];
  ring.style.transform = `translate(${x}px, ${y}px)`;
  const [right, low] = [x > canvas.clientWidth / 2, y > canvas.clientHeight / 2];
  card.style.transform = `translate(calc(${x}px ${right ? "- 100% - 12px" : "+ 12px"}), calc(${y}px ${low ? "- 100% - 12px" : "+ 12px"}))`;
  card.querySelector("img").src = picture(points.item[i], "thumb");
  const score = points.score[i];
  card.querySelector("span").textContent = `${NAMES[points.state[i]]}${Number.isNaN(score) ? "" : `, score ${score.toFixed(3)}`}`;
}

const leave = () => point(-1);
for (const kind of ["pointermove", "pointerdown"]) {
  canvas.addEventListener(kind, (move) => { if (points) point(closest(move.offsetX, move.offsetY)); });
}
for (const kind of ["pointerleave", "blur"]) canvas.addEventListener(kind, leave);
canvas.addEventListener("keydown", (press) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[press.key];
  if (press.key === "Escape") leave();
  if (!step || !points) return;
  press.preventDefault();
  // The picks lie last: from one to the next, and round again.
  const first = points.state.indexOf(2);
  if (first < 0 || !shown[2]) return;
  const count = points.n - first;
  point(at < first ? (step > 0 ? first : points.n - 1) : first + ((at - first + step + count) % count));
});
$("map-scores").addEventListener("change", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => { leave(); draw(); });
