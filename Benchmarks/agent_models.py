"""Tiny models with random weights, and the real vocabularies and chat templates of five families: for agent.py.

A random model writes what no trained one would: tokens that no tokenizer makes of their text, numbers and strings in every
spelling. So what it wrote is found again in the cache only if it comes back token for token.
"""

import base64
import json
import pathlib
import zipfile

import numpy as np

LAYERS, HIDDEN, INTERMEDIATE, HEADS = 2, 64, 128, 4
# Of models with recurrent layers: all layers, of which the last is one of attention; and the heads and taps of the others.
HYBRID_LAYERS, KEY_HEADS, VALUE_HEADS, STATE, TAPS = 4, 2, 4, 16, 4
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4

# What Qwen 3 has in place of the fillers of Qwen 2's vocabulary.
QWEN3 = {
    151657: "<tool_call>", 151658: "</tool_call>", 151665: "<tool_response>", 151666: "</tool_response>",
    151667: "<think>", 151668: "</think>"}

# Template, vocabulary and how it is told, and the architecture.
FAMILIES = {
    "Qwen 3": ("Qwen-Qwen3-0.6B", "qwen2", "llama"),
    "Qwen3-Coder": ("Qwen3-Coder", "qwen2", "llama"),
    "Llama 3.1": ("meta-llama-Llama-3.1-8B-Instruct", "llama-bpe", "llama"),
    "Mistral Nemo": ("mistralai-Mistral-Nemo-Instruct-2407", "tekken", "llama"),
    # Its layers keep states: what it has computed is found again only where there is a copy of them.
    "Qwen 3.5": ("Qwen3.5-4B", "qwen2", "qwen35"),
}


class Vocabulary:
    def __init__(self, kind: str, tokens: list[str], types: list[int], merges: list[str], bos: int, eos: int):
        self.kind, self.tokens, self.types, self.merges, self.bos, self.eos = kind, tokens, types, merges, bos, eos


def from_gguf(path: pathlib.Path, kind: str) -> Vocabulary:
    import gguf

    fields = gguf.GGUFReader(path).fields
    value = lambda name: fields[f"tokenizer.ggml.{name}"].contents()
    tokens, types = value("tokens"), value("token_type")
    if kind == "qwen2":
        for token, text in QWEN3.items():
            tokens[token], types[token] = text, USER_DEFINED
    eos = tokens.index("<|im_end|>" if kind == "qwen2" else "<|eot_id|>")
    return Vocabulary(kind, tokens, types, value("merges"), value("bos_token_id"), eos)


