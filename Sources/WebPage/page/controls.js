// Event handlers of buttons, fields and keys.

const themes = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  Storage.write("localStorage", "pensieve.theme", theme === "auto" ? null : theme);
  if (!ui.theme) return;
  const label = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" }[theme];
  ui.theme.replaceChildren(icon(`theme-${theme}`), element("span", { textContent: label }));
}

function openDrawer() { setDrawer(true); }

function closeDrawer() { setDrawer(false); }

/** On a phone the list of conversations lies over the page, which then takes no input. */
function setDrawer(isOpen) {
  document.body.classList.toggle("drawer", isOpen);
  document.querySelector("main").inert = isOpen;
  if (isOpen) ui.newChat.focus();
}

/** Puts the cursor where the next message goes; on a phone that would bring up its keyboard. */
function focusInput() { if (!matchMedia("(pointer: coarse)").matches) ui.input.focus(); }

/** Makes the field as high as its text, up to the height that the style sheet allows. */
function fitInput() {
  ui.input.style.height = "auto";
  ui.input.style.height = `${ui.input.scrollHeight}px`;
  ui.send.disabled = ui.input.value.trim() === "";
}

function sendInput() {
  const text = ui.input.value;
  if (running.has(current.id) || text.trim() === "") return;
  ui.input.value = "";
  fitInput();
  send(text);
  ui.input.focus();
}

function exportConversation() {
  const url = URL.createObjectURL(new Blob([Store.markdown(current)], { type: "text/markdown" }));
  const name = current.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 40) || "conversation";
  element("a", { href: url, download: `${name}.md` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function keepSetting(name, field) {
  if (!field.checkValidity()) return;
  current[name] = field.type === "checkbox" ? field.checked : field.value;
  if (current.messages.length > 0) save(current);
  updateState();
}

function bindControls() {
  ui.newChat.addEventListener("click", startConversation);
  ui.menu.addEventListener("click", openDrawer);
  ui.scrim.addEventListener("click", closeDrawer);
  ui.theme.addEventListener("click", () =>
    setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]));
  bindDialogs();
  for (const name of ["system", "temperature", "maxTokens", "thinks"]) {
    ui[name].addEventListener("input", () => keepSetting(name, ui[name]));
  }
  ui.model.addEventListener("change", () => keepSetting("model", ui.model));
  ui.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    sendInput();
  });
  ui.stop.addEventListener("click", () => {
    stop();
    focusInput();
  });
  ui.input.addEventListener("input", fitInput);
  ui.input.addEventListener("keydown", (event) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    sendInput();
  });
  ui.toEnd.addEventListener("click", scrollToEnd);
  ui.scroller.addEventListener("scroll", () => {
    isAtEnd = ui.scroller.scrollHeight - ui.scroller.scrollTop - ui.scroller.clientHeight < 60;
    if (isAtEnd) ui.toEnd.hidden = true;
  });
  bindPage();
}

function bindDialogs() {
  ui.settings.addEventListener("click", () => ui.settingsDialog.showModal());
  ui.changeKey.addEventListener("click", () => {
    ui.settingsDialog.close();
    askForKey(false);
  });
  ui.forgetKey.addEventListener("click", () => {
    Key.forget();
    ui.keyDialog.close();
    notify("The key is forgotten.");
  });
  ui.export.addEventListener("click", exportConversation);
  for (const dialog of [ui.keyDialog, ui.settingsDialog]) {
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    // A click on the backdrop has the dialog element itself as its target.
    dialog.addEventListener("pointerdown", (event) => { if (event.target === dialog) dialog.close(); });
  }
  ui.settingsForm.addEventListener("submit", (event) => {
    event.preventDefault();
    ui.settingsDialog.close();
  });
}

function bindPage() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (document.body.classList.contains("drawer")) {
      closeDrawer();
      ui.menu.focus();
    } else stop();
  });
  window.addEventListener("pageshow", () => { isLeaving = false; });
  window.addEventListener("pagehide", () => {
    isLeaving = true;
    for (const id of running.keys()) if (Store.find(id)) save(Store.find(id));
  });
  // Another tab has written. A running answer is newer here; the rest is reloaded when it is done.
  window.addEventListener("storage", (event) => {
    if (!event.key?.startsWith(Store.prefix)) return;
    if (running.size > 0) missedChange = true;
    else takeChanges(event.key);
  });
}

/** Takes over what another tab has kept: one conversation, or all; what is shown is only made anew if it is that one. */
function takeChanges(name) {
  missedChange = false;
  Store.load();
  const shown = Store.find(current.id);
  if (shown && (!name || name === Store.prefix + current.id)) show(shown);
  else if (shown) { current = shown; updateState(); }
  else updateState();
}
