// Renders the messages of a conversation.

/** An icon of the page's sprite. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function iconButton(name, label, action) {
  const button = element("button", { type: "button", className: "icon", title: label }, icon(name));
  button.setAttribute("aria-label", label);
  button.addEventListener("click", action);
  return button;
}

/** Copies a text, and says so on the button that asked for it. */
async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Outside a secure context this is the only way to write to the clipboard.
    const area = element("textarea", { value: text, className: "offscreen" });
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("done");
  announce("Copied");
  setTimeout(() => button.classList.remove("done"), 1500);
}

/** One message; `update` brings it up to what the message has become. */
class MessageView {
  /** `actions`: what the buttons do: `edit(text)`, `regenerate()`, `retry()`. */
  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    this.text = element("div", { className: message.role === "user" ? "bubble" : "markdown" });
    this.foot = element("footer");
    this.node = element("article", { className: `message ${message.role}` }, this.text, this.foot);
    this.node.setAttribute("aria-label", message.role === "user" ? "You" : "Answer");
    if (message.role === "assistant") {
      this.thoughts = element("p");
      this.thinking = element("details", { className: "thinking", hidden: true },
        element("summary", { textContent: "Thinking" }), this.thoughts);
      this.node.insertBefore(this.thinking, this.text);
      this.error = element("div", { className: "failure", hidden: true });
      this.node.insertBefore(this.error, this.foot);
    }
  }

  /** `isLast`: it is the last of its role, which can be changed. */
  update(isLast) {
    const { message } = this;
    if (message.role === "user") this.text.textContent = message.text;
    else this.updateAnswer();
    this.foot.replaceChildren(...(message.isRunning ? [] : this.footer(isLast)));
  }

  updateAnswer() {
    const { message } = this;
    Markdown.render(this.text, message.text, Boolean(message.isRunning));
    this.node.classList.toggle("running", Boolean(message.isRunning));
    this.thinking.hidden = !message.thinking;
    this.thoughts.textContent = message.thinking ?? "";
    this.node.classList.toggle("waiting", Boolean(message.isRunning) && message.text === "");
    this.error.hidden = !message.failure;
    if (!message.failure) return;
    const retry = element("button", { type: "button", textContent: "Try again" });
    retry.addEventListener("click", () => this.actions.retry());
    const { title, advice } = message.failure;
    this.error.replaceChildren(icon("alert"),
      element("div", {}, element("strong", { textContent: title }), element("p", { textContent: advice })), retry);
  }

  footer(isLast) {
    const { message } = this;
    const buttons = element("div", { className: "buttons" });
    if (message.text) {
      const copy = iconButton("copy", "Copy", () => copyText(message.text, copy));
      buttons.append(copy);
    }
    if (message.role === "user") {
      if (isLast) buttons.append(iconButton("edit", "Edit and send again", () => this.edit()));
      return [buttons];
    }
    if (isLast && !message.failure) buttons.append(iconButton("again", "Answer again", () => this.actions.regenerate()));
    return [buttons, element("p", { className: "figures" }, ...this.figures())];
  }

  /** What the answer cost and how quick it was. */
  figures() {
    const { stats, stopped, text, failure } = this.message;
    const figures = [];
    const add = (value, unit, title) =>
      figures.push(element("span", { title }, element("b", { textContent: value }), ` ${unit}`));
    if (stopped) figures.push(element("span", { className: "note", textContent: stopped }));
    else if (!text && !failure) figures.push(element("span", { className: "note", textContent: "The answer is empty" }));
    if (!stats) return figures;
    if (stats.output !== undefined) {
      const about = stats.isEstimate ? "about " : "";
      add(about + number(stats.output), stats.output === 1 ? "token" : "tokens", "Length of the answer");
    }
    if (stats.rate) add(stats.rate < 10 ? stats.rate.toFixed(1) : number(stats.rate), "tokens/s", "Speed after the first token");
    if (stats.firstMs !== undefined) {
      const isLong = stats.firstMs >= 1000;
      add(isLong ? (stats.firstMs / 1000).toFixed(1) : number(stats.firstMs), isLong ? "s to the first" : "ms to the first",
        "Time from sending to the first token");
    }
    if (stats.input !== undefined) {
      const cached = stats.cached ? ` (${number(stats.cached)} cached)` : "";
      add(number(stats.input), `in the prompt${cached}`, "Tokens of the whole conversation, and how many needed no computing");
    }
    return figures;
  }

  /** Puts a field in the place of the text. */
  edit() {
    const area = element("textarea", { value: this.message.text, rows: Math.min(12, this.message.text.split("\n").length + 1) });
    area.setAttribute("aria-label", "Edit the message");
    const send = element("button", { type: "button", className: "primary", textContent: "Send" });
    const cancel = element("button", { type: "button", textContent: "Cancel" });
    const close = () => {
      this.node.classList.remove("editing");
      this.update(true);
      this.foot.querySelector("button:last-child")?.focus();
    };
    send.addEventListener("click", () => { if (area.value.trim()) this.actions.edit(area.value.trim()); });
    cancel.addEventListener("click", close);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      else if (isSendKey(event)) send.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.node.classList.add("editing");
    this.text.replaceChildren(area);
    this.foot.replaceChildren(cancel, send);
    area.focus();
  }
}

function number(value) { return Math.round(value).toLocaleString("en-US"); }

/** Enter, but not the one that ends a composition, nor on a phone, whose keyboard has no other way to a new line. */
function isSendKey(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
}