def byte_alphabet() -> dict[int, str]:
    """GPT-2's spelling of bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def from_tekken(wheel: pathlib.Path) -> Vocabulary:
    """Mistral Nemo's, from PyPI's package `mistral-common`."""
    file = json.loads(zipfile.ZipFile(wheel).read("mistral_common/data/tekken_240718.json"))
    config = file["config"]
    specials = config["default_num_special_tokens"]
    pieces = [base64.b64decode(entry["token_bytes"]) for entry in file["vocab"]][:config["default_vocab_size"] - specials]
    ranks = {piece: rank for rank, piece in enumerate(pieces)}
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
             "[/TOOL_RESULTS]", "[TOOL_CALLS]"]
    names += [f"<SPECIAL_{number}>" for number in range(len(names), specials)]
    letters = byte_alphabet()
    spelled = ["".join(letters[byte] for byte in piece) for piece in pieces]
    merges = []
    for rank, piece in enumerate(pieces):
        splits = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        known = sorted((ranks[a], ranks[b], a, b) for a, b in splits if a in ranks and b in ranks)
        merges += [(rank, a, b) for *_, a, b in known]
    text = lambda piece: "".join(letters[byte] for byte in piece)
    return Vocabulary("tekken", names + spelled, [CONTROL] * specials + [NORMAL] * len(spelled),
                      [f"{text(a)} {text(b)}" for _, a, b in merges], 1, 2)


def write(path: pathlib.Path, vocabulary: Vocabulary, template: str, context: int, architecture: str):
    import gguf

    is_hybrid = architecture == "qwen35"
    layers = HYBRID_LAYERS if is_hybrid else LAYERS
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Random weights")
    writer.add_context_length(context)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_block_count(layers)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(1e6)
    if is_hybrid:
        for key, number in [
                ("attention.key_length", HIDDEN // HEADS), ("attention.value_length", HIDDEN // HEADS),
                ("ssm.conv_kernel", TAPS), ("ssm.state_size", STATE), ("ssm.group_count", KEY_HEADS),
                ("ssm.time_step_rank", VALUE_HEADS), ("ssm.inner_size", VALUE_HEADS * STATE),
                ("full_attention_interval", layers)]:
            writer.add_uint32(f"{architecture}.{key}", number)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.kind)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.bos)
    writer.add_eos_token_id(vocabulary.eos)
    # The templates write it themselves.
    writer.add_add_bos_token(False)
    writer.add_chat_template(template)
    random = np.random.default_rng(7)

    def matrix(name, rows, columns):
        values = (random.standard_normal((rows, columns)) / columns**0.5).astype(np.float16)
        # One number that is the same for all tokens makes about every twentieth token end the answer.
        if name == "token_embd":
            values[:, 0] = 20
        if name == "output":
            values[:, 0] = 0
            values[vocabulary.eos, 0] = 1.25
        writer.add_tensor(f"{name}.weight", values)

    def numbers(name, low, high, *shape):
        writer.add_tensor(name, random.uniform(low, high, shape).astype(np.float32))

    def ones(name, count):
        writer.add_tensor(f"{name}.weight", np.ones(count, np.float32))

    def attention(layer):
        # Each head of q has a gate beside it.
        for name, rows, columns in [
                ("attn_q", 2 * HIDDEN if is_hybrid else HIDDEN, HIDDEN), ("attn_k", HIDDEN // 2, HIDDEN),
                ("attn_v", HIDDEN // 2, HIDDEN), ("attn_output", HIDDEN, HIDDEN)]:
            matrix(f"{layer}.{name}", rows, columns)
        for name in ["attn_q_norm", "attn_k_norm"] if is_hybrid else []:
            ones(f"{layer}.{name}", HIDDEN // HEADS)

    def delta_net(layer):
        inner = VALUE_HEADS * STATE
        channels = 2 * KEY_HEADS * STATE + inner
        for name, rows, columns in [
                ("attn_qkv", channels, HIDDEN), ("attn_gate", inner, HIDDEN), ("ssm_alpha", VALUE_HEADS, HIDDEN),
                ("ssm_beta", VALUE_HEADS, HIDDEN), ("ssm_out", HIDDEN, inner)]:
            matrix(f"{layer}.{name}", rows, columns)
        numbers(f"{layer}.ssm_a", -1, -0.01, VALUE_HEADS)
        numbers(f"{layer}.ssm_dt.bias", -1, 1, VALUE_HEADS)
        numbers(f"{layer}.ssm_conv1d.weight", -1, 1, channels, TAPS)
        ones(f"{layer}.ssm_norm", STATE)

    matrix("token_embd", len(vocabulary.tokens), HIDDEN)
    matrix("output", len(vocabulary.tokens), HIDDEN)
    for number in range(layers):
        layer = f"blk.{number}"
        (delta_net if is_hybrid and number < layers - 1 else attention)(layer)
        for name, rows, columns in [
                ("ffn_gate", INTERMEDIATE, HIDDEN), ("ffn_up", INTERMEDIATE, HIDDEN), ("ffn_down", HIDDEN, INTERMEDIATE)]:
            matrix(f"{layer}.{name}", rows, columns)
        for name in ["attn_norm", "post_attention_norm" if is_hybrid else "ffn_norm"]:
            ones(f"{layer}.{name}", HIDDEN)
    ones("output_norm", HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(family: str, folder: pathlib.Path, vocabularies: pathlib.Path, templates: pathlib.Path, wheel: pathlib.Path,
         context: int) -> pathlib.Path:
    """The file of a family's model, written if it is not there."""
    template, kind, architecture = FAMILIES[family]
    path = folder / f"{template}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary = from_tekken(wheel) if kind == "tekken" else from_gguf(vocabularies / f"ggml-vocab-{kind}.gguf", kind)
        part = path.with_suffix(".part")
        write(part, vocabulary, (templates / f"{template}.jinja").read_text(), context, architecture)
        part.rename(path)
    return path
