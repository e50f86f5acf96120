"""How much expression there is in a head flow, and how much head motion in an expression flow.

A facial flow F is the sum of head flow H and expression flow E. An estimate of either part can be wrong in two ways:
its own motion is off, or motion of the other part has leaked into it. Endpoint errors do not tell these apart; the
projections here do.

**Expression in the head flow.** Let N be the space of all flows a H + A(x, y), where a is a number and A any affine
flow (u and v each linear in x and y): what an estimate of the head's motion may be, right or wrong, without any
knowledge of the expression. E' is what is left of the true expression flow E after the best fit by N is taken
out (least squares over the mask). For an estimated head flow P

    expression_in_head = <P, E'> / <E', E'>,

where <., .> sums over the components and pixels of the mask. It is the factor of E' in the least-squares fit of P by N
and E: for P = a H + A + b E it is b, whatever a and A. A head flow that is zero, too short or turned wrongly
has 0; a facial flow that is handed in as the head flow has 1.

**Head motion in the expression flow.** H' is what is left of H after the best multiple of E is taken out, and for an
estimated expression flow P

    head_in_expression = <P, H'> / <H', H'>.

For P = a E + b H it is b. Affine flows are not taken out here: they are just what a head leaves behind.

The energies are the squares of both factors: the share of the energy of E' (of H') that is found in the estimate. The
factors are linear in the estimate, so that noise without bias leaves them without bias, and their sign tells
too much taken out (below 0) from too little; but leaks of both signs cancel in a mean. Energies do not cancel.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ffbench.scores import Term

Field = npt.NDArray[np.float64]
_RESOLVED = 1e-9
"""Least share of a motion's energy that must be left after a projection; less is taken for none (round-off)."""


def expression_in_head(
    predicted_head: npt.ArrayLike, head: npt.ArrayLike, expression: npt.ArrayLike, mask: npt.NDArray[np.bool_]
) -> tuple[Term, Term]:
    """Measure the expression in an estimated head flow: factor, and energy in %.

    Args:
        predicted_head: (H, W, 2) estimated head flow in px.
        head, expression: (H, W, 2) the two true parts in px.
        mask: (H, W) bool, the pixels that count.

    Returns:
        Terms of the factor and of the energy. Their `count` is the energy <E', E'>, so that a mean over pairs is that
        over all of the expression's energy; it is 0 where the pair has no expression that N does not explain.

    >>> x, y = np.meshgrid(np.arange(8.0), np.arange(8.0))
    >>> head, expression = np.stack([0.1 * y, -0.1 * x], 2), np.stack([0 * x, np.sin(x)], 2)
    >>> mask = np.ones((8, 8), bool)
    >>> leaks = [expression_in_head(head + share * expression, head, expression, mask)[0] for share in (0, 0.25, 1)]
    >>> [round(leak.sum / leak.count, 6) + 0.0 for leak in leaks]
    [0.0, 0.25, 1.0]
    """
    position, true_head, true_expression = _position(mask), _inside(head, mask), _inside(expression, mask)
    rest = _without_affine(true_expression, position)
    bent = _without_affine(true_head, position)
    # What is left of a head flow that is affine is round-off, and no direction to project on.
    if _dot(bent, bent) > _RESOLVED * _dot(true_head, true_head):
        rest = rest - _share(rest, bent) * bent
    return _factor_and_energy(_inside(predicted_head, mask), rest, true_expression)


def head_in_expression(
    predicted_expression: npt.ArrayLike, head: npt.ArrayLike, expression: npt.ArrayLike, mask: npt.NDArray[np.bool_]
) -> tuple[Term, Term]:
    """Measure the head motion in an estimated expression flow: factor, and energy in %; see `expression_in_head`.

    >>> head, expression = np.full((4, 4, 2), (3.0, 0.0)), np.full((4, 4, 2), (0.0, 1.0))
    >>> factor, energy = head_in_expression(expression + 0.5 * head, head, expression, np.ones((4, 4), bool))
    >>> factor.sum / factor.count, energy.sum / energy.count
    (0.5, 25.0)
    """
    p, h, e = (_inside(flow, mask) for flow in (predicted_expression, head, expression))
    return _factor_and_energy(p, h - _share(h, e) * e, h)


def _factor_and_energy(predicted: Field, rest: Field, whole: Field) -> tuple[Term, Term]:
    energy = _dot(rest, rest)
    if energy <= _RESOLVED * _dot(whole, whole):
        return Term(0.0, 0.0), Term(0.0, 0.0)
    leak = _dot(predicted, rest)
    return Term(leak, energy), Term(100.0 * leak * leak / energy, energy)


def _inside(flow: npt.ArrayLike, mask: npt.NDArray[np.bool_]) -> Field:
    """Return the flow inside the mask as (2, N) float64."""
    array = np.asarray(flow)
    return np.stack([array[..., 0][mask], array[..., 1][mask]]).astype(np.float64)


def _position(mask: npt.NDArray[np.bool_]) -> Field:
    """Return orthonormal (3, N) functions that span 1, x and y over the mask; zero where it is too thin for them."""
    rows, columns = np.nonzero(mask)
    basis: list[Field] = []
    for values in (np.ones(len(rows)), columns.astype(np.float64), rows.astype(np.float64)):
        rest = values
        for known in [*basis, *basis]:  # twice: once leaves round-off of the order of the image's size
            rest = rest - _dot(rest, known) * known
        size = math.sqrt(_dot(rest, rest))
        basis.append(rest / size if size > _RESOLVED * math.sqrt(_dot(values, values)) else np.zeros(len(rows)))
    return np.stack(basis)


def _without_affine(flow: Field, position: Field) -> Field:
    for function in position:
        flow = flow - np.einsum("ci,i->c", flow, function)[:, None] * function
    return flow


def _share(flow: Field, other: Field) -> float:
    """Return the multiple of `other` that fits `flow` best."""
    energy = _dot(other, other)
    return _dot(flow, other) / energy if energy else 0.0


def _dot(a: Field, b: Field) -> float:
    # Not a BLAS product, whose last digits depend on the number of threads.
    return float(np.einsum("...i,...i->...", a, b).sum())
