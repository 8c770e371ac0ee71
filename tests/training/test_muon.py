from __future__ import annotations

import pytest
import torch
from torch import nn

from gen.errors import SettingError
from gen.training.optimising.muon import MuonAdamW, orthogonalised


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trained(optimizer_of, shapes, steps: int = 20) -> list[torch.Tensor]:
    """Parameters after steps with gradients from a seed."""
    parameters = [nn.Parameter(draw(*shape, seed=i)) for i, shape in enumerate(shapes)]
    optimizer = optimizer_of(parameters)
    for step in range(steps):
        for i, parameter in enumerate(parameters):
            parameter.grad = draw(*shapes[i], seed=100 + step * 10 + i)
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


def adamw_group(parameters) -> list[dict]:
    return [{"params": parameters, "lr": 0.01, "weight_decay": 0.1, "orthogonal": False}]


def muon_group(parameters, lr: float = 0.1, decay: float = 0.0) -> list[dict]:
    return [{"params": parameters, "lr": lr, "weight_decay": decay, "orthogonal": True}]


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 8, 40), (2, 40, 8)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    matrices = draw(*shape)
    result = orthogonalised(matrices, 5)
    assert result.shape == matrices.shape
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6
    assert values.max() < 1.25
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    inside = left.mT @ result @ right.mT  # diagonal where the directions are kept
    off = inside - torch.diag_embed(inside.diagonal(dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-4


def test_matrices_of_one_batch_never_meet():
    matrices = draw(4, 6, 9)
    alone = torch.cat([orthogonalised(m[None], 5) for m in matrices])
    torch.testing.assert_close(orthogonalised(matrices, 5), alone)


def test_a_gradient_of_zero_moves_nothing():
    assert not orthogonalised(torch.zeros(1, 4, 4), 5).any()


def test_the_adamw_part_is_torchs_adamw():
    shapes = [(4, 5), (7,), (2, 3, 4)]
    found = trained(lambda p: MuonAdamW(adamw_group(p), betas=(0.9, 0.95)), shapes)
    expected = trained(
        lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.95), weight_decay=0.1), shapes
    )
    torch.testing.assert_close(found, expected)


def test_the_muon_part_is_torchs_muon_but_for_its_half_precision():
    shapes = [(8, 16), (16, 8), (8, 16), (12, 12)]
    found = trained(lambda p: MuonAdamW(muon_group(p, 0.01, 0.1), iterations=5), shapes)
    expected = trained(
        lambda p: torch.optim.Muon(
            p, lr=0.01, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        shapes,
    )
    for ours, theirs, shape, seed in zip(found, expected, shapes, range(4), strict=True):
        moved = (theirs - draw(*shape, seed=seed)).norm()
        assert (ours - theirs).norm() < 0.03 * moved


def test_a_muon_step_has_the_size_of_an_adamw_step():
    for shape in ((64, 64), (32, 256), (256, 32)):
        (after,) = trained(lambda p: MuonAdamW(muon_group(p, 0.1)), [shape], steps=1)
        step = after - draw(*shape)
        assert 0.013 < step.square().mean().sqrt() < 0.024  # 0.2 of the rate, give or take


def test_weight_decay_shrinks_towards_zero_apart_from_the_gradient():
    for group in (muon_group, adamw_group):
        parameter = nn.Parameter(draw(4, 4))
        before = parameter.detach().clone()
        optimizer = MuonAdamW([{**group([parameter])[0], "lr": 0.5, "weight_decay": 0.2}])
        parameter.grad = torch.zeros(4, 4)
        optimizer.step()
        torch.testing.assert_close(parameter.detach(), before * 0.9)


def test_parameters_without_gradient_stay():
    parameters = [nn.Parameter(draw(3, 3)), nn.Parameter(draw(3, 3, seed=1))]
    before = parameters[1].detach().clone()
    optimizer = MuonAdamW(muon_group(parameters))
    parameters[0].grad = draw(3, 3)
    optimizer.step()
    assert torch.equal(parameters[1].detach(), before)
    assert not torch.equal(parameters[0].detach(), draw(3, 3))


def test_both_groups_learn_to_fit():
    torch.manual_seed(0)
    x, target = draw(64, 8), draw(64, 4, seed=1)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
    matrices = [p for p in model.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if p.ndim != 2]
    optimizer = MuonAdamW([*muon_group(matrices, 0.05), *adamw_group(rest)])

    def closure():
        optimizer.zero_grad()
        loss = (model(x) - target).square().mean()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(150)]
    assert losses[-1] < 0.3 * losses[0]


def test_a_saved_state_goes_on_to_the_last_bit():
    def build() -> tuple[list[nn.Parameter], MuonAdamW]:
        parameters = [nn.Parameter(draw(4, 6)), nn.Parameter(draw(5))]
        return parameters, MuonAdamW([*muon_group(parameters[:1]), *adamw_group(parameters[1:])])

    def run(parameters, optimizer, steps: range) -> None:
        for step in steps:
            parameters[0].grad, parameters[1].grad = draw(4, 6, seed=step), draw(5, seed=step)
            optimizer.step()

    straight, optimizer = build()
    run(straight, optimizer, range(6))
    first, optimizer = build()
    run(first, optimizer, range(3))
    second, resumed = build()
    resumed.load_state_dict(optimizer.state_dict())
    for new, old in zip(second, first, strict=True):
        new.data.copy_(old.data)
    run(second, resumed, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(straight, second, strict=True))


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)])
def test_what_is_no_matrix_is_refused_for_muon(shape):
    with pytest.raises(SettingError, match="optimizer: Muon takes matrices only"):
        MuonAdamW(muon_group([nn.Parameter(torch.zeros(shape))]))
