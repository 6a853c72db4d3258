"""Makes a fixture of a model with a draft head (multi-token prediction) for each family that has one.

    python -m venv .venv && .venv/bin/pip install torch transformers safetensors numpy
    .venv/bin/python Tests/InferenceTests/Scripts/make_draft_fixtures.py [NAME …]

The models are those of make_architecture_fixtures.py, as BF16, in folders `NAME-draft`. `transformers` leaves the heads out: what
they compute is written down here, as the papers and the published modelling have it, about a layer of `transformers`. A
head is trained a little on its model's own greedy answers, so that some of its drafts are right. In a folder's
`reference.safetensors`:

    prompt, answer    tokens, and the greedy ones after them
    logits            one row for each token of the answer: what the model chose it by
    draft_logits      the head's, after each token of the prompt but the first
    drafts            the head's greedy tokens after the prompt and the first token of the answer: from the second on, they
                      come of its own hidden states
"""

import copy
import sys

import numpy as np
import torch
from torch import nn

from architecture_models import MODELS
from make_architecture_fixtures import PROMPT_LENGTH, SMALLEST_GAP, hub_layout, make_model, random_weights, reference, write

# A head's layer is as a layer of its model with attention, and with experts if there are any. Where its tensors are
# depends on the family.
HEADS = {"qwen3_5_text": "mtp_num_hidden_layers", "qwen3_next": None, "glm4_moe": "num_nextn_predict_layers",
         "deepseek_v3": "num_nextn_predict_layers"}
DRAFT_COUNT = 3


