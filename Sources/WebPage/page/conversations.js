// The current conversation, and the list of all conversations.

function show(conversation) {
  current = conversation;
  views = [];
  ui.messages.replaceChildren();
  for (const message of current.messages) appendView(message);
  updateViews();
  ui.empty.hidden = current.messages.length > 0;
  if (!ui.empty.hidden) showStarters();
  ui.system.value = current.system;
  ui.temperature.value = current.temperature;
  ui.maxTokens.value = current.maxTokens;
  ui.thinks.checked = Boolean(current.thinks);
  if (models.some((model) => model.id === current.model)) ui.model.value = current.model;
  updateState();
  scrollToEnd();
  Storage.write("sessionStorage", "pensieve.current", current.id);
}

function appendView(message) {
  const view = new MessageView(message, {
    edit: (text) => editLast(text),
    regenerate: () => answerAgain(),
    retry: () => answerAgain(),
  });
  views.push(view);
  ui.messages.append(view.node);
}

function updateViews() {
  const isRunning = running.has(current.id);
  const lastOf = (role) => current.messages.findLast((message) => message.role === role);
  const last = new Set(isRunning ? [] : [lastOf("user"), lastOf("assistant")]);
  for (const view of views) {
    if (!view.node.classList.contains("editing")) view.update(last.has(view.message));
  }
}

function startConversation() {
  show(Store.make(current ?? { model: models[0]?.id }));
  closeDrawer();
  focusInput();
}

function save(conversation) {
  if (Store.save(conversation)) return;
  notify("This browser keeps nothing more: its storage is full or switched off. Delete conversations, or export this one.");
}

function removeConversation(conversation) {
  stop(conversation);
  Store.remove(conversation);
  if (current.id === conversation.id) show(Store.conversations[0] ?? Store.make(current));
  updateState();
  notify(`Deleted “${conversation.title}”`, "Undo", () => {
    save(conversation);
    show(conversation);
  });
}

function renameConversation(conversation, row) {
  const field = element("input", { type: "text", value: conversation.title, maxLength: 120 });
  field.setAttribute("aria-label", "Name of the conversation");
  let isDone = false;
  const end = (keeps) => {
    if (isDone) return;
    isDone = true;
    const title = field.value.trim();
    if (keeps && title && title !== conversation.title) {
      Object.assign(conversation, { title, isNamed: true });
      save(conversation);
    }
    updateState();
    ui.list.querySelector(`[data-id="${CSS.escape(conversation.id)}"] button`)?.focus();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      end(event.key === "Enter");
    }
  });
  field.addEventListener("blur", () => end(true));
  row.replaceChildren(field);
  field.select();
}

function updateList() {
  ui.list.replaceChildren(...Store.conversations.map((conversation) => {
    const row = element("li");
    row.dataset.id = conversation.id;
    const open = element("button", { type: "button", className: "open", textContent: conversation.title });
    open.title = conversation.title;
    if (conversation.id === current.id) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => {
      show(conversation);
      closeDrawer();
    });
    if (running.has(conversation.id)) row.classList.add("running");
    row.append(open,
      iconButton("edit", `Rename “${conversation.title}”`, () => renameConversation(conversation, row)),
      iconButton("delete", `Delete “${conversation.title}”`, () => removeConversation(conversation)));
    return row;
  }));
}

/** Brings everything around the messages up to what is. */
function updateState() {
  const isRunning = running.has(current.id);
  updateList();
  ui.send.hidden = isRunning;
  ui.stop.hidden = !isRunning;
  ui.send.disabled = ui.input.value.trim() === "";
  ui.messages.setAttribute("aria-busy", String(isRunning));
  const title = current.messages.length > 0 ? current.title : "New conversation";
  ui.title.textContent = title;
  document.title = `${title} · Pensieve`;
  ui.export.disabled = current.messages.length === 0;
  ui.settings.classList.toggle("set", Boolean(current.system.trim() || current.temperature || current.maxTokens
    || current.thinks));
}
