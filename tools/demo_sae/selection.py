"""Which chats are trained on: token ids up to each category's share of the budget, without the held-out prompts."""
from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from .corpus import CATEGORIES, Chat

MAX_TOKENS = 700  # of a rendered chat


@dataclass
class Selection:
    head: list[int]  # ids that every chat begins with
    sequences: list[list[int]] = field(default_factory=list)  # ids of whole chats
    is_prompt: list[bool] = field(default_factory=list)  # the chat ends in the generation prompt
    categories: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> chats, tokens after the head

    @property
    def rendered(self) -> int:
        return sum(map(len, self.sequences))

    @property
    def computed(self) -> int:
        """Token positions after the head."""
        return self.rendered - len(self.head) * len(self.sequences)


def read_prompts(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line)["content"] for line in path.read_text("utf-8").splitlines() if line.strip()]
    return found


def template_ends(reader) -> tuple[list[int], list[int]]:
    """What the chat template puts before every message, and after it up to the generation prompt's end."""
    probe = reader.ids([reader.render(m) for m in ("a", "b")])
    head_length = next(i for i, (x, y) in enumerate(zip(*probe)) if x != y)
    return probe[0][:head_length], probe[0][head_length + 1:]  # <|im_end|> \n <|im_start|> ass istant \n


def select_chats(reader, chats: dict[str, list[Chat]], held_out: list[str], head: list[int], tokens: int) -> Selection:
    """Chats of every category in their order until its share of `tokens` (the head not counted) is reached."""
    held_out_set, seen, chosen = {p.strip() for p in held_out}, set(), Selection(head)
    for category, items in chats.items():
        budget, used, count = int(tokens * CATEGORIES[category][1]), 0, 0
        items = [(m, a) for m, a in items if m.strip() and "<|im_" not in m and "<|im_" not in (a or "")]
        ids = reader.ids([reader.render(m, a) for m, a in items])
        for (message, answer), sequence in zip(items, ids):
            key = (message.strip(), answer)
            if used >= budget:
                break
            if key in seen or key[0] in held_out_set or len(sequence) > MAX_TOKENS:
                continue
            seen.add(key)
            assert sequence[:len(head)] == head, message
            chosen.sequences.append(sequence)
            chosen.is_prompt.append(answer is None)
            used, count = used + len(sequence) - len(head), count + 1
        chosen.categories[category] = (count, used)
        print(f"  {category}: {count:,} chats, {used:,} of {budget:,} tokens", flush=True)
    assert not held_out_set & {message for message, _ in seen}, "a held-out prompt is a training message"
    print(f"{len(chosen.sequences):,} chats, {chosen.rendered:,} tokens rendered, head of {len(head)} tokens, "
          f"{chosen.computed:,} positions to compute; prompts held out: {len(held_out)}", flush=True)
    return chosen


def split_unseen(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the chats to train on, and of the twentieth that is kept out for measurement."""
    unseen = set(random.Random(seed).sample(range(count), count // 20))
    return [i for i in range(count) if i not in unseen], sorted(unseen)
