"""Any order that keeps the dependences computes the same and is clean; one that breaks one is caught.

WAVESIM_REORDERS sets how many orders each kernel gets: ``make reorders`` takes 1,000 in all.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping

import pytest
from reorders import prepared

from benchmarks.tune import random_order
from wavesim.isa.kinds import Kind
from wavesim.tuning.dependence import LDS, REGISTER
from wavesim.tuning.proof import Original, failure
from wavesim.tuning.schedule import Schedule, Scheduler, each_block
from wavesim.tuning.variant import Variant

COUNT = int(os.environ.get("WAVESIM_REORDERS", "2"))
KERNELS: dict[str, Mapping[str, str]] = {
    "8wave.yaml": {"K": "256"},
    "4wave.yaml": {"K": "256"},
    "8wave_pingpong.yaml": {"K": "256"},
    "8wave_256.yaml": {"K": "256"},
    "fp8_triple_buffer.yaml": {"K": "512"},
    "hip/8wave.hip": {},
    "triton/matmul_gfx942.s": {},
    "lessons/double_buffer.yaml": {},
    "lessons/interleaved.yaml": {},
    "lessons/single_buffer.yaml": {},
    "lessons/stepwise_waits.s": {},
    "lessons/strong_wait.s": {},
    "lessons/two_waves.s": {},
    "lessons/two_waves_prio.s": {},
    "lessons/zero_waits.s": {},
    "lessons/mfma_chain.s": {},
    "lessons/mfma_two_chains.s": {},
}


@pytest.mark.parametrize("name", KERNELS)
def test_random_legal_orders_compute_the_same_and_are_clean(name: str) -> None:
    original, variants = prepared(name, KERNELS[name])
    assert original.check.good
    generator = random.Random(name)
    for number in range(COUNT):
        variant = variants[number % len(variants)]
        order = random_order(variant.scheduler.order, generator)
        levels = generator.choice(((), (1, 2), (3, 4)))
        assert failure(original, variant, order, variant.recipe(order, levels)) == "", (variant.name, order)


def test_staggered_waves_complete_their_accesses_at_every_barrier() -> None:
    """8wave_256 has half of its waves a barrier behind: this order was once a race, for a write that nothing
    met in its own wave's next phase was still open there."""
    original, variants = prepared("8wave_256.yaml", {"K": "256"})
    order = random_order(variants[0].scheduler.order, random.Random(1))
    assert failure(original, variants[0], order, variants[0].recipe(order)) == ""


@pytest.fixture(scope="module")
def small() -> tuple[Original, Variant]:
    original, variants = prepared("8wave.yaml", {"K": "256"})
    return original, variants[0]


def turned_round(variant: Variant, reason: str) -> list[int]:
    """The order as it is with one pair turned round that must stay in order for this reason."""
    pairs = [pair for pair, why in variant.scheduler.order.why.items() if why == reason]
    first, second = min(pairs, key=lambda pair: (pair[1] - pair[0], pair))
    order = variant.as_it_is
    order[first], order[second] = order[second], order[first]
    return order


@pytest.mark.parametrize("reason", [REGISTER, LDS, "barrier"])
def test_an_order_that_breaks_a_dependence_is_refused(small: tuple[Original, Variant], reason: str) -> None:
    original, variant = small
    order = turned_round(variant, reason)
    assert "turned round" in failure(original, variant, order, variant.recipe(order))


@pytest.mark.parametrize("reason", [REGISTER, LDS, "barrier"])
def test_without_the_dependences_the_execution_catches_it(
    small: tuple[Original, Variant], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof does not rest on the dependences alone: the numbers or a finding show the same."""
    original, variant = small
    order = turned_round(variant, reason)
    recipe = variant.recipe(order)
    monkeypatch.setattr(type(variant.scheduler.order), "broken", lambda self, order: None)
    assert failure(original, variant, order, recipe)


def test_left_out_waits_are_found_missing(
    small: tuple[Original, Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, variant = small
    schedule = Scheduler.schedule

    def without(self: Scheduler, order: list[int]) -> Schedule:
        return each_block(
            schedule(self, order), lambda pieces: [each for each in pieces if each[1].opcode != "s_waitcnt"]
        )

    monkeypatch.setattr(Scheduler, "schedule", without)
    said = failure(original, variant, variant.as_it_is, variant.recipe(variant.as_it_is))
    assert said.startswith(("missing-wait", "lds-race", "it leaves other numbers"))


def test_matrix_work_may_pass_a_barrier_and_accesses_to_lds_may_not(small: tuple[Original, Variant]) -> None:
    _, variant = small
    kinds = [entry.kind for entry in variant.entries]
    order = variant.scheduler.order
    barrier = kinds.index(Kind.BARRIER)
    assert not any(barrier in order.before[n] for n, kind in enumerate(kinds) if kind is Kind.MFMA)
    lds = [n for n, kind in enumerate(kinds) if kind in (Kind.LDS_READ, Kind.LDS_WRITE)]
    assert lds
    assert all(barrier in order.before[n] | order.after[n] for n in lds)
