"""Makes, measures and writes the built-in model.

    python train.py tokenizer --out DIR [--begin ../model]
    python train.py train     --out DIR --minutes 25 [--resume | --begin ../model] [--raise skill=share ...]
    python train.py evaluate  --out DIR [--count 200]      (the quantised weights of the last checkpoint)
    python train.py evaluate  --files ../model             (the files that ship; --long: prompts of up to 12,000 tokens)
    python train.py export    --out DIR --to ../model
"""

import argparse
import math
import os
import shutil
import time

import torch
import torch.nn.functional as F
from torch import distributed, multiprocessing
from tokenizers import Tokenizer

import data
import encoding
import evaluate
import quantise
import vocabulary
from model import Config, Phi3

LENGTH, LONG = 512, 2048


# ---- training: one process for each core, which meet once a step ---------------------------------------------------

def block_mask(documents, branches):
    """Additive mask: causal, and only within a conversation (every place sees itself, so that no row is empty); of a drill,
    a branch sees what stands before all branches, and itself."""
    time_steps = documents.shape[1]
    same = documents[:, :, None] == documents[:, None, :]
    same &= (branches[:, None, :] == 0) | (branches[:, :, None] == branches[:, None, :])
    allowed = same & torch.ones(time_steps, time_steps, dtype=torch.bool).tril()
    return torch.zeros(allowed.shape, dtype=torch.bfloat16).masked_fill(~allowed, -1e4)[:, None]


def pointer_loss(q, k, mask, sources):
    """How far one head of the last layer but one is from attending to the token that is copied next (cross-entropy; `sources`
    [batch, time] holds its place, or -1). It shows the network where to look, which the loss on tokens says only in passing."""
    pointed = sources >= 0
    if not pointed.any():
        return q.sum() * 0
    scores = q.float() @ k.float().mT / q.shape[-1] ** 0.5 + mask[:, 0].float()
    return F.cross_entropy(scores[pointed], sources[pointed])


# ---- optimiser ---------------------------------------------------------------------------------------------------

def orthogonal(stack):
    """Nearest orthogonal matrices, roughly, of a stack of wide matrices (five Newton-Schulz steps)."""
    x = stack.bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.float()


class Muon:
    """Momentum with orthogonalised updates for the matrices inside the layers; equal shapes go in one stack."""

    def __init__(self, model, rate, decay, rank=0, workers=1):
        self.rate, self.decay, self.rank, self.workers = rate, decay, rank, workers
        self.views, self.momentum = {}, {}
        for layer in model.model.layers:
            for name, p in layer.named_parameters():
                if p.dim() == 2:
                    parts = 3 if "qkv" in name else 2 if "gate_up" in name else 1
                    for i in range(parts):
                        rows = p.shape[0] // parts
                        shape = (min(rows, p.shape[1]), max(rows, p.shape[1]))
                        self.views.setdefault(shape, []).append((p, i * rows, (i + 1) * rows))

    def parameters(self):
        return {id(p) for group in self.views.values() for p, _, _ in group}

    def shared(self, stack):
        """Each process turns its part of the stack (the last part may hold fewer matrices)."""
        if self.workers == 1:
            return orthogonal(stack)
        part = -(-len(stack) // self.workers)
        own = torch.zeros(part, *stack.shape[1:])
        mine = stack[self.rank * part:(self.rank + 1) * part]
        own[:len(mine)] = orthogonal(mine)
        parts = [torch.empty_like(own) for _ in range(self.workers)]
        distributed.all_gather(parts, own)
        return torch.cat(parts)[:len(stack)]

    @torch.no_grad()
    def step(self, factor):
        for shape, group in self.views.items():
            turned = [p.shape[1] < b - a for p, a, b in group]
            g = torch.stack([p.grad[a:b].T if t else p.grad[a:b] for (p, a, b), t in zip(group, turned)])
            m = self.momentum.setdefault(shape, torch.zeros_like(g))
            m.mul_(0.95).add_(g, alpha=0.05)
            update = self.shared(g * 0.05 + m * 0.95)
            for (p, a, b), t, u in zip(group, turned, update):
                rows, columns = b - a, p.shape[1]
                p[a:b].mul_(1 - self.rate * factor * self.decay)
                p[a:b].add_(u.T if t else u, alpha=-self.rate * factor * max(1.0, rows / columns) ** 0.5)


def rate_factor(done, floor=0.02):
    """Warm-up, then cosine, over the share of the time budget that is done."""
    if done < 0.015:
        return done / 0.015
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.015) / 0.985)))


