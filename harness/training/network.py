"""A list of layers with weights, as a torch module, and any torch module of such layers as one.

Its state is a JSON document and named arrays: it is stored and loaded without running anybody's code.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import UnsupportedModelError
from harness.training.layers import PICTURE, NetworkSpec, SpecLayer
from harness.training.torch_extra import functional, fx, nn, torch

_HINT = (
    "taken are Conv2d (groups of 1, or depthwise), BatchNorm2d, ReLU, ReLU6, Linear, MaxPool2d, AvgPool2d, "
    "AdaptiveAvgPool2d(1), mean over rows and columns, flatten, +, Dropout, Identity; others go through ONNX"
)


class TorchNetwork(nn.Module):  # type: ignore[misc]
    """The layers of a spec; pictures are [n, channels, height, width]."""

    def __init__(self, spec: NetworkSpec) -> None:
        """Weights are torch's own initial ones.

        Raises:
            GraphError: a layer does not fit what it reads.
        """
        super().__init__()
        spec.shapes()
        self.spec = spec
        made = {layer.name: _module(spec, layer) for layer in spec.layers}
        self.parts = nn.ModuleDict({name: module for name, module in made.items() if module is not None})
        self.observe: Callable[[str, Any], Any] | None = None
        """Called with each layer's name and output, and gives what is computed on with; the picture is ""."""

    def part(self, layer: SpecLayer | str) -> Any:
        """The torch module of a layer with weights."""
        return self.parts[layer if isinstance(layer, str) else layer.name]

    def forward(self, x: Any) -> Any:
        """Of [n, channels, height, width] the outputs of the last layer, [n, classes]."""
        return self.values(x)[len(self.spec.layers) - 1]

    def values(self, x: Any) -> dict[int, Any]:
        """Outputs of all layers by their numbers."""
        observe = self.observe or (lambda _, value: value)
        return self.continued({PICTURE: observe("", x)}, 0)

    def continued(self, values: Mapping[int, Any], start: int) -> dict[int, Any]:
        """The same where outputs of the layers before `start` are known."""
        observe = self.observe or (lambda _, value: value)
        found = {number: value for number, value in values.items() if number < start}
        for number, layer in enumerate(self.spec.layers[start:], start=start):
            made = self._computed(layer, [found[i] for i in layer.inputs])
            found[number] = observe(layer.name, made)
        return found

    def _computed(self, layer: SpecLayer, read: list[Any]) -> Any:
        x = read[0]
        match layer.kind:
            case "add":
                return sum(read[1:], start=x)
            case "relu":
                return functional.relu(x)
            case "relu6":
                return functional.relu6(x)
            case "global_pool":
                return x.mean((2, 3))
            case "flatten":
                return x.flatten(1)
            case "avg_pool":
                return functional.avg_pool2d(x, layer.kernel, layer.stride)
            case "max_pool":
                return functional.max_pool2d(_padded(x, layer, float("-inf")), layer.kernel, layer.stride)
            case "conv":
                return self.part(layer)(_padded(x, layer, 0.0))
            case _:
                return self.part(layer)(x)

    def clone(self) -> TorchNetwork:
        """The same network with weights of its own."""
        made: TorchNetwork = copy.deepcopy(self)
        return made


def _padded(x: Any, layer: SpecLayer, value: float) -> Any:
    top, bottom, left, right = layer.pads
    return functional.pad(x, (left, right, top, bottom), value=value) if any(layer.pads) else x


def _module(spec: NetworkSpec, layer: SpecLayer) -> Any:
    """The torch module with a layer's weights; None where it has none."""
    if layer.kind == "conv":
        size, groups = spec.channels_into(layer), layer.groups
        return nn.Conv2d(
            size, layer.outputs, layer.kernel, layer.stride, 0, layer.dilation, groups=groups, bias=layer.bias
        )
    if layer.kind == "dense":
        return nn.Linear(spec.channels_into(layer), layer.outputs, bias=layer.bias)
    if layer.kind == "norm":
        flat = layer.inputs[0] != PICTURE and len(spec.shapes()[layer.inputs[0]]) == 1
        return (nn.BatchNorm1d if flat else nn.BatchNorm2d)(spec.channels_into(layer))
    return None


def with_weights(spec: NetworkSpec, state: Mapping[str, Any]) -> TorchNetwork:
    """A network of a spec whose weights are those of a state_dict, in evaluation mode."""
    made = TorchNetwork(spec)
    made.load_state_dict(state)
    made.eval()
    return made


def network_of(module: Any, shape: tuple[int, int, int]) -> TorchNetwork:
    """A torch module as a TorchNetwork with the same weights, in evaluation mode; a TorchNetwork as it is.

    Args:
        module: over [n, channels, height, width].
        shape: (height, width, channels) of a picture.

    Raises:
        UnsupportedModelError: it has operators that are not taken, or its code cannot be traced.
    """
    if isinstance(module, TorchNetwork):
        return module
    try:
        own = isinstance(module, nn.Sequential) or not type(module).__module__.startswith("torch.nn.")
        traced = fx.symbolic_trace(module if own else nn.Sequential(module))
    except Exception as error:  # torch runs code of others here
        said = f"{type(module).__name__} cannot be traced: {error}"
        raise UnsupportedModelError(said, hint="leave out what depends on values, or go through ONNX") from None
    return _Tracing(traced, shape).network()


