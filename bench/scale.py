"""How a job of many machines grows: arithmetic, and a simulation with preemptions. Prints the tables of docs/scale.md.

    scale.py [--NAME VALUE ...]      every input can be given; `scale.py --help` lists them with their defaults

Inputs that were measured are those of docs/scale.md; the others are assumptions, and the help says which.
"""
from __future__ import annotations

import argparse
import random
import statistics
from dataclasses import dataclass, fields

FLOP_PER_MULTIPLICATION = 2
USUAL_ENCODE_TASKS = 16  # of the submission to Slurm


@dataclass(frozen=True)
class Inputs:
    # The workload: Llama-3.1-8B up to layer 15, SAEs of 131,072 features at two layers.
    prompts: float = 1e6
    tokens_per_prompt: float = 34.4  # measured: distinct tokens of the bench's prompts, 4,818 of 140
    token_types: float = 5
    layers: float = 2
    hidden: float = 4096
    features: float = 131072
    weights_of_block: float = 218.1e6  # multiplied for each token
    blocks: float = 16
    weight_bytes: float = 8.03e9  # read of the model: embeddings and 16 blocks in bfloat16
    row_bytes: float = 4  # of a number in the store; 2 with --store-dtype bf16
    # The machines.
    cores: float = 64
    forward_rate: float = 415e9  # measured: bfloat16 operations a second and core (two at work)
    encode_rate: float = 201e9  # measured: float32 operations a second and core (two at work)
    scaling: float = 0.7  # assumption: share of a core's rate that is left with 64 of them at work
    prepare: float = 14.4  # measured: seconds until a million prompts are tokenised and cut, one thread
    checksum_rate: float = 7e9  # measured: bytes a second, one thread
    # The shared file system.
    node_bandwidth: float = 2e9  # assumption: bytes a second that one node gets
    total_bandwidth: float = 20e9  # assumption: bytes a second of all nodes together
    # The engine.
    preemptions: float = 0.1  # assumption: of a task, an hour
    restart: float = 60  # assumption: seconds until a preempted task runs again
    wave_tokens: float = 8192
    seed: float = 1


@dataclass(frozen=True)
class StageTime:
    seconds: float  # of the slowest task, without preemptions
    compute: float
    read: float  # bytes that all tasks read of the shared file system
    written: float
    unit: float  # seconds of work that a preemption loses at most: a wave


def store_bytes(inputs: Inputs) -> float:
    return inputs.prompts * inputs.token_types * inputs.layers * inputs.hidden * inputs.row_bytes


def sae_bytes(inputs: Inputs) -> float:
    return inputs.layers * inputs.features * inputs.hidden * 4


def transfer(inputs: Inputs, nodes: int, bytes_of_all: float) -> float:
    return bytes_of_all / min(inputs.total_bandwidth, nodes * inputs.node_bandwidth)


def forward(inputs: Inputs, nodes: int) -> StageTime:
    tokens = inputs.prompts * inputs.tokens_per_prompt
    operations = FLOP_PER_MULTIPLICATION * inputs.weights_of_block * inputs.blocks * tokens
    rate = inputs.cores * inputs.scaling * inputs.forward_rate
    compute = operations / rate / nodes
    read, written = nodes * inputs.weight_bytes, store_bytes(inputs)
    # Weights are read ahead of the computation; a wave is written when it is complete.
    seconds = inputs.prepare + max(compute, transfer(inputs, nodes, read)) + transfer(inputs, nodes, written)
    return StageTime(seconds, compute, read, written, compute * nodes * inputs.wave_tokens / tokens)


def encode(inputs: Inputs, nodes: int) -> StageTime:
    rows = inputs.prompts * inputs.token_types * inputs.layers
    operations = FLOP_PER_MULTIPLICATION * rows * inputs.features * inputs.hidden
    rate = inputs.cores * inputs.scaling * inputs.encode_rate
    compute = operations / rate / nodes
    # A task reads the rows of the layers that its piece of the SAEs touches.
    layers_read = min(nodes * inputs.layers, nodes + inputs.layers - 1)
    of_store = store_bytes(inputs) / inputs.layers * layers_read
    read = of_store + sae_bytes(inputs)
    check = of_store / nodes / inputs.checksum_rate  # on one thread
    seconds = inputs.prepare + compute + transfer(inputs, nodes, read) + check
    waves = inputs.prompts * inputs.token_types / inputs.wave_tokens
    parts = inputs.layers * inputs.token_types * inputs.features * 24  # sum, maximum, minimum, count
    return StageTime(seconds, compute, read, parts, compute / waves)


def finish(inputs: Inputs) -> StageTime:
    parts = inputs.layers * inputs.token_types * inputs.features * 24
    return StageTime(inputs.prepare + transfer(inputs, 1, parts), 0, parts, 0, 0)


def with_preemptions(inputs: Inputs, stage: StageTime, nodes: int, generator: random.Random) -> float:
    """Seconds until the last task ends: each is preempted at random, waits, prepares again and does its last wave again."""
    ends = []
    for _ in range(nodes):
        left, clock = stage.seconds, 0.0
        while True:
            until = generator.expovariate(inputs.preemptions / 3600) if inputs.preemptions > 0 else float("inf")
            if until >= left:
                break
            done = max(0.0, until - inputs.prepare)
            lost = min(done, generator.random() * stage.unit)
            left -= done - lost
            clock += until + inputs.restart
        ends.append(clock + left)
    return max(ends)


def row(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |")


def gigabytes(amount: float) -> str:
    return f"{amount / 1e9:,.0f} GB" if amount >= 1e10 else f"{amount / 1e9:.1f} GB"


def tables(inputs: Inputs) -> None:
    generator = random.Random(int(inputs.seed))
    print(f"store: {gigabytes(store_bytes(inputs))}, {store_bytes(inputs) / inputs.prompts / 1024:.0f} KiB for each prompt; "
          f"SAEs: {gigabytes(sae_bytes(inputs))}\n")
    row(["nodes", "stage", "compute", "reads of all", "writes of all", "slowest task", "with preemptions (1 in 20 takes longer)", "a preemption loses"])
    row(["---"] * 8)
    for nodes in (1, 16, 64):
        total = simulated = 0.0
        encoders = min(nodes, USUAL_ENCODE_TASKS)
        for name, stage, tasks in (("forward", forward(inputs, nodes), nodes), ("encode", encode(inputs, encoders), encoders),
                                   ("finish", finish(inputs), 1)):
            ends = statistics.quantiles((with_preemptions(inputs, stage, tasks, generator) for _ in range(400)), n=20)[-1]
            total, simulated = total + stage.seconds, simulated + ends
            row([str(nodes), f"{name}, {tasks} task{'s' if tasks > 1 else ''}", f"{stage.compute:,.0f} s", gigabytes(stage.read), gigabytes(stage.written),
                 f"{stage.seconds:,.0f} s", f"{ends:,.0f} s", f"{stage.unit + inputs.prepare:.0f} s"])
        row([str(nodes), "all", "", "", "", f"{total:,.0f} s", f"{simulated:,.0f} s", ""])
    print("\nThe stage encode with other numbers of tasks, one on a node:\n")
    row(["tasks", "compute", "reads of all", "slowest task"])
    row(["---"] * 4)
    for tasks in (2, 4, 8, 16, 32, 64):
        stage = encode(inputs, tasks)
        row([str(tasks), f"{stage.compute:,.0f} s", gigabytes(stage.read), f"{stage.seconds:,.0f} s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for item in fields(Inputs):
        parser.add_argument(f"--{item.name.replace('_', '-')}", type=float, default=item.default, help="input")
    tables(Inputs(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
