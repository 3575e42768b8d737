// Images fetched and decoded before they are needed.
import { element, picture } from "/static/session.js";

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
    image.src = picture(item);
    image.ready = image.decode().then(
      () => { image.classList.toggle("small", Math.max(image.naturalWidth, image.naturalHeight) <= 256); },
      () => { image.classList.add("gone"); },
    ).finally(() => {
      this.loading -= 1;
      this.more();
    });
  }
}
