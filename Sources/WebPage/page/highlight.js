// Syntax highlighting: comments, strings, numbers, keywords and calls, by families of similar languages.

const Highlight = (() => {
  const maxLength = 50_000;
  const strings = /"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/.source;
  const numbers = /\b0[xXbBoO][\da-fA-F_]+|\b\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/.source;
  const words = /[A-Za-z_$@][\w$]*/.source;

  function family(comment, string = strings) {
    return new RegExp(`(?<comment>${comment})|(?<string>${string})|(?<number>${numbers})|(?<word>${words})`, "g");
  }

  const slashes = family(String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`, String.raw`${"`"}(?:\\[\s\S]|[^\\${"`"}])*${"`"}?|${strings}`);
  const hashes = family("#[^\\n]*", String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|${strings}`);
  const dashes = family(String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`);
  const markup = /(?<comment><!--[\s\S]*?(?:-->|$))|(?<string>"[^"\n]*"|'[^'\n]*')|(?<keyword><\/?[\w:-]+|\/?>)/g;

  const families = new Map();
  for (const [grammar, names] of [
    [slashes, "c h cpp c++ cc cs csharp dart go golang groovy java javascript js jsx json jsonc kotlin kt objc php rust rs scala scss swift ts tsx typescript zig css"],
    [hashes, "bash conf dockerfile elixir ini julia make makefile nim perl pl powershell py python r rb ruby sh shell toml yaml yml zsh"],
    [dashes, "mysql plsql postgres postgresql sql sqlite"],
    [markup, "html svg vue xml"],
  ]) for (const name of names.split(" ")) families.set(name, grammar);

  const keywords = new Set((
    "abstract and as assert async await begin bool boolean break case catch char class const continue declare def "
    + "default defer del delete do done double elif else elsif end enum esac except export extends extension extern "
    + "false False fi final finally float fn for foreach from func function global go guard if impl implements import "
    + "in include init inout instanceof int interface is lambda let local long loop match mod module mut namespace new "
    + "nil None not null nullptr of or package pass private protocol pub public raise range repeat return self short "
    + "signed sizeof static string struct super switch template then this throw throws trait true True try type typedef "
    + "typeof undefined union unsigned until use using val var void when where while with yield"
  ).split(" "));
  const queryWords = new Set((
    "add all alter and as asc between by case count create cross delete desc distinct drop else end exists foreign from "
    + "full group having in index inner insert into is join key left like limit not null offset on or order outer "
    + "primary references right select set table then union unique update values when where with"
  ).split(" "));

  function isKeyword(word, grammar) {
    return grammar === dashes ? queryWords.has(word.toLowerCase()) : keywords.has(word);
  }

  function kindOf(groups, grammar, code, end) {
    if (groups.comment !== undefined) return "comment";
    if (groups.string !== undefined) return "string";
    if (groups.number !== undefined) return "number";
    if (groups.keyword !== undefined || isKeyword(groups.word, grammar)) return "keyword";
    return code[end] === "(" ? "call" : "";
  }

  return {
    /** Appends code to a node, coloured if its language is known. */
    append(parent, code, language) {
      const grammar = families.get(language.toLowerCase());
      if (!grammar || code.length > maxLength) {
        parent.append(code);
        return;
      }
      let last = 0;
      for (const match of code.matchAll(grammar)) {
        const end = match.index + match[0].length;
        const kind = kindOf(match.groups, grammar, code, end);
        if (!kind) continue;
        parent.append(code.slice(last, match.index), element("span", { className: kind, textContent: match[0] }));
        last = end;
      }
      parent.append(code.slice(last));
    },
  };
})();
