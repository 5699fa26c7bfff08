"""Small networks of PyTorch, written as ONNX by both exporters: torch_networks.py FOLDER WAY-OPSET[-open]...

Run by a Python that has torch (tests/frameworks.txt), not by the one of the tests. FOLDER gets NAME.WAY-OPSET.onnx and
NAME.npz, inputs x0, x1 ... and what PyTorch computes of them, y0, y1 ...; refused.json says what an exporter refused.
WAY is `script` (TorchScript) or `export` (torch.export); "open" leaves the batch open.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class Residual(nn.Module):
    """A depthwise and a 1x1 convolution beside the input."""

    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU6(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return F.relu6(x + self.layers(x))


class Last(nn.Module):
    """A recurrent layer over a sequence, and a dense one on its last step."""

    def __init__(self, kind, width=8, **options):
        super().__init__()
        self.layer, self.dense = kind(6, 8, batch_first=True, **options), nn.Linear(width, 3)

    def forward(self, x):
        return self.dense(self.layer(x)[0][:, -1])


class Carried(nn.Module):
    """One step, or some, of a network that hears on: the state is input and output."""

    def __init__(self):
        super().__init__()
        self.layer, self.dense = nn.GRU(6, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x, state):
        y, state = self.layer(x, state)
        return self.dense(y), state


class Causal(nn.Module):
    """Dilated convolutions over the past."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(4 if i == 0 else 8, 8, 3, dilation=2**i) for i in range(3))
        self.last = nn.Conv1d(8, 2, 1)

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            y = F.relu(layer(F.pad(x, (2 * 2**i, 0))))
            x = y if i == 0 else x + y
        return self.last(x)[:, :, -1]


