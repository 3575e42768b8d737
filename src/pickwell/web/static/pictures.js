// Images fetched and decoded before they are needed.
import { element, picture } from "/static/session.js";

export const SMALL = 256; // pixels: enlarged as squares
const LARGEST = 12; // times its own size: beyond that nobody sees a cat in 32 x 32 squares
const LEAST = 60; // pixels of the stage in view, its margins among them
const AT_ONCE = 3; // a browser opens six connections: the others are for labels

export class Pictures {
  constructor() {
    this.kept = new Map();
    this.loading = 0;
    this.wanted = [];
  }

  // The image element of an item; it may still be loading.
  of(item) {
    if (!this.kept.has(item)) this.begin(item);
    return this.kept.get(item);
  }

  // The items that will be needed next, in order; others are let go.
  want(items, near) {
    this.wanted = items;
    const keep = new Set([...items, ...near]);
    for (const item of this.kept.keys()) if (!keep.has(item)) this.kept.delete(item);
    this.more();
  }

  more() {
    for (const item of this.wanted) {
      if (this.loading >= AT_ONCE) return;
      if (!this.kept.has(item)) this.begin(item);
    }
  }

  begin(item) {
    const image = element("img", { alt: "", draggable: "false", decoding: "sync" });
    image.dataset.item = item;
    this.kept.set(item, image);
    this.loading += 1;
    this.load(image, picture(item)).finally(() => {
      this.loading -= 1;
      this.more();
    });
  }

  // Tries until the server answers; only what it says is gone is shown as gone.
  async load(image, address) {
    for (;;) {
      image.src = address;
      try {
        await image.decode();
        image.classList.toggle("small", Math.max(image.naturalWidth, image.naturalHeight) <= SMALL);
        image.style.setProperty("--wide", `${LARGEST * image.naturalWidth}px`);
        image.style.setProperty("--high", `${LARGEST * image.naturalHeight}px`);
        return;
      } catch {
        const status = await fetch(address).then((answer) => answer.status, () => 0);
        if (status === 404) return image.classList.add("gone");
        await new Promise((wake) => setTimeout(wake, 700));
      }
    }
  }
}

// Why a key must not count yet: nobody can have seen the image. "" where they can.
export function unseen(image) {
  if (!image.classList.contains("gone") && !(image.complete && image.naturalWidth)) return "This image is not shown yet: a key would judge what nobody has seen.";
  const { top, bottom } = document.getElementById("stage").getBoundingClientRect();
  const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
  return seen < LEAST ? "The image is out of view: scroll to it, or make the window larger." : "";
}
