// The browser's storage, which may be forbidden or full: then nothing is kept, and nothing breaks.

class Shelf {
  #storage;

  constructor(name) {
    try {
      this.#storage = window[name];
    } catch {
      this.#storage = null;
    }
  }

  get(key) {
    try {
      return JSON.parse(this.#storage.getItem(key));
    } catch {
      return null;
    }
  }

  set(key, value) {
    try {
      this.#storage.setItem(key, JSON.stringify(value));
    } catch {
      // Full or forbidden.
    }
  }

  drop(key) {
    try {
      this.#storage.removeItem(key);
    } catch {
      // Forbidden.
    }
  }

  names(prefix) {
    try {
      return Object.keys(this.#storage).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  }

  dropAll(prefix) {
    for (const key of this.names(prefix)) this.drop(key);
  }
}

/** Kept until this tab closes. */
export const tab = new Shelf("sessionStorage");
/** Kept on this device. */
export const device = new Shelf("localStorage");
