// Masks on their way: packed for the server, and kept in the browser until the server has acknowledged them.
import { told } from "/static/session.js";

const OLDEST = 30 * 86_400_000; // after so long a draft that nobody came back to is forgotten

export async function pack(values) {
  const stream = new Blob([values]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  // In parts: a function takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// One draft an item: {item, values, seen, used}, and the event that saved it. Without a database they
// live in this page. Transactions are begun at once, so that one which the page begins as it is left still ends.
export class Drafts {
  constructor() {
    this.memory = new Map();
    this.database = null;
    this.opened = this.open().then((database) => { this.database = database; this.forgetOld(); }).catch(() => {});
  }

  open() {
    return new Promise((done, failed) => {
      const asked = indexedDB.open(`pickwell/${told.made}/drafts`, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("drafts", { keyPath: "item" });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  }

  forgetOld() {
    const walk = this.database.transaction("drafts", "readwrite").objectStore("drafts").openCursor();
    walk.onsuccess = () => {
      const cursor = walk.result;
      if (!cursor) return;
      if (Date.now() - cursor.value.at > OLDEST) cursor.delete();
      cursor.continue();
    };
  }

  async run(mode, act) {
    if (!this.database) await this.opened;
    if (!this.database) return undefined;
    return new Promise((done, failed) => {
      const change = this.database.transaction("drafts", mode);
      const answer = act(change.objectStore("drafts"));
      change.oncomplete = () => done(answer.result);
      change.onerror = change.onabort = () => failed(change.error);
      if (mode === "readwrite") change.commit?.();
    });
  }

  async keep(draft) {
    const made = { ...draft, at: Date.now() };
    this.memory.set(draft.item, made);
    await this.run("readwrite", (store) => store.put(made)).then(() => { if (this.database && this.memory.get(draft.item) === made) this.memory.delete(draft.item); }, () => {});
  }

  async of(item) {
    return this.memory.get(item) ?? (await this.run("readonly", (store) => store.get(item)).catch(() => null)) ?? null;
  }

  async forget(item) {
    this.memory.delete(item);
    await this.run("readwrite", (store) => store.delete(item)).catch(() => {});
  }

  // What was saved is kept no longer, unless it was drawn on since.
  async acknowledged(item, event) {
    const draft = await this.of(item);
    if (draft && draft.event === event) await this.forget(item);
  }
}
