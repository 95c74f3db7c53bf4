"""Awkward but legal models, each of which runs in plain PyTorch: what a capture must survive.

`PATTERNS` maps a name to a function that makes the model and its inputs: ``(model, args)`` or
``(model, args, kwargs)``.
"""

from __future__ import annotations

import math
import warnings
from collections import UserDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.checkpoint import checkpoint

PATTERNS: dict[str, Callable[[], tuple[Any, ...]]] = {}


def pattern(function: Callable[[], tuple[Any, ...]]) -> Callable[[], tuple[Any, ...]]:
    PATTERNS[function.__name__] = function
    return function


class Module(nn.Module):
    """A module whose forward is given as a function of itself and the inputs."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = forward

    def forward(self, x: Any) -> Any:
        return self.run(self, x)


X = torch.linspace(-1, 1, 8).reshape(2, 4)


def linear(a: int = 4, b: int = 4) -> nn.Linear:
    return nn.Linear(a, b)


@pattern
def called_three_times() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return m.relu(m.c(m.relu(m.b(m.relu(m.a(x))))))

    return Module(forward, a=linear(), b=linear(), c=linear(), relu=nn.ReLU()), (X,)


@pattern
def called_with_different_shapes() -> tuple[Any, ...]:
    return Module(lambda m, x: m.lin(x).sum() + m.lin(x[:1]).sum(), lin=linear()), (X,)


@pattern
def called_back_to_back() -> tuple[Any, ...]:
    return Module(lambda m, x: m.lin(m.lin(x)), lin=linear()), (X,)


@pattern
def one_instance_two_names() -> tuple[Any, ...]:
    lin = linear()
    return Module(lambda m, x: m.a(x) + m.b(x.neg()), a=lin, b=lin), (X,)


@pattern
def tied_weights() -> tuple[Any, ...]:
    embed, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
    head.weight = embed.weight
    tokens = torch.tensor([[1, 2, 3]])
    return Module(lambda m, x: m.head(m.embed(x)), embed=embed, head=head), (tokens,)


class KeywordsAndMore(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = linear()

    def forward(
        self, x: Any, mask: Any = None, mode: str = "mul", *, scale: Any, bias: Any = None
    ) -> Any:
        y = self.lin(x) * scale if mode == "mul" else self.lin(x) + scale
        return y if mask is None else y * mask


@pattern
def keywords_none_strings() -> tuple[Any, ...]:
    return KeywordsAndMore(), (X, None, "mul"), {"scale": torch.ones(4)}


@pattern
def keyword_only_tensor() -> tuple[Any, ...]:
    return KeywordsAndMore(), (), {"x": X, "mode": "add", "scale": torch.ones(4)}


@pattern
def dict_as_single_argument() -> tuple[Any, ...]:
    return (
        Module(lambda m, b: m.lin(b["image"]) * b["mask"], lin=linear()),
        ({"image": X, "mask": torch.ones(2, 4)},),
    )


@pattern
def user_dict_argument() -> tuple[Any, ...]:
    return (
        Module(lambda m, b: m.lin(b["image"]) * b["mask"], lin=linear()),
        (UserDict(image=X, mask=torch.ones(2, 4)),),
    )


@dataclass
class Batch:
    image: torch.Tensor
    mask: torch.Tensor


@pattern
def dataclass_argument() -> tuple[Any, ...]:
    return (
        Module(lambda m, b: m.lin(b.image) * b.mask, lin=linear()),
        (Batch(X, torch.ones(2, 4)),),
    )


@pattern
def dataclass_out_and_between() -> tuple[Any, ...]:
    inner = Module(lambda m, x: Batch(m.lin(x), x), lin=linear())
    outer = Module(lambda m, b: Batch(m.lin(b.image), b.mask.neg()), lin=linear())
    return Module(lambda m, x: m.outer(m.inner(x)), inner=inner, outer=outer), (X,)


@pattern
def model_output() -> tuple[Any, ...]:
    from transformers.modeling_outputs import BaseModelOutput

    inner = Module(lambda m, x: BaseModelOutput(last_hidden_state=m.lin(x)), lin=linear())
    return (
        Module(
            lambda m, x: BaseModelOutput(last_hidden_state=m.inner(x).last_hidden_state + x),
            inner=inner,
        ),
        (X,),
    )


@pattern
def distribution_output() -> tuple[Any, ...]:
    return (
        Module(
            lambda m, x: torch.distributions.Normal(m.mean(x), m.scale(x).exp()),
            mean=linear(),
            scale=linear(),
        ),
        (X,),
    )


@pattern
def packed_lstm() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        packed = pack_padded_sequence(x, torch.tensor([5, 3]), batch_first=True)
        out, _ = m.lstm(packed)
        return m.head(pad_packed_sequence(out, batch_first=True)[0])

    lstm = nn.LSTM(4, 6, batch_first=True)
    return Module(forward, lstm=lstm, head=linear(6, 2)), (torch.randn(2, 5, 4),)


@pattern
def data_dependent_break() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        for _ in range(5):
            x = m.lin(x)
            if x.abs().sum() < 100:
                break
        return x

    return Module(forward, lin=linear()), (X,)


@pattern
def time_loop() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        hidden = torch.zeros(x.shape[0], 6)
        for step in range(x.shape[1]):
            hidden = m.cell(x[:, step], hidden)
        return hidden

    return Module(forward, cell=nn.GRUCell(4, 6)), (torch.randn(2, 3, 4),)


@pattern
def in_place_module() -> tuple[Any, ...]:
    return Module(lambda m, x: m.relu(m.lin(x)) + 1, lin=linear(), relu=nn.ReLU(True)), (X,)


@pattern
def in_place_result_unused() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.lin(x)
        y.mul_(m.scale)
        F.relu(y, inplace=True)
        return y

    return Module(forward, lin=linear(), scale=nn.Parameter(torch.ones(4))), (X,)


@pattern
def in_place_module_result_unused() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.lin(x)
        m.relu(y)
        return y + 1

    return Module(forward, lin=linear(), relu=nn.ReLU(inplace=True)), (X,)


@pattern
def augmented_assignment() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.a(x)
        y += m.b(x)
        y *= 2
        return y

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def slice_assignment() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        out = torch.zeros(2, 8)
        out[:, :4] = m.a(x)
        out[:, 4:] = m.b(x)
        return out

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def writing_into_a_view() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        out = torch.zeros(2, 4)
        out[:, :2].copy_(m.a(x))
        return out * 2

    return Module(forward, a=linear(4, 2)), (X,)


@pattern
def writing_behind_a_view() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        seen = m.a(x).t()
        seen[0].add_(m.b(x)[:, 0])
        return seen

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def writing_under_a_view() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        under = m.a(x)
        seen = under.view(4, 2)
        under.add_(m.b(x))
        return seen

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def writing_beside_a_view() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.a(x)
        left, right = y[:, :2], y[:, 2:]
        left.add_(m.b(x)[:, :2])
        return right, left * 2

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def writing_past_autograd() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.a(x)
        y.data.mul_(2)
        return m.b(y)

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def in_place_module_on_a_view() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.a(x)
        m.relu(y.view(-1))
        return m.b(y)

    return Module(forward, a=linear(), b=linear(), relu=nn.ReLU(inplace=True)), (X,)


@pattern
def writing_into_out() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y, out = m.a(x).detach(), torch.empty(2, 4)
        torch.add(y, x, out=out)
        return m.b(out), y

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def turning_in_place() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.a(x)
        y.t_()
        seen = y.squeeze()
        y.unsqueeze_(0)
        return seen, y

    return Module(forward, a=linear()), (X,)


@pattern
def differentiated_by_its_input() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        gradient, value = torch.func.grad_and_value(lambda t: m.a(t).sin().sum())(x)
        return m.b(gradient), value

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def pulled_back() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        value, pull = torch.func.vjp(lambda t: m.a(t).sin(), x)
        return m.b(pull(torch.ones_like(value))[0])

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def jacobian() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return m.b(torch.func.jacrev(lambda t: m.a(t).sin().sum(0))(x)).sum()

    return Module(forward, a=linear(), b=linear()), (X,)


@pattern
def differentiated_by_its_weights() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        def loss(weights: Any) -> Any:
            return torch.func.functional_call(m.a, weights, (x,)).sin().sum()

        weights = dict(m.a.named_parameters())
        gradients = torch.func.grad(loss)(weights)
        return x @ gradients["weight"].T + gradients["bias"]

    return Module(forward, a=linear()), (X,)


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = linear(), linear()

    def forward(self, x: Any, y: Any, z: Any = None) -> Any:
        return self.a(x) + self.b(y[0]) + z


@pattern
def one_tensor_for_several_inputs() -> tuple[Any, ...]:
    return TwoInputs(), (X, [X]), {"z": X}


@pattern
def functional_with_module_weight() -> tuple[Any, ...]:
    return Module(lambda m, x: F.linear(x, m.lin.weight), lin=linear()), (X,)


@pattern
def bare_parameter() -> tuple[Any, ...]:
    return Module(
        lambda m, x: x @ m.w + m.b, w=nn.Parameter(torch.ones(4, 3)), b=nn.Parameter(torch.zeros(3))
    ), (X,)


@pattern
def module_in_plain_list() -> tuple[Any, ...]:
    return Module(lambda m, x: m.hidden[0](m.lin(x)), lin=linear(), hidden=[linear()]), (X,)


@pattern
def forward_called_directly() -> tuple[Any, ...]:
    return Module(lambda m, x: m.lin.forward(x).relu(), lin=linear()), (X,)


class TwoMethods(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = linear(), linear()

    def encode(self, x: Any) -> Any:
        return self.encoder(x).relu()

    def forward(self, x: Any) -> Any:
        return self.decoder(self.encode(x))


@pattern
def method_other_than_forward() -> tuple[Any, ...]:
    return TwoMethods().encode, (X,)


@pattern
def plain_function() -> tuple[Any, ...]:
    lin = linear()

    def function(x: Any) -> Any:
        return lin(x).relu()

    return function, (X,)


@pattern
def identity() -> tuple[Any, ...]:
    return nn.Sequential(nn.Identity()), (X,)


@pattern
def input_returned() -> tuple[Any, ...]:
    return Module(lambda m, x: x), (X,)


@pattern
def same_tensor_twice() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = m.lin(x)
        return y, y

    return Module(forward, lin=linear()), (X,)


@pattern
def tensor_times_itself() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        h = m.lin(x)
        return h * h

    return Module(forward, lin=linear()), (X,)


class UnusedInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin, self.never = linear(), linear(3, 5)

    def forward(self, x: Any, ignored: Any) -> Any:
        return self.lin(x)


@pattern
def unused_input_and_module() -> tuple[Any, ...]:
    return UnusedInput(), (X, torch.ones(3))


class NoInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin, self.queries = linear(), nn.Parameter(torch.ones(2, 4))

    def forward(self) -> Any:
        return self.lin(self.queries)


@pattern
def no_tensor_input() -> tuple[Any, ...]:
    return NoInput(), ()


@pattern
def tensors_from_numpy() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        table = torch.from_numpy(np.arange(4, dtype=np.float32))
        return m.lin(x) * table

    return Module(forward, lin=linear()), (X,)


@pattern
def through_numpy() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        scale = float(np.abs(x.detach().numpy()).max())
        return m.lin(x) * scale

    return Module(forward, lin=linear()), (X,)


@pattern
def checkpointed() -> tuple[Any, ...]:
    return (
        Module(
            lambda m, x: checkpoint(m.b, m.a(x), use_reentrant=False).sum(),
            a=linear(),
            b=nn.Sequential(linear(), nn.ReLU()),
        ),
        (X,),
    )


@pattern
def checkpointed_reentrant() -> tuple[Any, ...]:
    return (
        Module(
            lambda m, x: checkpoint(m.b, m.a(x), use_reentrant=True).sum(),
            a=linear(),
            b=nn.Sequential(linear(), nn.ReLU()),
        ),
        (X,),
    )


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


@pattern
def custom_autograd_function() -> tuple[Any, ...]:
    return Module(lambda m, x: Cube.apply(m.lin(x)).sum(), lin=linear()), (X,)


@pattern
def parametrised_weight() -> tuple[Any, ...]:
    return nn.Sequential(parametrizations.weight_norm(linear()), nn.ReLU()), (X,)


@pattern
def spectral_norm_weight() -> tuple[Any, ...]:
    return nn.Sequential(parametrizations.spectral_norm(linear()), nn.ReLU()), (X,)


@pattern
def hook_that_changes_the_output() -> tuple[Any, ...]:
    model = nn.Sequential(linear(), nn.ReLU(), linear())
    model[0].register_forward_hook(lambda module, args, output: output[:, :4] * 2)
    return model, (X,)


@pattern
def no_grad_and_detach() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        with torch.no_grad():
            target = m.teacher(x)
        return m.student(x) - target + m.student(x).detach()

    return Module(forward, teacher=linear(), student=linear()), (X,)


@pattern
def autocast() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return m.lin(x).relu()

    return Module(forward, lin=linear()), (X,)


@pattern
def scaled_dot_product() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        q, k, v = m.qkv(x).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v)

    return Module(forward, qkv=linear(4, 12)), (torch.randn(2, 5, 4),)


@pattern
def multi_head_attention() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return m.attention(x, x, x)[0]

    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    return Module(forward, attention=attention), (torch.randn(2, 5, 8),)


@pattern
def transformer_encoder_in_eval() -> tuple[Any, ...]:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2).eval(), (torch.randn(2, 5, 8),)


@pattern
def complex_and_fft() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        spectrum = torch.fft.rfft(m.lin(x)) * m.gain
        return torch.fft.irfft(spectrum, n=4)

    gain = nn.Parameter(torch.ones(3, dtype=torch.complex64))
    return Module(forward, lin=linear(), gain=gain), (X,)


@pattern
def sparse() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return torch.sparse.mm(m.adjacency, m.lin(x))

    adjacency = torch.eye(2).to_sparse()
    return Module(forward, lin=linear(), adjacency=adjacency), (X,)


@pattern
def nested_tensor() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        nested = torch.nested.as_nested_tensor([m.lin(x), m.lin(x[:1])])
        return torch.nested.to_padded_tensor(nested.relu(), 0.0)

    return Module(forward, lin=linear()), (X,)


@pattern
def vmapped() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return torch.vmap(lambda row: row * m.scale)(m.lin(x))

    return Module(forward, lin=linear(), scale=nn.Parameter(torch.ones(4))), (X,)


@pattern
def vmapped_over_a_parameter() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        return torch.vmap(lambda weight: F.linear(x, weight))(m.weights)

    return Module(forward, weights=nn.Parameter(torch.ones(3, 4, 4))), (X,)


@pattern
def weights_made_by_another_module() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        weight = m.hyper(x.mean(0)).view(4, 4)
        inner = {"0.weight": weight, "2.bias": m.other.bias}
        return torch.func.functional_call(m.net, inner, (x,))

    net = nn.Sequential(linear(), nn.ReLU(), linear())
    return Module(forward, net=net, hyper=linear(4, 16), other=linear()), (X,)


@pattern
def weights_given_to_attention() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        inner = {"out_proj.weight": m.other.weight * 2}
        return torch.func.functional_call(m.attention, inner, (x[None], x[None], x[None]))[0]

    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    return Module(forward, attention=attention, other=linear()), (X,)


@pattern
def one_step_of_learning() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        def loss(weights: Any) -> Any:
            return torch.func.functional_call(m.net, weights, (x,)).square().mean()

        weights = dict(m.net.named_parameters())
        slopes = torch.func.grad(loss)(weights)
        fast = {name: weight - 0.1 * slopes[name] for name, weight in weights.items()}
        return torch.func.functional_call(m.net, fast, (x,))

    return Module(forward, net=linear()), (X,)


@pattern
def ensemble_of_weights() -> tuple[Any, ...]:
    shell = [linear().to("meta")]  # In a list: no module of the network's own.

    def forward(m: Any, x: Any) -> Any:
        call = torch.vmap(lambda weights: torch.func.functional_call(shell[0], weights, (x,)))
        return call(dict(m.weights)).mean(0)

    weights, _ = torch.func.stack_module_state([linear() for _ in range(3)])
    held = {name: nn.Parameter(weight.detach()) for name, weight in weights.items()}
    return Module(forward, weights=nn.ParameterDict(held)), (X,)


@pattern
def slope_of_an_input() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        x = x.detach().requires_grad_(True)
        y = m.lin(x).tanh()
        (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return y, slope

    return Module(forward, lin=linear()), (X,)


@pattern
def lazy_modules() -> tuple[Any, ...]:
    return nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(2)), (X,)


@pattern
def on_meta() -> tuple[Any, ...]:
    with torch.device("meta"):
        model = nn.Sequential(linear(), nn.ReLU(), linear())
        return model, (torch.empty(2, 4),)


@pattern
def compiled_in_place() -> tuple[Any, ...]:
    inner = nn.Sequential(linear(), nn.ReLU())
    inner.compile()
    return nn.Sequential(inner, linear()), (X,)


@pattern
def compiled() -> tuple[Any, ...]:
    return torch.compile(nn.Sequential(linear(), nn.ReLU())), (X,)


@pattern
def scripted() -> tuple[Any, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It is deprecated; there are many such files.
        return torch.jit.script(nn.Sequential(linear(), nn.ReLU(), linear())), (X,)


@pattern
def exported() -> tuple[Any, ...]:
    return torch.export.export(nn.Sequential(linear(), nn.ReLU(), linear()), (X,)), ()


@pattern
def graph_module() -> tuple[Any, ...]:
    return torch.fx.symbolic_trace(nn.Sequential(linear(), nn.ReLU(), linear())), (X,)


@pattern
def einsum_and_einops() -> tuple[Any, ...]:
    from einops import rearrange

    def forward(m: Any, x: Any) -> Any:
        y = torch.einsum("bi,oi->bo", x, m.w)
        return rearrange(y, "b (h w) -> b h w", h=2)

    return Module(forward, w=nn.Parameter(torch.ones(4, 4))), (X,)


@pattern
def function_as_attribute() -> tuple[Any, ...]:
    return Module(lambda m, x: m.act(m.lin(x)), lin=linear(), act=F.gelu), (X,)


@pattern
def activation_shared_by_all() -> tuple[Any, ...]:
    act = nn.GELU()
    return nn.Sequential(*(nn.Sequential(linear(), act) for _ in range(3))), (X,)


@pattern
def module_list_slices() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        for each in m.items[:2]:
            x = each(x)
        return m.items[-1](x)

    return Module(forward, items=nn.ModuleList(linear() for _ in range(4))), (X,)


@pattern
def reused_container() -> tuple[Any, ...]:
    block = nn.Sequential(linear(), nn.ReLU())
    return Module(lambda m, x: m.block(m.block(x) + x), block=block), (X,)


@pattern
def size_arithmetic() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        batch, features = x.size()
        y = x.view(batch, 2, features // 2).transpose(1, 2).reshape(x.shape[0], -1)
        return m.lin(y) / math.sqrt(features)

    return Module(forward, lin=linear()), (X,)


@pattern
def three_hundred_blocks() -> tuple[Any, ...]:
    return nn.Sequential(*(nn.Sequential(linear(), nn.ReLU()) for _ in range(300))), (X,)


@pattern
def lstm_states() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        out, (h, c) = m.lstm(x)
        return out.sum() + h[-1].sum() * c.sum()

    return Module(forward, lstm=nn.LSTM(4, 6, 2)), (torch.randn(3, 2, 4),)


@pattern
def buffer_updated() -> tuple[Any, ...]:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = linear()
            self.register_buffer("seen", torch.zeros(()))
            self.last: Any = None
            self.history: list[Any] = []

        def forward(self, x: Any) -> Any:
            self.seen += 1
            y = self.lin(x)
            self.last = y
            self.history.append(y)
            return y / self.seen

    return Counting(), (X,)


@pattern
def dropout_in_training() -> tuple[Any, ...]:
    return nn.Sequential(linear(), nn.Dropout(0.5), nn.BatchNorm1d(4), nn.ReLU()).train(), (X,)


@pattern
def dropout_residual_in_eval() -> tuple[Any, ...]:
    def forward(m: Any, x: Any) -> Any:
        y = F.dropout(x, 0.5, training=False)
        return x + m.lin(y)

    return Module(forward, lin=linear()), (X,)


@pattern
def batch_norm_of_one() -> tuple[Any, ...]:
    return nn.Sequential(linear(), nn.BatchNorm1d(4)).train(), (X[:1],)
