"""Runs MaskBench on the constraints of this repository and on LLGuidance and XGrammar, on the same machine and tokens.

    python maskbench.py table   --data jsonschemabench/maskbench/data --vocab ggml-vocab-llama-bpe.gguf
    python maskbench.py table   --data … --vocab … --sample 40 --limit 5 --peers llguidance,xgrammar
    python maskbench.py answers --data … --vocab …     10,000 answers of a random model, judged by jsonschema
    python maskbench.py suite   --suite JSON-Schema-Test-Suite/tests/draft2020-12 --vocab …

Needs `swift build -c release --product mask-bench`, and from PyPI llguidance, numpy and jsonschema; for XGrammar also xgrammar.
The data is that of github.com/guidance-ai/jsonschemabench; it is not part of this repository.
"""

import argparse
import glob
import json
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import time

from member_order import MemberOrder

PROGRAM = os.path.join(os.path.dirname(__file__), "..", ".build", "release", "mask-bench")
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def read_gguf(path):
    """The metadata of a GGUF file."""
    data, place = open(path, "rb").read(), 8
    formats = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def number(form):
        nonlocal place
        value = struct.unpack_from("<" + form, data, place)[0]
        place += struct.calcsize(form)
        return value

    def text():
        nonlocal place
        length = number("Q")
        place += length
        return data[place - length : place].decode("utf8", "surrogateescape")

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            kind, count = number("I"), number("Q")
            return [value(kind) for _ in range(count)]
        return number(formats[kind])

    number("Q")
    fields = {}
    for _ in range(number("Q")):
        name = text()
        fields[name] = value(number("I"))
    return fields


def tokenizer(path):
    """The tokenizer of a GGUF file as LLGuidance takes it, the bytes of its tokens, and the end token."""
    from llguidance import LLTokenizer

    fields = read_gguf(path)
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    added = [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, t in enumerate(tokens)
        if kinds[i] == 3
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
        "vocab": {t: i for i, t in enumerate(tokens) if kinds[i] != 3}, "merges": fields["tokenizer.ggml.merges"],
    }  # fmt: skip
    description = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": None, "decoder": byte_level, "model": model,
    }  # fmt: skip
    end = fields["tokenizer.ggml.eos_token_id"]
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters = {chr(b): b for b in plain}
    letters |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in plain)}
    texts = [b"" if kinds[i] == 3 else bytes(letters[c] for c in t) for i, t in enumerate(tokens)]
    return LLTokenizer(json.dumps(description), eos_token=end), texts, end


def write_vocabulary(path, texts, end):
    with open(path, "wb") as file:
        file.write(struct.pack("<II", len(texts), end))
        for text in texts:
            file.write(struct.pack("<H", len(text)) + text)


def maskbench_paths(folder, step, sample):
    """Every nth case, or so many at random, the same each time."""
    paths = sorted(glob.glob(os.path.join(folder, "*.json")))[::step]
    return sorted(random.Random(0).sample(paths, min(sample, len(paths)))) if sample else paths


def maskbench_cases(paths, encode):
    for path in paths:
        case = json.load(open(path))
        tests = [
            {"valid": t["valid"], "data": t["data"], "tokens": encode(json.dumps(t["data"], ensure_ascii=False))}
            for t in case["tests"]
        ]
        yield {"id": os.path.basename(path), "schema": case["schema"], "tests": tests}


def suite_cases(folder, encode):
    """Each test is a case of its own, so that one of several that is wrongly accepted is seen."""
    for path in sorted(glob.glob(os.path.join(folder, "*.json")) + glob.glob(os.path.join(folder, "optional", "format", "*.json"))):
        for group in json.load(open(path)):
            for test in group["tests"]:
                text = json.dumps(test["data"], ensure_ascii=False)
                if any(0xD800 <= ord(c) < 0xE000 for c in text):
                    continue
                name = f"{os.path.basename(path)}: {group['description']}: {test['description']}"
                yield {"id": name, "schema": group["schema"], "whole": True, "tests": [{"valid": test["valid"], "tokens": encode(text)}]}


def in_parts(cases, size=500):
    """The file of cases in files of a few hundred, so that those compared run in turn and meet the same machine."""
    lines = open(cases).readlines()
    for start in range(0, len(lines), size):
        with open(f"{cases}.part", "w") as file:
            file.writelines(lines[start : start + size])
        yield f"{cases}.part"


def put_in_order(cases, results, encode):
    """A file with the cases of which a valid instance was rejected, their valid instances in the schema's order.

    The benchmark's own `creation/reorder.py` has done that, in LLGuidance's order, where LLGuidance takes the schema; the
    members of the other instances stand as a model happened to write them.
    """
    wanted = {r["id"] for r in results if "should accept" in r.get("validation_error", "")}
    path = f"{cases}.ordered"
    with open(path, "w") as file:
        for line in open(cases):
            case = json.loads(line)
            if case["id"] not in wanted:
                continue
            order = MemberOrder(case["schema"])
            for test in case["tests"]:
                if test["valid"]:
                    test["tokens"] = encode(json.dumps(order.put(test["data"]), ensure_ascii=False))
            file.write(json.dumps(case) + "\n")
    return path


