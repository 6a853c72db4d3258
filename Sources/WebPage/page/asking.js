// Sends messages and follows the answers.

/** What is said of answers that end before their time, by the reason. */
const cuts = {
  max_tokens: "Cut: it reached the longest answer allowed in the settings",
  model_context_window_exceeded: "Cut: the context is full; begin a new conversation",
};

function send(text) {
  if (running.has(current.id) || text.trim() === "") return;
  ui.notice.hidden = true;
  append({ role: "user", text: text.trim() });
  ask(current);
}

function append(message) {
  current.messages.push(message);
  ui.empty.hidden = true;
  appendView(message);
}

/** Takes the messages back from one on. */
function truncate(index) {
  current.messages.splice(index);
  for (const view of views.splice(index)) view.node.remove();
}

function answerAgain() {
  const last = current.messages.findLastIndex((message) => message.role === "user");
  if (last < 0 || running.has(current.id)) return;
  truncate(last + 1);
  ask(current);
}

function editLast(text) {
  const last = current.messages.findLastIndex((message) => message.role === "user");
  if (last < 0 || running.has(current.id)) return;
  truncate(last);
  append({ role: "user", text });
  ask(current);
}

function requestBody(conversation) {
  const body = {
    model: conversation.model || models[0]?.id || "claude-local",
    max_tokens: Number(conversation.maxTokens) || defaultMaxTokens,
    // An answer that failed before its first word is not kept.
    messages: conversation.messages.filter((message) => message.text !== "")
      .map((message) => ({ role: message.role, content: message.text })),
  };
  if (conversation.system.trim()) body.system = conversation.system.trim();
  if (conversation.thinks) body.thinking = { type: "adaptive" };
  if (conversation.temperature !== "") body.temperature = Number(conversation.temperature);
  return body;
}

/** Has the shown conversation's last message answered. */
async function ask(conversation) {
  const body = requestBody(conversation);
  const message = { role: "assistant", text: "", isRunning: true };
  const run = { abort: new AbortController(), message, saved: 0 };
  running.set(conversation.id, run);
  append(message);
  conversation.updated = Date.now();
  save(conversation);
  updateViews();
  updateState();
  scrollToEnd();
  announce("Waiting for the answer");
  const clock = new Stopwatch();
  try {
    await Client.answer(body, run.abort.signal, {
      start: (usage) => clock.started(usage),
      text: (piece, kind) => {
        clock.received();
        if (kind === "thinking") message.thinking = (message.thinking ?? "") + piece;
        else message.text += piece;
        repaint(conversation);
        if (Date.now() - run.saved > 1000) {
          run.saved = Date.now();
          save(conversation);
        }
      },
      end: (delta, usage) => {
        clock.ended(usage);
        message.stopped = cuts[delta.stop_reason] ?? message.stopped;
      },
    });
  } catch (error) {
    if (run.abort.signal.aborted) message.stopped = "Stopped";
    else if (isLeaving) message.stopped = leftText;
    else message.failure = failureOf(error);
  }
  message.isRunning = false;
  message.stats = clock.stats;
  finish(conversation, message);
}

function failureOf(error) {
  const failure = error instanceof Failure ? error : new Failure("page", String(error.message ?? error));
  return { title: failure.title, advice: failure.advice, status: failure.status };
}

function finish(conversation, message) {
  running.delete(conversation.id);
  // A conversation that was deleted meanwhile is not saved again.
  if (Store.find(conversation.id)) save(conversation);
  if (current.id === conversation.id) updateViews();
  updateState();
  keepAtEnd();
  announce(message.failure ? `${message.failure.title}. ${message.failure.advice}` : message.text || "The answer is empty");
  if (missedChange && running.size === 0) takeChanges();
  if (message.failure?.status === 401) askForKey(true, () => { if (current.id === conversation.id) answerAgain(); });
}

function stop(conversation = current) { running.get(conversation.id)?.abort.abort(); }

/** Times an answer: to its first token, and from there to its last. */
class Stopwatch {
  constructor() {
    this.sent = performance.now();
    this.pieces = 0;
    this.usage = {};
  }

  started(usage) { Object.assign(this.usage, usage); }

  received() {
    this.last = performance.now();
    this.first ??= this.last;
    this.pieces += 1;
  }

  ended(usage) {
    Object.assign(this.usage, usage);
    this.isWhole = true;
  }

  get stats() {
    const { input_tokens: input, cache_read_input_tokens: cached, cache_creation_input_tokens: created } = this.usage;
    const output = this.isWhole ? this.usage.output_tokens : this.pieces;
    const seconds = (this.last - this.first) / 1000;
    return {
      input: input === undefined ? undefined : input + (cached ?? 0) + (created ?? 0),
      cached: cached || undefined,
      output: output || undefined,
      isEstimate: !this.isWhole,
      firstMs: this.first === undefined ? undefined : this.first - this.sent,
      rate: output > 1 && seconds > 0 ? (output - 1) / seconds : undefined,
    };
  }
}
