// Inline Markdown to DOM nodes. Nodes are never made from markup, so that no text can inject scripts or remote content;
// only links lead elsewhere, and only when they are followed. Every scan moves forward or is bounded, so that no text
// takes long.

/** Makes an element; `properties` are its JavaScript properties, `children` nodes or texts. */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/** The spans of a paragraph: emphasis, code and links. */
const Inline = (() => {
  const maxDepth = 10;
  const maxLabel = 1000;
  const maxAddress = 2000;

  const isSpace = (character) => character === undefined || /\s/.test(character);
  const isWord = (character) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  const escapable = "\\`*_{}[]()#+-.!|<>~\"'&,:;=?@^$%/";
  const address = /https?:\/\/[^\s<>"'`|\\]{1,2000}/y;

  /** Appends a paragraph's text to a node, and returns the node. */
  function append(parent, text, depth = 0) {
    // Marks that are known to have no closing mark, so that each is searched for once.
    const unclosed = new Set();
    let plain = "";
    let at = 0;
    while (at < text.length) {
      const character = text[at];
      if (character === "\\" && at + 1 < text.length && escapable.includes(text[at + 1])) {
        plain += text[at + 1];
        at += 2;
        continue;
      }
      if (character === "\n") {
        flush(plain.trimEnd());
        parent.append(element("br"));
        at += 1;
        continue;
      }
      const span = depth < maxDepth ? spanAt(text, at, unclosed, depth) : null;
      if (span) {
        flush(plain);
        parent.append(span.node);
        at = span.end;
      } else {
        const run = "`*_~".includes(character) ? runLength(text, at) : 1;
        plain += text.slice(at, at + run);
        at += run;
      }
    }
    flush(plain);
    return parent;

    function flush(written) {
      if (written) parent.append(written);
      plain = "";
    }
  }

  function runLength(text, at) {
    let end = at + 1;
    while (text[end] === text[at]) end += 1;
    return end - at;
  }

  /** The span that begins here: its node, and where it ends; null if none does. */
  function spanAt(text, at, unclosed, depth) {
    switch (text[at]) {
      case "`": return codeSpan(text, at, unclosed);
      case "*": case "_": case "~": return emphasis(text, at, unclosed, depth);
      case "[": return link(text, at, at, depth);
      case "!": return text[at + 1] === "[" ? link(text, at + 1, at, depth) : null;
      case "<": return angleLink(text, at);
      case "h": return isWord(text[at - 1]) ? null : bareLink(text, at);
      default: return null;
    }
  }

  function codeSpan(text, at, unclosed) {
    const length = runLength(text, at);
    const end = codeEnd(text, at, length, unclosed);
    if (end < 0) return Inline.isComing && length === 1 ? openEnd("code", text.slice(at + 1)) : null;
    const code = text.slice(at + length, end - length).replaceAll("\n", " ");
    const isPadded = code.length > 2 && code.startsWith(" ") && code.endsWith(" ");
    return { node: element("code", { textContent: isPadded ? code.slice(1, -1) : code }), end };
  }

  /** What is not closed yet, up to the end of the text. */
  function openEnd(tag, rest) {
    return rest.length > maxLabel ? null : { node: element(tag, { textContent: rest }), end: Infinity };
  }

  /** Where the code that a run of backticks opens ends; -1 if it does not. */
  function codeEnd(text, at, length, unclosed) {
    const key = "`" + length;
    if (unclosed.has(key)) return -1;
    let from = text.indexOf("`", at + length);
    while (from >= 0) {
      const run = runLength(text, from);
      if (run === length) return from + run;
      from = text.indexOf("`", from + run);
    }
    unclosed.add(key);
    return -1;
  }

  function emphasis(text, at, unclosed, depth) {
    const mark = text[at];
    const length = Math.min(runLength(text, at), 3);
    if (isSpace(text[at + length]) || (mark === "_" && isWord(text[at - 1]))) return null;
    if (mark === "~" && length !== 2) return null;
    const close = closing(text, at + length, mark, length, unclosed);
    if (close < 0) return Inline.isComing && length === 2 ? openEnd("strong", text.slice(at + 2).replace(/\*$/, "")) : null;
    const tags = mark === "~" ? ["del"] : { 1: ["em"], 2: ["strong"], 3: ["em", "strong"] }[length];
    const inner = append(element(tags[tags.length - 1]), text.slice(at + length, close), depth + 1);
    return { node: tags.length > 1 ? element(tags[0], {}, inner) : inner, end: close + length };
  }

  function closing(text, start, mark, length, unclosed) {
    const key = mark + length;
    if (unclosed.has(key)) return -1;
    let at = start;
    while (at < text.length) {
      if (text[at] === "\\") {
        at += 2;
      } else if (text[at] === "`") {
        const run = runLength(text, at);
        const end = codeEnd(text, at, run, unclosed);
        at = end < 0 ? at + run : end;
      } else if (text[at] === mark) {
        const run = runLength(text, at);
        const fits = run === length || (run > length && run - length !== 1) || run === 3;
        const closes = at > start && !isSpace(text[at - 1]) && !(mark === "_" && isWord(text[at + run]));
        if (fits && closes) return at + run - length;
        at += run;
      } else {
        at += 1;
      }
    }
    unclosed.add(key);
    return -1;
  }

  /** `[label](address "title")`. Images are links too: showing them would ask another server for them. */
  function link(text, bracket, start, depth) {
    const label = matching(text, bracket, "[", "]", maxLabel);
    if (label < 0 || text[label + 1] !== "(") return null;
    const end = matching(text, label + 1, "(", ")", maxAddress);
    if (end < 0) return null;
    const target = text.slice(label + 2, end).trim().replace(/^<|>$/g, "").split(/[\s>]/, 1)[0];
    const anchor = anchorTo(target);
    if (!anchor) return null;
    append(anchor, text.slice(bracket + 1, label) || target, depth + 1);
    return { node: anchor, end: end + 1 };
  }

  function matching(text, at, open, close, limit) {
    let depth = 0;
    for (let end = at; end < text.length && end - at <= limit; end += 1) {
      if (text[end] === "\\") end += 1;
      else if (text[end] === open) depth += 1;
      else if (text[end] === close && (depth -= 1) === 0) return end;
    }
    return -1;
  }

  function angleLink(text, at) {
    const end = text.slice(at, at + maxAddress).indexOf(">");
    const target = end > 0 ? text.slice(at + 1, at + end) : "";
    const anchor = /\s/.test(target) ? null : anchorTo(target);
    if (!anchor) return null;
    anchor.append(target);
    return { node: anchor, end: at + end + 1 };
  }

  function bareLink(text, at) {
    address.lastIndex = at;
    let target = address.exec(text)?.[0];
    if (!target) return null;
    // A full stop after an address belongs to the sentence, and so does a bracket that was opened before it.
    while (/[.,:;!?*_~\]]$/.test(target) || (target.endsWith(")") && !target.includes("("))) target = target.slice(0, -1);
    const anchor = anchorTo(target);
    if (!anchor) return null;
    anchor.append(target);
    return { node: anchor, end: at + target.length };
  }

  /** A link, to the web or a mail address only. */
  function anchorTo(target) {
    if (!/^(?:https?:\/\/[^\s]|mailto:[^\s])/i.test(target)) return null;
    return element("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" });
  }

  return {
    append,
    /** The text is still coming: what is open at its end will most likely be closed. */
    isComing: false,
  };
})();