def save(path, model, average, optimisers, steps):
    state = {"model": model.state_dict(), "average": average, "adam": optimisers[1].state_dict(),
             "muon": optimisers[0].momentum, "steps": steps}
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def meet(model, workers, *numbers):
    """Averages the gradients, and some numbers, over the processes."""
    parameters = list(model.parameters())
    flat = torch.cat([p.grad.flatten() for p in parameters] + [torch.tensor(numbers)])
    if workers > 1:
        distributed.all_reduce(flat)
        flat /= workers
    at = 0
    for p in parameters:
        p.grad = flat[at:at + p.numel()].view_as(p)
        at += p.numel()
    return flat[at:].tolist()


def deepened(state, old, new):
    """The weights with `new` layers in place of `old`: each further layer copies the one before it and adds nothing yet, since
    the matrices that write its results are zero. They are put in from the last but one backwards."""
    order = list(range(old))
    for i in range(new - old):
        order.insert(old - 1 - i % (old - 2), order[old - 2 - i % (old - 2)])
    grown = {n: p for n, p in state.items() if not n.startswith("model.layers.")}
    for at, layer in enumerate(order):
        for name, p in state.items():
            if name.startswith(f"model.layers.{layer}."):
                adds = at and order[at - 1] == layer and name.endswith(("o_proj.weight", "down_proj.weight"))
                grown[name.replace(f".{layer}.", f".{at}.", 1)] = torch.zeros_like(p) if adds else p.clone()
    return grown


def begin(model, folder):
    """Fills `model` with the weights of exported files; layers and tokens that it has more begin with what changes least:
    tokens as the mean of the others."""
    old, _ = evaluate.load(folder)
    state = deepened(old.state_dict(), old.config.num_hidden_layers, model.config.num_hidden_layers)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        rows = state[name]
        more = model.config.vocab_size - rows.shape[0]
        state[name] = torch.cat([rows, rows.mean(0) + torch.randn(more, rows.shape[1]) * rows.std() * 0.3])
    model.load_state_dict(state)


