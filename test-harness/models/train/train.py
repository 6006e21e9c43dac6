#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Second step of making the tiny chat model: trains a Llama on what prepare.js
has written, and writes its weights under the names that Hugging Face uses.

One thread, some minutes: Debian's python3-torch and libopenblas0-pthread."""

import argparse
import json
import math
import pathlib
import random
import struct
import time

import torch
from torch import nn
from torch.nn import functional

OUTPUT = pathlib.Path(__file__).parents[3] / 'build' / 'tiny-chat'

# Tokens of a batch: conversations of about the same length.
BATCH_TOKENS = 4096
LEARNING_RATE = 3e-3
WARMUP_STEPS = 100
WEIGHT_DECAY = 0.05
GRADIENT_NORM = 1.0
REPORT_STEPS = 50


class Norm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return x * scale * self.weight


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def rotate(x, cos, sin):
    """RoPE with the two halves of a head as the pairs."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config['num_attention_heads']
        self.kv_heads = config['num_key_value_heads']
        self.size = config['head_dim']
        hidden = config['hidden_size']
        self.q_proj = linear(hidden, self.heads * self.size)
        self.k_proj = linear(hidden, self.kv_heads * self.size)
        self.v_proj = linear(hidden, self.kv_heads * self.size)
        self.o_proj = linear(self.heads * self.size, hidden)

    def split(self, x, heads):
        batch, length, _ = x.shape
        x = x.view(batch, length, heads, self.size).transpose(1, 2)
        return x

    def forward(self, x, cos, sin, mask):
        batch, length, _ = x.shape
        groups = self.heads // self.kv_heads
        q = rotate(self.split(self.q_proj(x), self.heads), cos, sin)
        k = rotate(self.split(self.k_proj(x), self.kv_heads), cos, sin)
        v = self.split(self.v_proj(x), self.kv_heads)
        k = k.repeat_interleave(groups, dim=1)
        v = v.repeat_interleave(groups, dim=1)
        scores = q @ k.transpose(2, 3) / math.sqrt(self.size) + mask
        mixed = functional.softmax(scores, dim=-1) @ v
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, middle = config['hidden_size'], config['intermediate_size']
        self.gate_proj = linear(hidden, middle)
        self.up_proj = linear(hidden, middle)
        self.down_proj = linear(middle, hidden)

    def forward(self, x):
        return self.down_proj(
            functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, epsilon = config['hidden_size'], config['rms_norm_eps']
        self.input_layernorm = Norm(hidden, epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = Norm(hidden, epsilon)
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = config['hidden_size']
        self.embed_tokens = nn.Embedding(config['vocab_size'], hidden)
        self.layers = nn.ModuleList(
            Layer(config) for _ in range(config['num_hidden_layers']))
        self.norm = Norm(hidden, config['rms_norm_eps'])


class Llama(nn.Module):
    """Output weights are the embeddings."""

    def __init__(self, config):
        super().__init__()
        self.model = Body(config)
        self.size = config['head_dim']
        self.theta = config['rope_theta']
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=config['initializer_range'])
            if name.endswith(('o_proj.weight', 'down_proj.weight')):
                weight.data /= math.sqrt(2 * config['num_hidden_layers'])

    def angles(self, length):
        steps = torch.arange(0, self.size, 2).float() / self.size
        angles = torch.outer(torch.arange(length).float(), self.theta ** -steps)
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def forward(self, ids, wanted):
        """Logits of the |wanted| positions."""
        length = ids.shape[1]
        cos, sin = self.angles(length)
        mask = torch.full((length, length), -1e9).triu(1)
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return self.model.norm(x[wanted]) @ self.model.embed_tokens.weight.T


def read_conversations():
    with open(OUTPUT / 'conversations.jsonl', encoding='utf-8') as lines:
        return [json.loads(line) for line in lines]


def cut_batches(conversations):
    """Conversations of about the same length share a batch."""
    conversations = sorted(
        conversations, key=lambda c: (len(c['ids']), random.random()))
    batches, batch = [], []
    for conversation in conversations:
        longest = len(conversation['ids'])
        if batch and longest * (len(batch) + 1) > BATCH_TOKENS:
            batches.append(batch)
            batch = []
        batch.append(conversation)
    random.shuffle(batches)
    return batches


def tensors(batch):
    """Inputs, which of their positions to learn from, and what follows."""
    longest = max(len(c['ids']) for c in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    wanted = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, conversation in enumerate(batch):
        ids[row, :len(conversation['ids'])] = torch.tensor(conversation['ids'])
        for start, end in conversation['said']:
            wanted[row, start - 1:end - 1] = True
    return ids[:, :-1], wanted[:, :-1], ids[:, 1:]


def rate(step, steps):
    """Rises, then falls along a cosine to a hundredth."""
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    done = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))


def optimizer_of(model):
    matrices = [w for w in model.parameters() if w.dim() > 1]
    vectors = [w for w in model.parameters() if w.dim() == 1]
    return torch.optim.AdamW(
        [{'params': matrices, 'weight_decay': WEIGHT_DECAY},
         {'params': vectors, 'weight_decay': 0}],
        lr=LEARNING_RATE, betas=(0.9, 0.98))


def train(model, conversations, epochs):
    optimizer = optimizer_of(model)
    batches = [b for _ in range(epochs) for b in cut_batches(conversations)]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate(step, len(batches)))
    start, total, right, seen = time.monotonic(), 0.0, 0, 0
    for step, batch in enumerate(batches, 1):
        ids, wanted, following = tensors(batch)
        logits = model(ids, wanted)
        loss = functional.cross_entropy(logits, following[wanted])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        total += loss.item()
        right += (logits.argmax(-1) == following[wanted]).sum().item()
        seen += len(logits)
        if step % REPORT_STEPS == 0 or step == len(batches):
            print(f'{step}/{len(batches)} loss {total / REPORT_STEPS:.4f} '
                  f'wrong {1 - right / seen:.5f} '
                  f'{time.monotonic() - start:.0f} s', flush=True)
            total, right, seen = 0.0, 0, 0


def write_weights(model, path):
    """The safetensors format: length of the header, header, data."""
    header, pieces, at = {}, [], 0
    for name, weight in sorted(model.state_dict().items()):
        data = weight.detach().contiguous().numpy().astype('<f4').tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(weight.shape),
                        'data_offsets': [at, at + len(data)]}
        pieces.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(pieces))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--epochs', type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    config = json.loads((OUTPUT / 'config.json').read_text(encoding='utf-8'))
    model = Llama(config)
    print(sum(w.numel() for w in model.parameters()), 'parameters')
    train(model, read_conversations(), options.epochs)
    write_weights(model, OUTPUT / 'model.safetensors')


if __name__ == '__main__':
    main()
