"""One training step beside PyTorch's: the very program that `main` runs.

    python -m benchmarks.train_step --objective=minimax --batch=32 --json=result.json
    python -m benchmarks.train_step --objective=wgan_gp

A step is all discriminator updates (five for wgan_gp) and the generator's. Both sides have a
process of their own and work in turns. `ratio` is PyTorch's time divided by ours, above 1 where
ours is faster; with --compile the faster of eager and torch.compile counts.

    python -m benchmarks.train_step --work=sample --num=10000

compares drawing so many images, each with the discriminator's score, as `synthesize` does.
"""

from absl import app, flags

from benchmarks import options, rounds

_COMPILE = flags.DEFINE_bool("compile", False, "Whether torch.compile takes part too.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "Turns of each side.", lower_bound=7)
_STEPS = flags.DEFINE_integer("steps", 4, "Steps in a turn.", lower_bound=1)
_NUM = flags.DEFINE_integer("num", 10_000, "Images in a turn of --work=sample.", lower_bound=1)
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def main(arguments: list[str]) -> None:
    """Runs the comparison."""
    shared = options.command_line()
    commands = {"ours": ["benchmarks.ours", *shared], "torch": ["benchmarks.peer", *shared]}
    if _COMPILE.value:
        commands["torch_compile"] = [*commands["torch"], "--compile"]
    result = rounds.alternate(
        commands,
        units=_STEPS.value if options.WORK.value == "train" else _NUM.value,
        rounds=_ROUNDS.value,
        threads=options.THREADS.value,
    )
    rounds.add_ratios(result, [name for name in commands if name != "ours"])
    rounds.write_result({**options.values(), **result}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
