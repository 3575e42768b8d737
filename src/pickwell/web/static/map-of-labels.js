// A label map that is drawn on: which pixels a stroke covers, and what undo and redo put back. Nothing of it is on screen.
export const NOTHING = 255; // nothing is said of such a pixel: not drawn yet, erased or to be ignored
const MOST = 128 << 20; // bytes of steps that are kept; the oldest go first

export class LabelMap {
  constructor(width, height, values = null) {
    Object.assign(this, { width, height });
    this.values = values ?? new Uint8Array(width * height).fill(NOTHING);
    this.before = this.values.slice(); // as it was after the last step
    this.done = [];
    this.undone = [];
    this.spare = false; // whether only pixels of which nothing is said are drawn on
    this.fresh = null; // the rectangle to draw on the screen
    this.touched = null; // the rectangle that changed since the last step
  }

  has(x, y) { return x >= 0 && y >= 0 && x < this.width && y < this.height; }

  at(x, y) { return this.values[y * this.width + x]; }

  // The pixels of a row from `from` up to, without, `to`.
  span(y, from, to, value) {
    const [left, right] = [Math.max(0, from), Math.min(this.width, to)];
    if (y < 0 || y >= this.height || left >= right) return;
    const row = y * this.width;
    if (!this.spare || value === NOTHING) this.values.fill(value, row + left, row + right);
    else for (let i = row + left; i < row + right; i++) if (this.values[i] === NOTHING) this.values[i] = value;
    this.touch(left, y, right, y + 1);
  }

  touch(left, top, right, bottom) {
    this.fresh = joined(this.fresh, left, top, right, bottom);
    this.touched = joined(this.touched, left, top, right, bottom);
  }

  // A line drawn with a round brush `size` pixels across: the pixels whose centres lie within it.
  stroke(x0, y0, x1, y1, size, value) {
    const r = size / 2;
    const [ax, ay, bx, by] = [x0, y0, x1, y1].map((v) => centred(v, size));
    const length = Math.hypot(bx - ax, by - ay);
    const [nx, ny] = length ? [(-(by - ay) / length) * r, ((bx - ax) / length) * r] : [0, 0];
    const corners = [[ax + nx, ay + ny], [bx + nx, by + ny], [bx - nx, by - ny], [ax - nx, ay - ny]];
    const first = Math.max(0, Math.ceil(Math.min(ay, by) - r - 0.5));
    const last = Math.min(this.height - 1, Math.floor(Math.max(ay, by) + r - 0.5));
    for (let y = first; y <= last; y++) {
      let [low, high] = [Infinity, -Infinity];
      const reach = (x) => { low = Math.min(low, x); high = Math.max(high, x); };
      const c = y + 0.5;
      for (const [x, middle] of [[ax, ay], [bx, by]]) {
        const left = r * r - (c - middle) ** 2;
        if (left >= 0) { reach(x - Math.sqrt(left)); reach(x + Math.sqrt(left)); }
      }
      if (length) crossings(corners, c).forEach(reach);
      // A centre on the rim belongs to the stroke, whatever rounding makes of it.
      if (low <= high) this.span(y, Math.ceil(low - 0.5 - 1e-9), Math.floor(high - 0.5 + 1e-9) + 1, value);
    }
  }

  // The pixels whose centres lie within the outline [[x, y], ...]; one on an edge belongs to its right, or below.
  polygon(points, value) {
    const heights = points.map((point) => point[1]);
    const first = Math.max(0, Math.floor(Math.min(...heights)));
    const last = Math.min(this.height - 1, Math.ceil(Math.max(...heights)));
    for (let y = first; y <= last; y++) {
      const found = crossings(points, y + 0.5).sort((a, b) => a - b);
      for (let i = 0; i + 1 < found.length; i += 2) this.span(y, Math.ceil(found[i] - 0.5), Math.ceil(found[i + 1] - 0.5), value);
    }
  }

