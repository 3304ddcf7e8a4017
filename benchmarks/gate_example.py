"""The worked example of docs/gate.md: a checkpoint that passes its gate, then fails it, then is accepted.

Run from the repository's root: `python -m benchmarks.gate_example`. Prints the session as the page shows it:
commands, standard output, what the gate says, and exit codes; the lines of progress are left out. A test
holds the page against it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

_ROOT = Path(__file__).parents[1]
_TEXT = ["the gate of a release is closed until somebody has read what was found", "and opened it by name"]
_GATE = "forensics tokens release --overwrite --fail-on warning"


def write_release(folder: Path) -> None:
    """Write a small, sound tokenizer with the files of a release around it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_TEXT, trainer)
    tokenizer.add_special_tokens([AddedToken("<eos>", special=True), AddedToken("<pad>", special=True)])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"eos_token": "<eos>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names), "utf-8")
    write_pad(folder, "<pad>")


def write_pad(folder: Path, token: str) -> None:
    """Let the model's configuration say which token pads."""
    ids = json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    number = {entry["content"]: entry["id"] for entry in ids}
    config = {"eos_token_id": number["<eos>"], "pad_token_id": number[token]}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


def show(command: str, folder: Path) -> None:
    """Run a command line and print it with what a person reads of its answer."""
    arguments = [sys.executable, "-m", *command.split()]
    env = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(arguments, cwd=folder, env=env, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if line.startswith(("failed", "warning", "error"))]
    shown = [done.stdout.rstrip()] if done.stdout else []
    print(f"$ {command}; echo $?", *shown, *said, done.returncode, sep="\n", end="\n\n")


def main() -> None:
    """Print the session."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_release(folder / "release")
        show(_GATE, folder)
        print("(config.json is changed: it pads with <eos>)\n")
        write_pad(folder / "release", "<eos>")
        show(f"{_GATE} --write-accepted accepted.toml --sarif findings.sarif", folder)
        accepted = folder / "accepted.toml"
        print(f"$ cat accepted.toml\n{accepted.read_text('utf-8')}")
        show(f"{_GATE} --accepted accepted.toml", folder)
        print("(the reason is filled in)\n")
        reason = 'reason = "the trainer masks padding; fixed in the next release"'
        accepted.write_text(accepted.read_text("utf-8").replace('reason = ""', reason), "utf-8")
        show(f"{_GATE} --accepted accepted.toml", folder)
        print("(config.json is mended)\n")
        write_pad(folder / "release", "<pad>")
        show(f"{_GATE} --accepted accepted.toml", folder)


if __name__ == "__main__":
    main()
