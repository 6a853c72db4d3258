"""The vocabulary and the chat template that both programs get, so that the same text is the same tokens to both.

It is read from a GGUF file without tensors; llama.cpp's sources hold one of Phi-3 (`models/ggml-vocab-phi-3.gguf`).
"""

import json
import pathlib

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}")

# Token types of GGUF.
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4


class Vocabulary:
    """Pieces of a SentencePiece vocabulary with byte fallback, as the GGUF kind `llama` has them."""

    def __init__(self, path: pathlib.Path):
        import gguf

        fields = gguf.GGUFReader(path).fields
        self.values = {name: field.contents() for name, field in fields.items() if name.startswith("tokenizer.ggml.")}
        if self.values["tokenizer.ggml.model"] != "llama":
            raise SystemExit(f"{path}: a vocabulary of the kind 'llama' is expected")
        self.pieces: list[str] = self.values["tokenizer.ggml.tokens"]
        self.scores: list[float] = self.values["tokenizer.ggml.scores"]
        self.types: list[int] = self.values["tokenizer.ggml.token_type"]

    def silent(self) -> list[int]:
        """Tokens that a random model shall never choose: those that end an answer, and those that are no text by
        themselves, such as single bytes, so that every token of a stream is an event of its own."""
        return [token for token, kind in enumerate(self.types) if kind != NORMAL]

    def merges(self) -> list[str]:
        """Byte-pair merges that do what the scores do: every split of a piece into two others, best piece first."""
        number = {piece: token for token, piece in enumerate(self.pieces) if self.types[token] == NORMAL}
        merges = []
        for piece, token in number.items():
            splits = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
            known = [(number[a], number[b], a, b) for a, b in splits if a in number and b in number]
            merges += [(-self.scores[token], left, right, f"{a} {b}") for left, right, a, b in sorted(known)]
        return [text for *_, text in sorted(merges, key=lambda merge: merge[0])]

    def tokenizer_json(self) -> str:
        """The same vocabulary in the form of the `tokenizers` package."""
        added = [
            {"id": token, "content": self.pieces[token], "special": True, "normalized": False,
             "single_word": False, "lstrip": False, "rstrip": self.pieces[token].startswith("<|")}
            for token, kind in enumerate(self.types) if kind in (CONTROL, USER_DEFINED)]
        space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
        return json.dumps({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, space]},
            "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {
                "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
                "vocab": {piece: token for token, piece in enumerate(self.pieces)}, "merges": self.merges()},
        })