def run_ours(program, cases, vocabulary, *mode):
    process = subprocess.run([program, vocabulary, cases, *mode], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in process.stdout.splitlines()]


def run_peer(lines, compile_schema, fill, word_bits, commit):
    """As `maskbench/runner.py` of the benchmark does: a mask and a commit for each token.

    The clock is that of the processor, as in `mask-bench`: other work on the machine does not count.
    """
    for line in lines:
        case = json.loads(line)
        result = {"id": case["id"], "all_mask_us": []}
        start = time.process_time()
        try:
            new_session = compile_schema(case["schema"])
        except Exception as error:
            yield result | {"compile_us": (time.process_time() - start) * 1e6, "compile_error": str(error)}
            continue
        result["compile_us"] = (time.process_time() - start) * 1e6
        for index, test in enumerate(case["tests"]):
            session, accepted = new_session(), True
            for token in test["tokens"]:
                start = time.process_time()
                mask = fill(session)
                accepted = int(mask[0, token // word_bits]) >> token % word_bits & 1
                accepted = bool(accepted) and commit(session, token)
                result["all_mask_us"].append((time.process_time() - start) * 1e6)
                if not accepted:
                    break
            if accepted != test["valid"]:
                result["validation_error"] = f"test {index}: should {'accept' if test['valid'] else 'reject'}"
        yield result


def processor_seconds(process):
    """What a process has taken so far. A timer in it would make its own clock coarse."""
    fields = open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def within(limit, results_of, lines):
    """The results of a peer, in a process of its own, which is ended where a schema takes it more than `limit` seconds.

    The next schema gets a new process; without a limit there is none.
    """
    if not limit:
        return list(results_of(lines))

    def send_results(sender, lines):
        for result in results_of(lines):
            sender.send(result)

    context, results = multiprocessing.get_context("fork"), []
    while len(results) < len(lines):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=send_results, args=(sender, lines[len(results) :]))
        process.start()
        sender.close()
        before = processor_seconds(process)
        while len(results) < len(lines):
            if receiver.poll(0.1):
                results.append(receiver.recv())
                before = processor_seconds(process)
            elif processor_seconds(process) - before > limit:
                process.kill()
                results.append({"id": json.loads(lines[len(results)])["id"], "timed_out": True})
                break
        process.join()
    return results


def llguidance_results(lines, tok):
    from llguidance import LLMatcher
    from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

    mask = allocate_token_bitmask(1, tok.vocab_size)

    def compile_schema(schema):
        matcher = LLMatcher(tok, json.dumps({"grammars": [{"json_schema": schema}]}))
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher.deep_copy

    def fill(matcher):
        fill_next_token_bitmask(matcher, mask, 0)
        return mask

    return run_peer(lines, compile_schema, fill, 32, lambda matcher, token: matcher.consume_token(token))


def xgrammar_compiler(texts, end):
    import xgrammar

    info = xgrammar.TokenizerInfo(texts, xgrammar.VocabType.RAW, vocab_size=len(texts), stop_token_ids=[end])
    return xgrammar.GrammarCompiler(info, max_threads=1)


def xgrammar_results(lines, compiler, token_count):
    import xgrammar

    mask = xgrammar.allocate_token_bitmask(1, token_count)

    def compile_schema(schema):
        grammar = compiler.compile_json_schema(json.dumps(schema), any_whitespace=True, strict_mode=False)
        return lambda: xgrammar.GrammarMatcher(grammar)

    def fill(matcher):
        matcher.fill_next_token_bitmask(mask)
        return mask

    return run_peer(lines, compile_schema, fill, 32, lambda matcher, token: matcher.accept_token(token))


def peer_engine(peer, tok, texts, end):
    """What makes results of lines; what it needs of the vocabulary is made here, once."""
    if peer == "llguidance":
        return lambda lines: llguidance_results(lines, tok)
    compiler = xgrammar_compiler(texts, end)
    return lambda lines: xgrammar_results(lines, compiler, len(texts))


def summary(results):
    results = list(results)
    masks = sorted(us for r in results for us in r.get("all_mask_us", []))
    compiles = sorted(r["compile_us"] for r in results if "compile_us" in r and "compile_error" not in r)
    errors = [r["validation_error"] for r in results if "validation_error" in r]
    refused = sum("compile_error" in r for r in results)
    timed_out = sum("timed_out" in r for r in results)
    at = lambda values, share: values[min(len(values) - 1, int(len(values) * share))] if values else 0
    mean = lambda values: sum(values) / max(1, len(values))
    return {
        "schemas": len(results),
        "passing": len(results) - refused - timed_out - len(errors),
        "refused": refused,
        "timed out": timed_out,
        "valid rejected": sum("should accept" in e for e in errors),
        "invalid accepted": sum("should reject" in e for e in errors),
        "mask µs mean": mean(masks), "mask µs p50": at(masks, 0.5), "mask µs p99": at(masks, 0.99),
        "mask µs p99.9": at(masks, 0.999), "mask µs most": at(masks, 1),
        "compile µs mean": mean(compiles), "compile µs p99": at(compiles, 0.99), "compile µs most": at(compiles, 1),
        "MB, most": max((r.get("bytes", 0) for r in results), default=0) / 2**20,
    }  # fmt: skip


def print_rejected(results, ordered):
    """Why valid instances are rejected in the schema's order, and how many are of schemas that others take at all."""
    print("in order, rejected still when they are put in order:", summary(ordered)["valid rejected"])
    for peer in list(results)[2:]:
        taken = {r["id"] for r in results[peer] if "compile_error" not in r and "timed_out" not in r}
        rejected = summary(r for r in results["in order"] if r["id"] in taken)["valid rejected"]
        print(f"in order, rejected of the {len(taken):,} schemas that {peer} takes: {rejected}")


def print_table(columns):
    print("| | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for figure in next(iter(columns.values())):
        print(f"| {figure} | " + " | ".join(f"{column[figure]:,.1f}" for column in columns.values()) + " |")


def judge_answers(cases, results):
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    schemas = {}
    for line in open(cases):
        case = json.loads(line)
        schemas[case["id"]] = case["schema"]
    counts = dict.fromkeys(["schemas", "answers", "invalid", "unfinished", "tokens", "forced"], 0)
    for result in results:
        if "compile_error" in result:
            continue
        schema = schemas[result["id"]]
        kind = validator_for(schema, default=Draft202012Validator)
        validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
        counts["schemas"] += 1
        for name in ("tokens", "forced"):
            counts[name] += result[name]
        counts["unfinished"] += len(result["unfinished"])
        for answer in result["answers"]:
            counts["answers"] += 1
            try:
                error = next(validator.iter_errors(json.loads(answer)), None)
            except Exception as exception:
                error = exception
            if error is not None:
                counts["invalid"] += 1
                print(result["id"], str(getattr(error, "message", error))[:200], answer[:200], file=sys.stderr)
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["table", "answers", "suite"])
    parser.add_argument("--data", help="the folder of MaskBench's cases")
    parser.add_argument("--suite", help="the folder of a draft of JSON-Schema-Test-Suite")
    parser.add_argument("--vocab", required=True, help="a GGUF file with a byte-level BPE vocabulary")
    parser.add_argument("--step", type=int, default=1, help="take every nth schema")
    parser.add_argument("--sample", type=int, help="take so many schemas at random, the same each time")
    parser.add_argument("--limit", type=float, help="the seconds of the processor that a schema may take a peer")
    parser.add_argument("--peers", default="llguidance", help="llguidance, xgrammar, both by a comma, or nothing")
    parser.add_argument("--program", default=PROGRAM, help="mask-bench, as it was built")
    parser.add_argument("--work", default="/tmp/maskbench", help="a folder for prepared data")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    tok, texts, end = tokenizer(options.vocab)
    vocabulary, cases = os.path.join(options.work, "vocabulary"), os.path.join(options.work, "cases.jsonl")
    write_vocabulary(vocabulary, texts, end)
    if options.command == "suite":
        source = suite_cases(options.suite, tok.tokenize_str)
    else:
        step = max(options.step, 30) if options.command == "answers" else options.step
        source = maskbench_cases(maskbench_paths(options.data, step, options.sample), tok.tokenize_str)
    with open(cases, "w") as file:
        for case in source:
            file.write(json.dumps(case) + "\n")
    ours = lambda cases, *mode: run_ours(options.program, cases, vocabulary, *mode)
    if options.command == "answers":
        print(json.dumps(judge_answers(cases, ours(cases, "answers", "28")), indent=2))
        return
    rows = {"in order": ours, "in any order": lambda part: ours(part, "any-order")}
    if options.command == "table":
        for peer in filter(None, options.peers.split(",")):
            engine = peer_engine(peer, tok, texts, end)
            rows[peer] = lambda part, engine=engine: within(options.limit, engine, open(part).readlines())
    results = {name: [] for name in rows}
    for part in in_parts(cases):
        for name, run in rows.items():
            results[name] += run(part)
    if options.command == "suite":
        for result in results["in any order"]:
            if "validation_error" in result:
                print(result["id"], "|", result["validation_error"][:160])
    else:
        print_rejected(results, ours(put_in_order(cases, results["in order"], tok.tokenize_str)))
    print_table({name: summary(found) for name, found in results.items()})


if __name__ == "__main__":
    main()
