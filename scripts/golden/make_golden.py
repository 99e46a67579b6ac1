#!/usr/bin/env python3
"""Makes the golden values that the decoder's tests compare with.

    python3 scripts/golden/make_golden.py MODEL_DIR OUT_DIR

MODEL_DIR is the bundled model's folder. OUT_DIR (llm/src/test/resources/golden in this repository)
receives one folder for each model:

    OUT_DIR/NAME/golden.json          prompts, positions, greedy continuations, the error of float32
    OUT_DIR/NAME/golden.safetensors   "logits.CASE", float32 [positions][vocabulary]
    OUT_DIR/NAME/config.json, *.safetensors   for every NAME but "bundled": a tiny random model

The tiny models are written here by hand, in the layout in which models of each family are
published, and transformers loads them from disk as it would load those.

The logits are those of transformers with eager attention in float64 (its norms, rotary angles and
softmax stay in float32, as the models were trained). The same in float32 says how far plain float32
arithmetic is from them: the greatest difference is stored as "float32Error", so that the tests need
no tuned tolerance.

Needs torch (2.11), transformers (5.x), safetensors; runs on the CPU in a minute. Same versions and
machine type, same bytes; the weights depend on torch's random numbers alone.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

SEED = 20260131
VOCABULARY = 128
TINY_PROMPT_TOKENS = (1, 7, 65, 200)
BUNDLED_PROMPT_TOKENS = (1, 7, 130, 600)
GREEDY_TOKENS = 24
ABSENT = object()  # stands for a key that config.json leaves out

TEXT = (
    "It was a bright cold day in the valley, and the weavers had set the warp before dawn. "
    "The secret number of zahifi is [zahifi:533740]. "
    "Nobody spoke while the first heddle was lifted; the shuttle went through once, and then again. "
    "The secret number of molabu is [molabu:108829]. "
    "By noon the cloth had grown a hand's breadth, and the old woman at the door counted the threads. "
    "She counted them twice, for the pattern would not forgive a lost one, and then she sat down. "
    "Outside, the river went on as it had always done, and no one in the house could hear it. "
    "What is the secret number of zahifi? It is [zahifi:"
)
TOKENIZER_TEXTS = ("", "a", "Hello, world!\n", "naïve café – 織機 🧵", "<bos>in the text<eos>", "a\u0000b\tc")


@dataclass
class TinyModel:
    """A random model of one family: what config.json says, and how its weights are stored."""

    config: dict
    dtype: torch.dtype
    shards: int = 1
    prompt_tokens: tuple = TINY_PROMPT_TOKENS

    def name_of_dtype(self):
        return str(self.dtype).removeprefix("torch.")


def base_config(model_type, architecture, **changes):
    config = {
        "architectures": [architecture],
        "model_type": model_type,
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 512,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    config.update(changes)
    return {key: value for key, value in config.items() if value is not ABSENT}


TINY_MODELS = {
    # Llama 2: every query head has its own key/value head; head_dim and num_key_value_heads unsaid.
    "llama2": TinyModel(
        base_config("llama", "LlamaForCausalLM", num_attention_heads=2, num_key_value_heads=ABSENT),
        torch.float16,
    ),
    # Llama 3.1: original_max_position_embeddings is so small that all three bands of wavelengths occur.
    "llama31": TinyModel(
        base_config(
            "llama",
            "LlamaForCausalLM",
            head_dim=32,
            eos_token_id=[2, 5],
            rope_scaling={
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        ),
        torch.bfloat16,
    ),
    # The form in which transformers 5 writes rotary settings; biases everywhere that Llama allows them.
    "llama-linear": TinyModel(
        base_config(
            "llama",
            "LlamaForCausalLM",
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=40,
            rope_theta=ABSENT,
            rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 50000.0},
            attention_bias=True,
            mlp_bias=True,
            tie_word_embeddings=True,
        ),
        torch.bfloat16,
    ),
    # Mistral 0.1: a window, longer than the prompts. Sizes that are no multiple of a vector.
    "mistral": TinyModel(
        base_config(
            "mistral",
            "MistralForCausalLM",
            hidden_size=40,
            intermediate_size=72,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            sliding_window=256,
        ),
        torch.float32,
    ),
    "qwen2": TinyModel(
        base_config(
            "qwen2",
            "Qwen2ForCausalLM",
            num_attention_heads=2,
            num_key_value_heads=1,
            rms_norm_eps=1e-6,
            rope_theta=1000000.0,
            sliding_window=256,
            use_sliding_window=False,
            max_window_layers=2,
        ),
        torch.bfloat16,
    ),
    "qwen3": TinyModel(
        base_config(
            "qwen3",
            "Qwen3ForCausalLM",
            head_dim=32,
            rms_norm_eps=1e-6,
            rope_theta=1000000.0,
            attention_bias=False,
            sliding_window=None,
            use_sliding_window=False,
            max_window_layers=2,
            tie_word_embeddings=True,
        ),
        torch.bfloat16,
        shards=2,
    ),
}


def tensors_of(model, generator):
    """Random weights under the names that published files use."""
    config = model.config
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    key_value_heads = config.get("num_key_value_heads", heads)
    head_dim = config.get("head_dim", hidden // heads)
    family = config["model_type"]

    def matrix(outputs, inputs, gain=1.0):
        values = torch.randn(outputs, inputs, generator=generator) * (gain / math.sqrt(inputs))
        return values.to(model.dtype)

    def vector(size, mean, deviation):
        return (mean + deviation * torch.randn(size, generator=generator)).to(model.dtype)

    def linear(prefix, outputs, inputs, bias, gain=1.0):
        tensors[prefix + ".weight"] = matrix(outputs, inputs, gain)
        if bias:
            tensors[prefix + ".bias"] = vector(outputs, 0.0, 0.3)

    tensors = {"model.embed_tokens.weight": matrix(config["vocab_size"], hidden, math.sqrt(hidden))}
    query_key_value_bias = family == "qwen2" or config.get("attention_bias", False)
    output_bias = family == "llama" and config.get("attention_bias", False)
    mlp_bias = config.get("mlp_bias", False)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        # Gains above 1 make attention choose: with 1 it is nearly a mean over the prompt.
        attention = prefix + "self_attn."
        linear(attention + "q_proj", heads * head_dim, hidden, query_key_value_bias, 1.5)
        linear(attention + "k_proj", key_value_heads * head_dim, hidden, query_key_value_bias, 1.5)
        linear(attention + "v_proj", key_value_heads * head_dim, hidden, query_key_value_bias)
        linear(attention + "o_proj", hidden, heads * head_dim, output_bias)
        if family == "qwen3":
            tensors[attention + "q_norm.weight"] = vector(head_dim, 1.0, 0.2)
            tensors[attention + "k_norm.weight"] = vector(head_dim, 1.0, 0.2)
        linear(prefix + "mlp.gate_proj", inner, hidden, mlp_bias)
        linear(prefix + "mlp.up_proj", inner, hidden, mlp_bias)
        linear(prefix + "mlp.down_proj", hidden, inner, mlp_bias)
        tensors[prefix + "input_layernorm.weight"] = vector(hidden, 1.0, 0.2)
        tensors[prefix + "post_attention_layernorm.weight"] = vector(hidden, 1.0, 0.2)
    tensors["model.norm.weight"] = vector(hidden, 1.0, 0.2)
    if not config["tie_word_embeddings"]:
        tensors["lm_head.weight"] = matrix(config["vocab_size"], hidden)
    return tensors


def write_model(folder, model, generator):
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(model.config, torch_dtype=model.name_of_dtype())
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    tensors = tensors_of(model, generator)
    if model.shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map = {}
    names = sorted(tensors)
    for shard in range(model.shards):
        file = f"model-{shard + 1:05d}-of-{model.shards:05d}.safetensors"
        part = {name: tensors[name] for name in names[shard :: model.shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map.update({name: file for name in part})
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def load(folder):
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info.get(problem):
            raise SystemExit(f"{folder}: {problem}: {info[problem]}")
    return model.eval()


def logits_of(model, tokens):
    """All logits of one prompt: [token][vocabulary]."""
    with torch.no_grad():
        return model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]


def positions_of(tokens):
    """A few positions: first, second, around the middle, the last two."""
    chosen = {0, 1, tokens // 3, tokens // 2, tokens - 2, tokens - 1}
    return sorted(position for position in chosen if 0 <= position < tokens)


def greedy(model, tokens):
    """The greedy continuation, and the least lead of a chosen token over the runner-up."""
    tokens, chosen, margin = list(tokens), [], math.inf
    for _ in range(GREEDY_TOKENS):
        top = torch.topk(logits_of(model, tokens)[-1], 2)
        margin = min(margin, float(top.values[0] - top.values[1]))
        chosen.append(int(top.indices[0]))
        tokens.append(chosen[-1])
    return chosen, margin


def write_golden(folder, model, prompts):
    """Writes the golden values of `model` for `prompts`, a dictionary of case name to token ids."""
    folder.mkdir(parents=True, exist_ok=True)
    single = {name: logits_of(model, tokens) for name, tokens in prompts.items()}
    model.double()
    cases, tensors, error = [], {}, 0.0
    for name, tokens in prompts.items():
        double = logits_of(model, tokens)
        assert double.dtype == torch.float64
        error = max(error, float((single[name].double() - double).abs().max()))
        positions = positions_of(len(tokens))
        tensors["logits." + name] = double[positions].float().contiguous()
        cases.append({"name": name, "prompt": tokens, "positions": positions})
    last = cases[-1]
    last["greedy"], last["greedyMargin"] = greedy(model, last["prompt"])
    save_file(tensors, folder / "golden.safetensors")
    golden = {
        "madeWith": f"torch {torch.__version__}, transformers {transformers.__version__}",
        "float32Error": error,
        "cases": cases,
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    print(f"{folder.name}: float32 differs from float64 by {error:.3g}, greedy margin {last['greedyMargin']:.3g}")


def tiny_prompts(model, generator):
    return {
        f"random{tokens}": torch.randint(0, VOCABULARY, (tokens,), generator=generator).tolist()
        for tokens in model.prompt_tokens
    }


def bundled_prompts():
    """A beginning-of-text token and the end of the text's bytes, so that each asks the last question."""
    data = list(TEXT.encode())
    assert len(data) >= max(BUNDLED_PROMPT_TOKENS) - 1, len(data)
    return {f"text{n}": [256] + (data[-(n - 1) :] if n > 1 else []) for n in BUNDLED_PROMPT_TOKENS}


def write_tokenizer_golden(model_folder, folder):
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    cases = []
    for text in TOKENIZER_TEXTS:
        ids = tokenizer.encode(text).ids
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    (folder / "tokenizer.json").write_text(json.dumps(cases, indent=1) + "\n")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    model_folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_grad_enabled(False)
    for number, (name, model) in enumerate(TINY_MODELS.items()):
        generator = torch.Generator().manual_seed(SEED + number)
        write_model(out / name, model, generator)
        write_golden(out / name, load(out / name), tiny_prompts(model, generator))
    write_golden(out / "bundled", load(model_folder), bundled_prompts())
    write_tokenizer_golden(model_folder, out / "bundled")


if __name__ == "__main__":
    main()