def train(arguments):
    meeting = os.path.join(arguments.out, "meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    if arguments.workers == 1:
        work(0, arguments, meeting)
    else:
        multiprocessing.spawn(work, (arguments, meeting), nprocs=arguments.workers)


def work(rank, arguments, meeting):
    # Two processes that compile into one folder can read each other's half-written files.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(os.path.abspath(arguments.out), f"compiled-{rank}")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    if arguments.workers > 1:
        distributed.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=arguments.workers)
    tokenizer = Tokenizer.from_file(os.path.join(arguments.out, "tokenizer.json"))
    checkpoint = os.path.join(arguments.out, "checkpoint.pt")
    model = Phi3(Config(vocab_size=tokenizer.get_vocab_size(), num_hidden_layers=arguments.layers))
    if arguments.begin:
        begin(model, arguments.begin)
    muon = Muon(model, arguments.muon_rate, 0.05, rank, arguments.workers)
    inside = muon.parameters()
    adam = torch.optim.AdamW([p for p in model.parameters() if id(p) not in inside], lr=arguments.rate, betas=(0.9, 0.95), weight_decay=0.0)
    average, steps = {n: p.detach().clone() for n, p in model.named_parameters()}, 0
    if arguments.resume:
        state = torch.load(checkpoint)
        model.load_state_dict(state["average" if arguments.from_average else "model"])
        average, steps, muon.momentum = state["average"], state["steps"], state["muon"]
        adam.load_state_dict(state["adam"])
    shares = dict(data.SHARES)
    for item in arguments.raised:
        skill, value = item.split("=")
        shares[skill] = float(value)
    encoder, rng = encoding.Encoder(tokenizer), data.make_rng(arguments.seed + 1000 * steps + rank)
    run = torch.compile(model.hidden_and_pointer) if arguments.compile else model.hidden_and_pointer
    if rank == 0:
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters, shares {shares}", flush=True)

    began = saved = time.time()
    seen, total, lost, counted, first, done = 0, 0.0, 0.0, 0, steps, 0.0
    while done < 1:
        if done > arguments.long_from and steps % arguments.long_every == 0:
            batch = encoding.rows(encoder, rng, max(1, arguments.rows * LENGTH // LONG), LONG, shares, long_share=0.35)
        else:
            batch = encoding.rows(encoder, rng, arguments.rows, LENGTH, shares)
        tokens, targets, weights, documents, branches, positions, sources = (torch.from_numpy(x) for x in batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mask = block_mask(documents, branches)
            h, q, k = (run if tokens.shape[1] == LENGTH else model.hidden_and_pointer)(tokens, positions, mask)
            wanted = targets >= 0
            logits = model.lm_head(h[wanted])
        loss = (F.cross_entropy(logits.float(), targets[wanted], reduction="none") * weights[wanted]).sum() / weights.sum()
        pointing = pointer_loss(q, k, mask, sources)
        (loss + arguments.pointer * pointing).backward()
        mean, astray, done = meet(model, arguments.workers, loss.item(), pointing.item(), (time.time() - began) / (60 * arguments.minutes))
        factor = rate_factor(done) * arguments.scale
        torch.nn.utils.clip_grad_norm_(adam.param_groups[0]["params"], 1.0)
        adam.param_groups[0]["lr"] = arguments.rate * factor
        adam.step()
        muon.step(factor)
        model.zero_grad(set_to_none=True)
        steps, seen, total, lost, counted = steps + 1, seen + tokens.numel() * arguments.workers, total + mean, lost + astray, counted + 1
        if rank:
            continue
        with torch.no_grad():
            keep = min(0.995, (steps - first + 1) / (steps - first + 10))
            for n, p in model.named_parameters():
                average[n].lerp_(p, 1 - keep)
        if counted == 10:
            print(f"step {steps} {done:6.1%} loss {total / counted:.4f} pointer {lost / counted:.4f} {seen / (time.time() - began):.0f} tokens/s", flush=True)
            total, lost, counted = 0.0, 0.0, 0
        if time.time() - saved > 120 or done >= 1:
            saved = time.time()
            save(checkpoint, model, average, (muon, adam), steps)
    if rank == 0:
        print("finished", steps, "steps", seen, "tokens", flush=True)


def averaged_model(out):
    state = torch.load(os.path.join(out, "checkpoint.pt"))
    state["model"].update(state["average"])
    layers = 1 + max(int(n.split(".")[2]) for n in state["model"] if n.startswith("model.layers."))
    model = Phi3(Config(vocab_size=state["model"]["lm_head.weight"].shape[0], num_hidden_layers=layers))
    model.load_state_dict(state["model"])
    return model, state["steps"]


def export(out, to):
    os.makedirs(to, exist_ok=True)
    model, steps = averaged_model(out)
    tokenizer = os.path.join(out, "tokenizer.json")
    quantise.write(model, to)
    quantise.write_configs(model.config, Tokenizer.from_file(tokenizer), to)
    if os.path.abspath(out) != os.path.abspath(to):
        shutil.copy(tokenizer, os.path.join(to, "tokenizer.json"))
    print("wrote step", steps, {f: os.path.getsize(os.path.join(to, f)) for f in sorted(os.listdir(to))})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["tokenizer", "train", "evaluate", "export"])
    parser.add_argument("--out", help="folder of the tokenizer and the checkpoint")
    parser.add_argument("--files", help="evaluate: a folder of exported files")
    parser.add_argument("--to", default="../model", help="export: the folder to write")
    parser.add_argument("--vocabulary", type=int, default=768)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--rows", type=int, default=10, help="rows of 512 tokens in a step of each process")
    parser.add_argument("--workers", type=int, default=2, help="training processes")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--pointer", type=float, default=0.3, help="weight of the loss of the head that points to what is copied")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies both rates, for a warm restart")
    parser.add_argument("--long-from", type=float, default=0.6, help="share of the time after which long rows are mixed in")
    parser.add_argument("--long-every", type=int, default=8, help="every how many steps rows are long then")
    parser.add_argument("--raise", dest="raised", nargs="*", default=[], metavar="SKILL=SHARE")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--from-average", action="store_true")
    parser.add_argument("--begin", metavar="FOLDER", help="tokenizer, train: begin with the tokens or the weights of exported files")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="evaluate: prompts of up to 12,000 tokens instead")
    parser.add_argument("--arithmetic", action="store_true", help="evaluate: every sum, difference and product instead")
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    if arguments.command == "tokenizer":
        os.makedirs(arguments.out, exist_ok=True)
        path = os.path.join(arguments.out, "tokenizer.json")
        if arguments.begin:
            vocabulary.extend(os.path.join(arguments.begin, "tokenizer.json"), path)
        else:
            vocabulary.build(path, arguments.vocabulary)
    elif arguments.command == "train":
        train(arguments)
    elif arguments.command == "export":
        export(arguments.out, arguments.to)
    else:
        torch.set_num_threads(arguments.threads)
        folder = arguments.files
        if folder is None:
            folder = os.path.join(arguments.out, "exported")
            export(arguments.out, folder)
        if arguments.long:
            evaluate.report_long(folder)
        elif arguments.arithmetic:
            evaluate.report_arithmetic(folder)
        else:
            evaluate.report(folder, arguments.count)


if __name__ == "__main__":
    main()
