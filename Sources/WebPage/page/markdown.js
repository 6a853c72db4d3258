// Markdown blocks: paragraphs, headings, lists, quotes, tables and code; `Inline` renders their texts.

const Markdown = (() => {
  const maxDepth = 10;

  const fenceStart = /^( {0,3})(`{3,}|~{3,})[ \t]*((?:[^`\s][^`]*)?)$/;
  const headingStart = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
  const ruleLine = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
  const quoteStart = /^ {0,3}> ?/;
  const itemStart = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;
  const underline = /^ {0,3}(?:={2,}|-{3,})[ \t]*$/;
  const delimiterRow = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*(?:\|[ \t]*)?$/;

  const isBlank = (line) => line === undefined || line.trim() === "";
  const indentation = (line) => line.length - line.trimStart().length;

  /** Cuts lines into blocks: `{kind, source, …}`, where `source` tells whether a block is the same as before. */
  function blocks(lines, depth) {
    const result = [];
    let index = 0;
    while (index < lines.length) {
      if (isBlank(lines[index])) {
        index += 1;
        continue;
      }
      const start = index;
      const block = fence() ?? heading() ?? rule() ?? quote() ?? list() ?? table() ?? indented() ?? paragraph();
      block.source = lines.slice(start, index).join("\n");
      result.push(block);
    }
    return result;

    function fence() {
      const open = fenceStart.exec(lines[index]);
      if (!open) return null;
      const [, indent, mark, info] = open;
      const code = [];
      for (index += 1; index < lines.length; index += 1) {
        const line = lines[index].trim();
        if (line.startsWith(mark) && line === mark[0].repeat(line.length)) {
          index += 1;
          break;
        }
        code.push(lines[index].slice(Math.min(indent.length, indentation(lines[index]))));
      }
      return { kind: "code", text: code.join("\n"), language: info.trim().split(/\s/, 1)[0] };
    }

    function heading() {
      const open = headingStart.exec(lines[index]);
      if (!open) return null;
      let text = lines[index].slice(open[0].length).trim();
      let end = text.length;
      while (text[end - 1] === "#") end -= 1;
      const bare = text.slice(0, end);
      if (bare === "" || /\s$/.test(bare)) text = bare.trimEnd();
      index += 1;
      return { kind: "heading", level: open[1].length, text };
    }

    function rule() {
      if (!ruleLine.test(lines[index])) return null;
      index += 1;
      return { kind: "rule" };
    }

    function quote() {
      if (depth >= maxDepth || !quoteStart.test(lines[index])) return null;
      const inner = [];
      while (index < lines.length && quoteStart.test(lines[index])) {
        inner.push(lines[index].replace(quoteStart, ""));
        index += 1;
      }
      return { kind: "quote", children: blocks(inner, depth + 1) };
    }

    function list() {
      const first = itemStart.exec(lines[index]);
      if (depth >= maxDepth || !first || first[1].length > 3) return null;
      const isOrdered = /\d/.test(first[2]);
      const items = [];
      let isLoose = false;
      while (index < lines.length) {
        const open = itemStart.exec(lines[index]);
        if (!open || open[1].length > 3 || /\d/.test(open[2]) !== isOrdered || ruleLine.test(lines[index])) break;
        const [inner, gap] = item(open);
        items.push(blocks(inner, depth + 1));
        if (gap && index < lines.length && itemStart.test(lines[index])) isLoose = true;
      }
      return { kind: "list", isOrdered, isLoose, items, first: isOrdered ? parseInt(first[2], 10) : 1 };
    }

    /** The lines of an item without their indentation, and whether a blank line ends it. */
    function item(open) {
      const base = open[1].length;
      const width = open[0].length - (open[3].length > 4 ? open[3].length - 1 : 0);
      const inner = [lines[index].slice(width)];
      let gap = false;
      for (index += 1; index < lines.length; index += 1) {
        const line = lines[index];
        if (isBlank(line)) {
          gap = true;
          inner.push("");
          continue;
        }
        const indent = indentation(line);
        // Models indent the contents of an item by two columns, whatever its mark.
        const belongs = indent >= Math.min(width, base + 2);
        const goesOn = !gap && !itemStart.test(line) && !startsBlock(line);
        if (!belongs && !goesOn) break;
        inner.push(line.slice(Math.min(indent, width)));
        gap = false;
      }
      return [inner, gap];
    }

    function table() {
      const next = lines[index + 1];
      if (!lines[index].includes("|") || next === undefined || !delimiterRow.test(next)) return null;
      const head = cells(lines[index]);
      const marks = cells(next);
      if (head.length !== marks.length) return null;
      const align = marks.map((mark) =>
        mark.endsWith(":") ? (mark.startsWith(":") ? "center" : "right") : mark.startsWith(":") ? "left" : "");
      const rows = [];
      for (index += 2; index < lines.length && !isBlank(lines[index]) && lines[index].includes("|"); index += 1) {
        rows.push(cells(lines[index]));
      }
      return { kind: "table", head, align, rows };
    }

    function indented() {
      if (indentation(lines[index]) < 4) return null;
      const code = [];
      while (index < lines.length && (indentation(lines[index]) >= 4 || isBlank(lines[index]))) {
        code.push(lines[index].slice(4));
        index += 1;
      }
      return { kind: "code", text: code.join("\n").trimEnd(), language: "" };
    }

    function paragraph() {
      const text = [lines[index].trimStart()];
      for (index += 1; index < lines.length && !isBlank(lines[index]); index += 1) {
        if (underline.test(lines[index])) {
          const level = lines[index].includes("=") ? 1 : 2;
          index += 1;
          return { kind: "heading", level, text: text.join(" ") };
        }
        if (startsBlock(lines[index])) break;
        text.push(lines[index].trimStart());
      }
      return { kind: "paragraph", text: text.join("\n") };
    }
  }

  /** Whether a line ends the paragraph before it. */
  function startsBlock(line) {
    const item = itemStart.exec(line);
    return fenceStart.test(line) || headingStart.test(line) || ruleLine.test(line) || quoteStart.test(line)
      || (item !== null && item[3] !== "" && (!/\d/.test(item[2]) || parseInt(item[2], 10) === 1));
  }

  /** The cells of a table's row; a bar after a backslash or within code is none. */
  function cells(line) {
    const result = [""];
    let inCode = false;
    const row = line.trim().replace(/^\|/, "");
    for (let at = 0; at < row.length; at += 1) {
      if (row[at] === "\\" && row[at + 1] === "|") {
        result[result.length - 1] += "|";
        at += 1;
      } else if (row[at] === "|" && !inCode) {
        result.push("");
      } else {
        if (row[at] === "`") inCode = !inCode && row.indexOf("`", at + 1) > 0;
        result[result.length - 1] += row[at];
      }
    }
    if (result.length > 1 && isBlank(result[result.length - 1])) result.pop();
    return result.map((cell) => cell.trim());
  }

  function node(block, isTight) {
    switch (block.kind) {
      case "code": return codeBlock(block.text, block.language);
      case "heading": return Inline.append(element(`h${block.level}`), block.text);
      case "rule": return element("hr");
      case "quote": return element("blockquote", {}, ...block.children.map((child) => node(child)));
      case "list": return listNode(block);
      case "table": return tableNode(block);
      default: return Inline.append(isTight ? document.createDocumentFragment() : element("p"), block.text);
    }
  }

  function listNode(block) {
    const list = element(block.isOrdered ? "ol" : "ul");
    if (block.isOrdered && block.first !== 1) list.start = block.first;
    for (const children of block.items) {
      const item = element("li");
      const first = children[0];
      const task = first?.kind === "paragraph" ? /^\[([ xX])\] +/.exec(first.text) : null;
      if (task) {
        item.className = "task";
        item.append(element("input", { type: "checkbox", disabled: true, checked: task[1] !== " " }));
        first.text = first.text.slice(task[0].length);
      }
      // Two paragraphs in one item need margins, also in a tight list.
      const isTight = !block.isLoose && children.filter((child) => child.kind === "paragraph").length < 2;
      item.append(...children.map((child) => node(child, isTight)));
      list.append(item);
    }
    return list;
  }

  function tableNode({ head, align, rows }) {
    const row = (tag, texts) => element("tr", {}, ...head.map((_, column) => {
      const cell = Inline.append(element(tag), texts[column] ?? "");
      if (align[column]) cell.style.textAlign = align[column];
      return cell;
    }));
    const table = element("table", {}, element("thead", {}, row("th", head)),
      element("tbody", {}, ...rows.map((texts) => row("td", texts))));
    return element("div", { className: "table", tabIndex: 0 }, table);
  }

  function codeBlock(text, language) {
    const code = element("code");
    Highlight.append(code, text, language);
    const copy = element("button", { type: "button", className: "copy", textContent: "Copy" });
    copy.addEventListener("click", () => copyText(text, copy));
    const head = element("figcaption", {}, element("span", { textContent: language || "text" }), copy);
    return element("figure", { className: "code" }, head, element("pre", { tabIndex: 0 }, code));
  }

  return {
    /**
     * Brings a container up to the text: blocks that are as they were stay, and with them what a reader selected.
     * `isPartial`: more text will come.
     */
    render(container, text, isPartial = false) {
      const lines = text.replace(/\r\n?/g, "\n").split("\n")
        .map((line) => line.replace(/^[ \t]+/, (space) => space.replaceAll("\t", "    ")));
      const wanted = blocks(lines, 0);
      const last = wanted.length - 1;
      const marks = wanted.map((block, index) => `${block.kind} ${isPartial && index === last} ${block.source}`);
      const shown = container.renderedBlocks ?? [];
      let same = 0;
      while (same < wanted.length && shown[same] === marks[same]) same += 1;
      while (container.childNodes.length > same) container.lastChild.remove();
      for (let index = same; index <= last; index += 1) {
        Inline.isComing = isPartial && index === last;
        container.append(node(wanted[index]));
      }
      Inline.isComing = false;
      container.renderedBlocks = marks;
    },
  };
})();
