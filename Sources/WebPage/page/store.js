// Conversations in the browser's storage, each under a key of its own, so that a failed write affects no other.

/** What is said of an answer that a reload cut short. */
const leftText = "The page was closed meanwhile";

const Store = {
  prefix: "pensieve.conversation.",
  /** All conversations, the newest first. */
  conversations: [],

  load() {
    this.conversations = Storage.names().filter((name) => name.startsWith(this.prefix))
      .map((name) => this.parse(Storage.read("localStorage", name))).filter((found) => found !== null);
    this.sort();
  },

  /** A conversation as it was kept; null if it is none. An answer that was running is no more. */
  parse(text) {
    try {
      const found = JSON.parse(text);
      if (typeof found.id !== "string" || !Array.isArray(found.messages)) return null;
      for (const message of found.messages) {
        if (typeof message.text !== "string" || !["user", "assistant"].includes(message.role)) return null;
        if (message.isRunning) Object.assign(message, { isRunning: false, stopped: leftText });
      }
      return { ...this.blank(), ...found };
    } catch { return null; }
  },

  blank(like = {}) {
    const { model = "", temperature = "", maxTokens = "", thinks = false } = like;
    return {
      id: "", title: "", isNamed: false, updated: 0, system: "", model, temperature, maxTokens, thinks, messages: [],
    };
  },

  /** Begins a conversation; it is kept as soon as it has a message. */
  make(like) {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { ...this.blank(like), id, updated: Date.now() };
  },

  find(id) { return this.conversations.find((conversation) => conversation.id === id) ?? null; },

  /** False if the browser does not keep it. */
  save(conversation) {
    if (!this.find(conversation.id)) this.conversations.push(conversation);
    if (!conversation.isNamed) conversation.title = this.titleOf(conversation);
    this.sort();
    return Storage.write("localStorage", this.prefix + conversation.id, JSON.stringify(conversation));
  },

  remove(conversation) {
    this.conversations = this.conversations.filter((other) => other.id !== conversation.id);
    Storage.write("localStorage", this.prefix + conversation.id, null);
  },

  sort() { this.conversations.sort((a, b) => b.updated - a.updated); },

  titleOf(conversation) {
    const first = conversation.messages.find((message) => message.role === "user")?.text.trim().split("\n", 1)[0] ?? "";
    return first.length > 60 ? first.slice(0, 59).trimEnd() + "…" : first || "New conversation";
  },

  /** A conversation as a Markdown document. */
  markdown(conversation) {
    const parts = [`# ${conversation.title || "Conversation"}`];
    if (conversation.system.trim()) parts.push(`> System: ${conversation.system.trim().replaceAll("\n", "\n> ")}`);
    for (const { role, text } of conversation.messages) parts.push(`## ${role === "user" ? "You" : "Answer"}`, text.trim());
    return parts.join("\n\n") + "\n";
  },
};