  // The connected region (by sides) of pixels that have the value of this one.
  fill(x, y, value) {
    const { values, width } = this;
    const old = this.at(x, y);
    if (old === value || (this.spare && old !== NOTHING && value !== NOTHING)) return;
    const open = [y * width + x];
    while (open.length) {
      const at = open.pop();
      if (values[at] !== old) continue;
      const row = at - (at % width);
      let [left, right] = [at, at + 1];
      while (left > row && values[left - 1] === old) left--;
      while (right < row + width && values[right] === old) right++;
      values.fill(value, left, right);
      this.touch(left - row, row / width, right - row, row / width + 1);
      for (const step of [-width, width]) {
        if (row + step < 0 || row + step >= values.length) continue;
        let inside = false;
        for (let i = left + step; i < right + step; i++) {
          const same = values[i] === old;
          if (same && !inside) open.push(i);
          inside = same;
        }
      }
    }
  }

  // Puts another map beneath what is drawn: it shows where nothing is said.
  under(others) {
    for (let i = 0; i < others.length; i++) if (this.values[i] === NOTHING) this.values[i] = others[i];
    this.touch(0, 0, this.width, this.height);
  }

  // Ends a step: keeps what it changed as runs of pixels that had one value and have another. False: nothing changed.
  commit(what = "drawn") {
    const box = this.touched;
    this.touched = null;
    if (!box) return false;
    const { values, before, width } = this;
    const [runs, old, now] = [[], [], []];
    for (let y = box.top; y < box.bottom; y++) {
      const end = y * width + box.right;
      for (let i = y * width + box.left; i < end;) {
        const [was, is] = [before[i], values[i]];
        const from = i++;
        if (was === is) continue;
        while (i < end && before[i] === was && values[i] === is) i++;
        runs.push(from, i - from);
        old.push(was);
        now.push(is);
      }
      before.set(values.subarray(y * width + box.left, end), y * width + box.left);
    }
    if (!runs.length) return false;
    this.undone = [];
    this.done.push({ what, box, runs: Uint32Array.from(runs), old: Uint8Array.from(old), now: Uint8Array.from(now) });
    let bytes = this.done.reduce((sum, one) => sum + size(one), 0);
    while (bytes > MOST && this.done.length > 1) bytes -= size(this.done.shift());
    return true;
  }

  // Drops what was drawn since the last step.
  cancel() {
    const box = this.touched;
    if (!box) return;
    for (let y = box.top; y < box.bottom; y++) {
      const from = y * this.width + box.left;
      this.values.set(this.before.subarray(from, from + box.right - box.left), from);
    }
    this.touch(box.left, box.top, box.right, box.bottom);
    this.touched = null;
  }

  undo() { return this.step(this.done, this.undone, "old"); }
  redo() { return this.step(this.undone, this.done, "now"); }

  step(from, to, which) {
    this.cancel();
    const step = from.pop();
    if (!step) return null;
    for (let i = 0; i < step.runs.length; i += 2) {
      const [start, end] = [step.runs[i], step.runs[i] + step.runs[i + 1]];
      this.values.fill(step[which][i / 2], start, end);
      this.before.fill(step[which][i / 2], start, end);
    }
    to.push(step);
    const { left, top, right, bottom } = step.box;
    this.fresh = joined(this.fresh, left, top, right, bottom);
    return step;
  }

  // Whether a step of that kind is part of what is drawn.
  holds(what) { return this.done.some((step) => step.what === what); }

  get isEmpty() { return this.values.every((value) => value === NOTHING); }
}

const size = (step) => step.runs.byteLength + 2 * step.old.byteLength;

// A brush of odd size sits on a pixel's centre, one of even size on a corner: so a brush of one pixel paints one.
const centred = (v, size_) => (size_ % 2 ? Math.floor(v) + 0.5 : Math.round(v));

function joined(box, left, top, right, bottom) {
  if (!box) return { left, top, right, bottom };
  return { left: Math.min(box.left, left), top: Math.min(box.top, top), right: Math.max(box.right, right), bottom: Math.max(box.bottom, bottom) };
}

// Where the outline's edges cross the height `c`.
function crossings(points, c) {
  const found = [];
  for (let i = 0; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i], points[(i + 1) % points.length]];
    if (y0 <= c !== y1 <= c) found.push(x0 + ((c - y0) / (y1 - y0)) * (x1 - x0));
  }
  return found;
}
