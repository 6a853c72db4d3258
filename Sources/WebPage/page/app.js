// The page's state, everything it shows besides the messages, models and keys, and its start.

const ui = {};
/** The conversation that is shown. */
let current = null;
/** The models' descriptions, as the server lists them. */
let models = [];
/** Running answers by their conversation: what ends them, and the message they write. */
const running = new Map();
/** The views of the shown conversation's messages. */
let views = [];
const defaultMaxTokens = 4096;
/** The page is being closed or loaded anew, which ends what runs. */
let isLeaving = false;
/** Whether another tab wrote while an answer ran here. */
let missedChange = false;

// MARK: Rendering

let isPaintDue = false;

/** Shows what came of a running answer, once for each frame of the screen. */
function repaint(conversation) {
  if (current.id !== conversation.id || isPaintDue) return;
  isPaintDue = true;
  requestAnimationFrame(() => {
    isPaintDue = false;
    const run = running.get(current.id);
    if (run) views.find((view) => view.message === run.message)?.updateAnswer();
    keepAtEnd();
  });
}

/** The reader is at the end and wants to stay there. */
let isAtEnd = true;

function scrollToEnd() {
  isAtEnd = true;
  ui.scroller.scrollTop = ui.scroller.scrollHeight;
  ui.toEnd.hidden = true;
}

function keepAtEnd() {
  if (isAtEnd) ui.scroller.scrollTop = ui.scroller.scrollHeight;
  else ui.toEnd.hidden = ui.scroller.scrollHeight - ui.scroller.scrollTop - ui.scroller.clientHeight < 60;
}

function announce(text) { ui.status.textContent = text; }

let noticeTimer = 0;

/** A line at the foot of the page that goes by itself. */
function notify(text, label, action) {
  const children = [element("span", { textContent: text })];
  if (label) {
    const button = element("button", { type: "button", textContent: label });
    button.addEventListener("click", () => {
      ui.notice.hidden = true;
      action();
    });
    children.push(button);
  }
  ui.notice.replaceChildren(...children);
  ui.notice.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { ui.notice.hidden = true; }, 8000);
}

const starters = {
  builtin: ["What is 23 + 45?", "What is Pensieve?", "Spell the word lantern.", "What can you do?"],
  other: ["Explain how a hash table works.", "Write a Python function that finds the primes below n.",
    "Compare tea and coffee in a table.", "Write a haiku about the sea."],
};

function showStarters() {
  const texts = models.some((model) => model.id === "pensieve-builtin") ? starters.builtin : starters.other;
  ui.starters.replaceChildren(...texts.map((text) => {
    const button = element("button", { type: "button", textContent: text });
    button.addEventListener("click", () => {
      send(text);
      focusInput();
    });
    return button;
  }));
}

// MARK: Models and keys

async function loadModels() {
  try {
    useModels(await Client.models());
  } catch (error) {
    if (error.status === 401) askForKey(Key.own !== null, loadModels);
    else notify(`${error.title ?? "Something went wrong"}. ${error.advice ?? error.message}`, "Try again", loadModels);
  }
}

function useModels(list) {
  // The alias is another name of the same model, for clients that require it.
  const others = list.filter((model) => model.id !== "claude-local");
  models = others.length > 0 ? others : list;
  ui.model.replaceChildren(...models.map((model) =>
    element("option", { value: model.id, textContent: model.id, title: model.display_name })));
  ui.model.disabled = models.length < 2;
  if (!models.some((model) => model.id === current.model)) current.model = models[0]?.id ?? "";
  ui.model.value = current.model;
  const context = models.find((model) => model.id === current.model)?.max_input_tokens;
  ui.model.title = context ? `${number(context)} tokens of context` : "";
  if (!ui.empty.hidden) showStarters();
}

/** Asks for a key; `action` runs once there is one that passes. */
function askForKey(wasRefused, action) {
  if (ui.keyDialog.open) return;
  ui.keyError.textContent = wasRefused && Key.own !== null ? "The key that was used until now does not pass." : "";
  ui.key.value = "";
  ui.remember.checked = Key.isRemembered;
  ui.forgetKey.hidden = Key.own === null;
  ui.keyForm.onsubmit = async (event) => {
    event.preventDefault();
    const key = ui.key.value.trim();
    ui.keyError.textContent = "";
    if (!/^[\x21-\x7e]+$/.test(key)) {
      ui.keyError.textContent = "A key is one word of plain letters, digits and signs.";
      return;
    }
    try {
      useModels(await Client.models(key));
    } catch (error) {
      ui.keyError.textContent = error.status === 401 ? "This key does not pass." : `${error.title}. ${error.advice}`;
      return;
    }
    Key.keep(key, ui.remember.checked);
    ui.keyDialog.close();
    focusInput();
    action?.();
  };
  ui.keyDialog.showModal();
  ui.key.focus();
}

// MARK: Start

setTheme(themes.includes(Storage.read("localStorage", "pensieve.theme")) ? Storage.read("localStorage", "pensieve.theme") : "auto");

document.addEventListener("DOMContentLoaded", () => {
  for (const node of document.querySelectorAll("[id]")) {
    ui[node.id.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())] = node;
  }
  setTheme(document.documentElement.dataset.theme);
  Store.load();
  bindControls();
  show(Store.find(Storage.read("sessionStorage", "pensieve.current")) ?? Store.conversations[0] ?? Store.make());
  loadModels();
  focusInput();
});