class Head(nn.Module):
    """In the order of a module of its own; `file_names` says what the parts are called."""

    def __init__(self, model: nn.Module):
        super().__init__()
        config = copy.deepcopy(model.config)
        count = config.num_hidden_layers
        if getattr(config, "layer_types", None):
            config.layer_types = ["full_attention"] * count
        if getattr(config, "mlp_only_layers", None):
            config.mlp_only_layers = []
        config._experts_implementation = "eager"  # which can be trained
        size, norm = config.hidden_size, type(model.model.norm)
        self.config = config
        self.embedding_norm, self.hidden_norm, self.norm = (norm(size, config.rms_norm_eps) for _ in range(3))
        self.projection = nn.Linear(2 * size, size, bias=False)
        self.layer = type(model.model.layers[0])(config, count - 1)

    def forward(self, model: nn.Module, tokens: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The hidden states after each token, [batch, count, size]; `before` has those before them."""
        embedded = model.model.embed_tokens(tokens)
        both = torch.cat([self.embedding_norm(embedded), self.hidden_norm(before)], dim=-1)
        hidden, count = self.projection(both), tokens.shape[1]
        positions = torch.arange(count).unsqueeze(0)
        mask = torch.full((count, count), float("-inf")).triu(1)[None, None]
        hidden = self.layer(
            hidden, attention_mask=mask, position_ids=positions,
            position_embeddings=model.model.rotary_emb(hidden, positions))
        return self.norm(hidden[0] if isinstance(hidden, tuple) else hidden)


def file_names(name: str, layers: int) -> dict[str, str]:
    if name.startswith("qwen3"):
        return {"embedding_norm": "mtp.pre_fc_norm_embedding", "hidden_norm": "mtp.pre_fc_norm_hidden",
                "projection": "mtp.fc", "norm": "mtp.norm", "layer": "mtp.layers.0"}
    layer = f"model.layers.{layers}"
    return {"embedding_norm": f"{layer}.enorm", "hidden_norm": f"{layer}.hnorm", "projection": f"{layer}.eh_proj",
            "norm": f"{layer}.shared_head.norm", "layer": layer}


def head_tensors(name: str, layers: int, head: Head) -> dict[str, torch.Tensor]:
    names, stored = file_names(name, layers), {}
    for own, value in head.state_dict().items():
        part, rest = own.split(".", 1)
        stored[f"{names[part]}.{rest}"] = value
    return hub_layout(stored)


def hidden_states(model: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """What the logits come of, behind the last norm."""
    with torch.no_grad():
        return model.model(tokens, use_cache=False).last_hidden_state


def train(head: Head, model: nn.Module, seed: int):
    """Teaches a head its model's greedy answers to random prompts."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(3, model.config.vocab_size, (32, PROMPT_LENGTH), generator=generator)
    for _ in range(16):
        with torch.no_grad():
            last = model.lm_head(hidden_states(model, tokens)[:, -1])
        tokens = torch.cat([tokens, last.argmax(dim=-1, keepdim=True)], dim=1)
    hidden = hidden_states(model, tokens)
    with torch.no_grad():
        targets = model.lm_head(hidden).argmax(dim=-1)
    optimizer = torch.optim.Adam(head.parameters(), lr=3e-3)
    for _ in range(250):
        logits = model.lm_head(head(model, tokens[:, 1:], hidden[:, :-1]))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for value in head.parameters():
            value.copy_(value.bfloat16().float())
        right = model.lm_head(head(model, tokens[:, 1:], hidden[:, :-1])).argmax(dim=-1) == targets[:, 1:]
    return float(right.float().mean())


def gap(rows: torch.Tensor) -> float:
    top = rows.topk(2).values
    return float(((top[:, 0] - top[:, 1]) / rows.abs().max(dim=1).values).min())


def draft(head: Head, model: nn.Module, prompt: list[int], first: int):
    """The head's logits after the tokens of the prompt, its drafts after these and one token more, and their logits' gap."""
    tokens = torch.tensor([prompt + [first]])
    before, drafts, rows = hidden_states(model, torch.tensor([prompt])), [], []
    with torch.no_grad():
        given = model.lm_head(head(model, tokens[:, 1:], before))[0, :-1]
        for _ in range(DRAFT_COUNT):
            hidden = head(model, tokens[:, 1:], before)
            rows.append(model.lm_head(hidden)[0, -1])
            drafts.append(int(rows[-1].argmax()))
            tokens = torch.cat([tokens, torch.tensor([[drafts[-1]]])], dim=1)
            before = torch.cat([before, hidden[:, -1:]], dim=1)
    return given, drafts, gap(torch.stack(rows))


def make(name: str, key: str | None):
    fields = {"model_type": name} | MODELS[name] | ({key: 1} if key else {})
    model = make_model(fields)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for seed in range(100):
        weights = random_weights(model, seed)
        prompt = np.random.default_rng(seed).integers(3, fields["vocab_size"], PROMPT_LENGTH).tolist()
        arrays, smallest = reference(model, weights, prompt)
        if smallest < SMALLEST_GAP or len(arrays["answer"].unique()) < 10:
            continue
        head = Head(model).float()
        head.load_state_dict(random_weights(head, seed), strict=False)
        share = train(head, model, seed)
        given, drafts, smallest = draft(head, model, prompt, int(arrays["answer"][0]))
        if smallest > SMALLEST_GAP and len(set(drafts)) > 1:
            break
    else:
        sys.exit(f"{name}: no seed gives drafts that are far from ties")
    layers = fields["num_hidden_layers"]
    tensors = hub_layout(weights) | head_tensors(name, layers, head)
    if not name.startswith("qwen3"):
        # As published, with copies of what the head shares with the model.
        tensors[f"model.layers.{layers}.embed_tokens.weight"] = weights["model.embed_tokens.weight"].bfloat16()
        tensors[f"model.layers.{layers}.shared_head.head.weight"] = weights["lm_head.weight"].bfloat16()
    arrays |= {"draft_logits": given.contiguous(), "drafts": torch.tensor(drafts, dtype=torch.uint32)}
    write(f"{name}-draft", fields, tensors, arrays)
    print(f"{name}-draft: seed {seed}, {share:.0%} of what the head was taught, drafts {drafts}")


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for name, key in HEADS.items():
        if name in (sys.argv[1:] or HEADS):
            make(name, key)


if __name__ == "__main__":
    main()
