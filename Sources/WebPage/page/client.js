// A client of the Messages API.

/** What a server without configured keys accepts from its own machine. */
const developmentKey = "test-api-key-12345";

/** The browser's storages, which may be switched off or full. */
const Storage = {
  read(area, name) {
    try { return window[area].getItem(name); } catch { return null; }
  },
  /** False if it could not be kept. */
  write(area, name, text) {
    try {
      if (text === null) window[area].removeItem(name);
      else window[area].setItem(name, text);
      return true;
    } catch { return false; }
  },
  names() {
    try { return Object.keys(window.localStorage); } catch { return []; }
  },
};

const Key = {
  name: "pensieve.key",
  get value() { return this.own ?? developmentKey; },
  get own() { return Storage.read("sessionStorage", this.name) ?? Storage.read("localStorage", this.name); },
  get isRemembered() { return Storage.read("localStorage", this.name) !== null; },
  /** Keeps a key for this tab, or for this browser if the user wants that. */
  keep(text, isRemembered) {
    Storage.write("sessionStorage", this.name, text);
    Storage.write("localStorage", this.name, isRemembered ? text : null);
  },
  forget() {
    for (const area of ["sessionStorage", "localStorage"]) Storage.write(area, this.name, null);
  },
};

/** An answer that did not come, or not to its end. */
class Failure extends Error {
  constructor(kind, message, { status = 0, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { kind, status, retryAfter });
  }

  /** What happened, for people. */
  get title() {
    if (this.kind === "unreachable") return "The server cannot be reached";
    if (this.kind === "broken") return "The connection broke off";
    if (this.status === 401) return "The server asks for a key";
    if (/prompt is too long/.test(this.message)) return "The conversation is too long for this model";
    if (this.status === 413) return "The message is too large";
    if (this.status === 429 || this.status === 529 || this.status === 503 || this.kind === "overloaded_error") {
      return "The server is busy";
    }
    if (this.status >= 500 || this.kind === "api_error") return "Something went wrong in the server";
    return "The server refused this request";
  }

  get advice() {
    if (this.kind === "unreachable") return "Is it still running? It may also be starting up.";
    if (this.kind === "broken") return "What had come by then is kept.";
    if (/prompt is too long/.test(this.message)) return `Begin a new conversation, or shorten this one. (${this.message})`;
    const wait = this.retryAfter ? ` It asks to wait ${this.retryAfter} s.` : "";
    const message = this.message.charAt(0).toUpperCase() + this.message.slice(1);
    return message + (/[.!?]$/.test(message) ? "" : ".") + wait;
  }
}

/** Cuts a stream of server-sent events out of pieces of text, wherever the pieces end. */
class EventReader {
  constructor() {
    this.rest = "";
    this.data = [];
  }

  /** The events' data that a piece completes. */
  push(piece) {
    const events = [];
    this.rest += piece;
    // A carriage return at the end may be the first half of a line break.
    for (let end; (end = /\r\n|\n|\r(?=[\s\S])/.exec(this.rest)); ) {
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line === "" && this.data.length > 0) {
        events.push(this.data.join("\n"));
        this.data = [];
      }
    }
    return events;
  }
}

const Client = {
  async request(path, { key = Key.value, ...options } = {}) {
    let response;
    try {
      response = await fetch(path, {
        cache: "no-store",
        ...options,
        headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json" },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Failure("unreachable", String(error.message));
    }
    if (!response.ok) throw await this.failure(response);
    return response;
  },

  async failure(response) {
    const text = await response.text().catch(() => "");
    const facts = { status: response.status, retryAfter: Number(response.headers.get("retry-after")) || null };
    try {
      const { error } = JSON.parse(text);
      return new Failure(error.type, error.message, facts);
    } catch {
      return new Failure("http", `status ${response.status} ${response.statusText}`.trim(), facts);
    }
  },

  read(delta, on) {
    if (delta.type === "text_delta") on.text(delta.text, "text");
    else if (delta.type === "thinking_delta") on.text(delta.thinking, "thinking");
  },

  async models(key) {
    const response = await this.request("v1/models?limit=1000", key === undefined ? {} : { key });
    return (await response.json()).data;
  },

  /**
   * Asks for an answer and reads it.
   * `on.start(usage)`, `on.text(piece, kind)` and `on.end(delta, usage)` are called as it comes; a text is of the kind
   * `text` or `thinking`.
   */
  async answer(body, signal, on) {
    const options = { method: "POST", body: JSON.stringify({ ...body, stream: true }), signal };
    const response = await this.request("v1/messages", options);
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const reader = new EventReader();
    let isWhole = false;
    try {
      while (!isWhole) {
        const { value, done } = await pieces.read();
        if (done) break;
        for (const data of reader.push(value)) {
          const event = JSON.parse(data);
          if (event.type === "message_start") on.start(event.message.usage);
          else if (event.type === "content_block_delta") this.read(event.delta, on);
          else if (event.type === "message_delta") on.end(event.delta, event.usage);
          else if (event.type === "error") throw new Failure(event.error.type, event.error.message);
          else if (event.type === "message_stop") isWhole = true;
        }
      }
    } catch (error) {
      if (error.name === "AbortError" || error instanceof Failure) throw error;
      throw new Failure("broken", String(error.message));
    }
    if (!isWhole) throw new Failure("broken", "the stream ended before the answer did");
  },
};