class Encoder(nn.Module):
    """A layer of PyTorch's transformer, positions added."""

    def __init__(self, **options):
        super().__init__()
        self.dense, self.places = nn.Linear(16, 16), nn.Parameter(torch.randn(1, 12, 16) * 0.1)
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, **options)
        self.norm, self.last = nn.LayerNorm(16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(self.norm(self.layer(self.dense(x) + self.places)).mean(1))


class Attention(nn.Module):
    """PyTorch's multi-head attention."""

    def __init__(self):
        super().__init__()
        self.attention, self.norm = nn.MultiheadAttention(16, 2, batch_first=True), nn.LayerNorm(16)

    def forward(self, x):
        return self.norm(x + self.attention(x, x, x, need_weights=False)[0])


class Block(nn.Module):
    """A transformer's block as people write it: one product for queries, keys and values, GELU by tanh."""

    def __init__(self, causal=False):
        super().__init__()
        self.causal = causal
        self.three, self.out, self.norm = nn.Linear(16, 48), nn.Linear(16, 16), nn.LayerNorm(16)
        self.dense = nn.Sequential(nn.Linear(16, 32), nn.GELU(approximate="tanh"), nn.Linear(32, 16))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.three(self.norm(x)).view(b, t, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x + self.dense(x)


class Patches(nn.Module):
    """A picture as a sequence of patches, with a class token."""

    def __init__(self):
        super().__init__()
        self.patches, self.token = nn.Conv2d(1, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16))
        self.places, self.block, self.last = nn.Parameter(torch.randn(1, 17, 16)), Block(), nn.Linear(16, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.last(self.block(x)[:, 0])


class Squeezed(nn.Module):
    """Squeeze and excitation, hard-swish, SiLU."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Hardswish())
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Hardsigmoid()
        )
        self.last = nn.Sequential(nn.Conv2d(8, 8, 1), nn.SiLU())

    def forward(self, x):
        x = self.first(x)
        return self.last(x * self.weights(x)).amax((2, 3))


class Unet(nn.Module):
    """Down, up and joined."""

    def __init__(self, up):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.c = up, nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(F.max_pool2d(a, 2)))
        return torch.sigmoid(self.c(torch.cat([a, self.up(b)], 1)))


class Crnn(nn.Module):
    """Convolutions over a spectrogram, then a GRU over its columns."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.layer, self.last = nn.GRU(20, 8, batch_first=True), nn.Linear(8, 4)

    def forward(self, x):
        return self.last(self.layer(self.first(x).permute(0, 2, 1, 3).flatten(2))[0][:, -1, :])


class Shuffled(nn.Module):
    """Channels split, convolved in part and shuffled; then a larger picture."""

    def __init__(self):
        super().__init__()
        self.c, self.d = nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(8, 4, 1)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = torch.cat([a, self.c(b)], 1)
        n, c, h, w = y.shape
        y = y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return F.pixel_shuffle(self.d(y), 2).clamp(0, 1)


class Statistics(nn.Module):
    """Mean and deviation over time, gated, normalized."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(12, 8)

    def forward(self, x):
        return F.normalize(F.glu(self.dense(torch.cat([x.mean(-1), x.std(-1)], 1))), dim=-1)


def _cnn():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), Residual(8), Residual(8),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5), nn.Softmax(-1),
    )  # fmt: skip


def _flat():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(72, 10),
        nn.LogSoftmax(1),
    )  # fmt: skip


def _mlp():
    return nn.Sequential(
        nn.Linear(20, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 8),
        nn.LeakyReLU(), nn.Linear(8, 3),
    )  # fmt: skip


def _conv1d(i, o, stride=1, groups=1, kernel=3, dilation=1):
    padding = dilation * (kernel // 2)
    conv = nn.Conv1d(i, o, kernel, stride, padding=padding, groups=groups, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(o), nn.ReLU())


def _kws():
    return nn.Sequential(
        _conv1d(10, 16, 2), _conv1d(16, 16, groups=16, kernel=9), _conv1d(16, 24, kernel=1),
        _conv1d(24, 24, dilation=2), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(24, 12),
    )  # fmt: skip


def _activations():
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, padding="same"), nn.PReLU(8), nn.Conv2d(8, 8, 3, stride=2), nn.ELU(), nn.AvgPool2d(3, 1, 1),
        nn.Mish(), nn.Conv2d(8, 8, 1, groups=2), nn.GroupNorm(2, 8), nn.Softplus(), nn.InstanceNorm2d(8, affine=True),
        nn.Hardtanh(), nn.ZeroPad2d(1), nn.SELU(), nn.Conv2d(8, 2, (5, 1)), nn.Flatten(), nn.Linear(10, 3),
    )  # fmt: skip


def _up(mode, **options):
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode, **options), nn.Conv2d(8, 4, 3, padding=1))


_TWICE = {"width": 16, "bidirectional": True, "num_layers": 2}

NETWORKS = {
    "cnn": (_cnn, (1, 3, 16, 16)),
    "flat": (_flat, (1, 1, 8, 8)),
    "mlp": (_mlp, (1, 20)),
    "lstm": (lambda: Last(nn.LSTM), (1, 10, 6)),
    "gru": (lambda: Last(nn.GRU), (1, 10, 6)),
    "rnn": (lambda: Last(nn.RNN), (1, 10, 6)),
    "lstm_twice": (lambda: Last(nn.LSTM, **_TWICE), (1, 10, 6)),
    "gru_twice": (lambda: Last(nn.GRU, **_TWICE), (1, 10, 6)),
    "carried": (Carried, (1, 4, 6), (1, 1, 8)),
    "kws": (_kws, (1, 10, 49)),
    "causal": (Causal, (1, 4, 32)),
    "encoder": (lambda: Encoder(norm_first=True, activation="gelu"), (1, 12, 16)),
    "encoder_after": (Encoder, (1, 12, 16)),
    "attention": (Attention, (1, 12, 16)),
    "block": (Block, (1, 12, 16)),
    "masked_block": (lambda: Block(causal=True), (1, 12, 16)),
    "patches": (Patches, (1, 1, 16, 16)),
    "squeezed": (Squeezed, (1, 4, 8, 8)),
    "unet": (lambda: Unet(nn.ConvTranspose2d(8, 4, 2, 2)), (1, 1, 16, 16)),
    "nearest": (lambda: Unet(_up("nearest")), (1, 1, 16, 16)),
    "bilinear": (lambda: Unet(_up("bilinear", align_corners=False)), (1, 1, 16, 16)),
    "activations": (_activations, (1, 4, 8, 8)),
    "crnn": (Crnn, (1, 1, 20, 10)),
    "shuffled": (Shuffled, (1, 8, 8, 8)),
    "statistics": (Statistics, (1, 6, 20)),
}
"""Name -> what makes the network, shapes of its inputs."""


def seeded(make):
    """A network with statistics of its batch norms, in use."""
    torch.manual_seed(0)
    net = make()
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            for values, low, high in (
                (module.running_mean, -0.3, 0.3), (module.running_var, 0.5, 1.5), (module.weight.data, 0.5, 1.5),
            ):  # fmt: skip
                values.uniform_(low, high)
    return net.eval()


def export(net, inputs, file, mode):
    """Writes the ONNX file of a mode."""
    way, opset, *opened = mode.split("-")
    names = [f"in{i}" for i in range(len(inputs))]
    options = {"input_names": names, "opset_version": int(opset), "dynamo": way == "export"}
    if way == "export":
        options |= {"external_data": False, "verbose": False}
    if opened and way == "script":
        options["dynamic_axes"] = {names[0]: {0: "batch"}}
    elif opened:
        first = {0: torch.export.Dim.DYNAMIC}
        options["dynamic_shapes"] = tuple(first if i == 0 else None for i in range(len(inputs)))
        inputs = (torch.cat([inputs[0], inputs[0]]), *inputs[1:])  # of one, torch.export would take the size for fixed
    torch.onnx.export(net, inputs, str(file), **options)


def main(folder, modes):
    """Writes all networks in all modes."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    refused = {}
    for name, (make, *shapes) in NETWORKS.items():
        net, rng = seeded(make), np.random.default_rng(0)
        arrays = [rng.normal(size=shape).astype("float32") for shape in shapes]
        inputs = tuple(map(torch.from_numpy, arrays))
        with torch.no_grad():
            outputs = net(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        named = {f"x{i}": x for i, x in enumerate(arrays)} | {f"y{i}": y.numpy() for i, y in enumerate(outputs)}
        np.savez(folder / f"{name}.npz", **named)
        for mode in modes:
            try:
                export(net, inputs, folder / f"{name}.{mode}.onnx", mode)
            except Exception as error:
                refused[f"{name}.{mode}"] = f"{type(error).__name__}: {error}"[:400]
    (folder / "refused.json").write_text(json.dumps(refused, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