class _Tracing:
    """The nodes of a traced module, one by one."""

    def __init__(self, traced: Any, shape: tuple[int, int, int]) -> None:
        self._traced = traced
        self._modules = dict(traced.named_modules())
        self._shape = shape
        self._layers: list[SpecLayer] = []
        self._weights: dict[str, Any] = {}
        self._number: dict[Any, int] = {}

    def network(self) -> TorchNetwork:
        last = PICTURE
        for node in self._traced.graph.nodes:
            if node.op == "placeholder":
                self._number[node] = PICTURE
            elif node.op == "output":
                last = self._number[self._one(node)]
            elif node.op == "call_module":
                self._called(node, self._modules[node.target])
            else:
                self._function(node)
        if last != len(self._layers) - 1:
            raise UnsupportedModelError("the output is not what is computed last", hint=_HINT)
        made = TorchNetwork(NetworkSpec(self._shape, tuple(self._layers)))
        for name, module in self._weights.items():
            made.part(name).load_state_dict(module.state_dict())
            if hasattr(module, "eps"):
                made.part(name).eps = module.eps
        made.eval()
        return made

    def _one(self, node: Any) -> Any:
        given = node.args[0]
        return given[0] if isinstance(given, tuple | list) else given

    def _add(self, node: Any, kind: Any, **more: Any) -> None:
        inputs = tuple(self._number[one] for one in node.args if isinstance(one, fx.Node))
        base = str(node.target).replace(".", "_") if node.op == "call_module" else str(node.name)
        names = {layer.name for layer in self._layers}
        name = base if base not in names else f"{base}_{len(self._layers)}"
        self._layers.append(SpecLayer(name, kind, inputs, **more))
        self._number[node] = len(self._layers) - 1

    def _called(self, node: Any, module: Any) -> None:
        match module:
            case nn.Conv2d():
                self._conv(node, module)
            case nn.Linear():
                self._add(node, "dense", outputs=module.out_features, bias=module.bias is not None)
                self._weights[self._layers[-1].name] = module
            case nn.BatchNorm2d() | nn.BatchNorm1d() if module.affine and module.track_running_stats:
                self._add(node, "norm")
                self._weights[self._layers[-1].name] = module
            case nn.ReLU():
                self._add(node, "relu")
            case nn.ReLU6():
                self._add(node, "relu6")
            case nn.MaxPool2d() | nn.AvgPool2d() if _is_plain(module):
                self._pooled(node, module)
            case nn.AdaptiveAvgPool2d() if _pair(module.output_size) == (1, 1):
                self._add(node, "global_pool")
            case nn.Flatten() if (module.start_dim, module.end_dim) == (1, -1):
                self._flat(node)
            case nn.Dropout() | nn.Identity():
                self._number[node] = self._number[self._one(node)]
            case _:
                raise _untaken(node, repr(module))

    def _conv(self, node: Any, module: Any) -> None:
        groups = module.groups
        if groups not in (1, module.in_channels) or (groups > 1 and module.out_channels != module.in_channels):
            raise _untaken(node, repr(module))
        if module.padding_mode != "zeros":
            raise _untaken(node, repr(module))
        self._add(
            node,
            "conv",
            outputs=module.out_channels,
            kernel=_pair(module.kernel_size),
            stride=_pair(module.stride),
            dilation=_pair(module.dilation),
            pads=_pads(module),
            groups=groups,
            bias=module.bias is not None,
        )
        self._weights[self._layers[-1].name] = module

    def _pooled(self, node: Any, module: Any) -> None:
        kind = "max_pool" if isinstance(module, nn.MaxPool2d) else "avg_pool"
        rows, columns = _pair(module.padding)
        if kind == "avg_pool" and (rows or columns):
            raise _untaken(node, repr(module))
        pads = (rows, rows, columns, columns)
        self._add(node, kind, kernel=_pair(module.kernel_size), stride=_pair(module.stride), pads=pads)

    def _flat(self, node: Any) -> None:
        """A flatten; none of what is flat already, as a mean over rows and columns is."""
        source = self._number[self._one(node)]
        flat = source != PICTURE and self._layers[source].kind in ("global_pool", "flatten", "dense")
        if flat:
            self._number[node] = source
        else:
            self._add(node, "flatten")

    def _function(self, node: Any) -> None:
        target = node.target
        if target in (operator.add, torch.add, operator.iadd) and all(isinstance(one, fx.Node) for one in node.args):
            self._add(node, "add")
        elif target in (functional.relu, torch.relu, "relu"):
            self._add(node, "relu")
        elif target is functional.relu6:
            self._add(node, "relu6")
        elif target in (torch.flatten, "flatten") and (*node.args[1:], *node.kwargs.values()) == (1,):
            self._flat(node)
        elif target in (torch.mean, "mean") and _axes(node) in ((2, 3), (3, 2), (-1, -2), (-2, -1)):
            self._add(node, "global_pool")
        else:
            raise _untaken(node, str(target))


def _is_plain(pooling: Any) -> bool:
    return not pooling.ceil_mode and _pair(getattr(pooling, "dilation", 1)) == (1, 1)


def _axes(node: Any) -> tuple[int, ...]:
    given = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", ())
    return tuple(given) if isinstance(given, tuple | list) and not node.kwargs.get("keepdim") else ()


def _pair(value: Any) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, value)


def _pads(module: Any) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of a Conv2d."""
    if module.padding == "valid":
        return (0, 0, 0, 0)
    if module.padding == "same":
        kernel, dilation = _pair(module.kernel_size), _pair(module.dilation)
        rows, columns = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        return (rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    rows, columns = _pair(module.padding)
    return (rows, rows, columns, columns)


def _untaken(node: Any, what: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"'{node.name}', {what}, is not taken", hint=_HINT)
