"""Makes games for the judge. The same seed and number always give the same game.

The number determines lambda, the long side, whether there is comfort, whether every household may also use the main
grid, and the number of households. 240 consecutive games have each combination once. Everything else is random: meter
resolution, the step of the energies, positions and temperatures. Large steps cause exact balances and equal payoffs. In
"balance" games, both sides draw their positions from the same few sizes. In half of these games, the buyers' sizes are
larger by up to three times the meter resolution, so that the energy left to the main grid is close to it.
"""

import random
from math import prod

LAMBDAS = ("1.25", "1.5", "2", "4", "10")
SIDES = ("surplus", "shortage", "balance")
MAX_PROFILES = 1500
MAX_STRATEGIES = 6

# Comfort models. `a` is at most 4 / (Tmax - Tmin)^2, so that C is at most 1.
COMFORTS = tuple(
    {"min_centi_c": lowest, "max_centi_c": highest, "a": a}
    for lowest, highest, a in (
        (1500, 2700, "1/36"),
        (1500, 2700, "0.02"),
        (1800, 2600, "1/16"),
        (1750, 2600, "0.05"),
        (2000, 2400, "1/4"),
    )
)


def make_game(seed, number):
    """Returns a short description of the game with this number, and its JSON document."""
    rng = random.Random(f"{seed}/{number}")
    rest, digit = divmod(number, len(LAMBDAS))
    lam = LAMBDAS[digit]
    rest, digit = divmod(rest, len(SIDES))
    side = SIDES[digit]
    rest, with_comfort = divmod(rest, 2)
    rest, may_use_main = divmod(rest, 2)
    count = 2 + rest % 4
    resolution = rng.choice((1, 10, 10, 100))
    sizes = position_sizes(rng, side, resolution)
    roles = [rng.choice((-1, 1)) for _ in range(count)]
    roles[0], roles[-1] = 1, -1
    rng.shuffle(roles)
    households = [
        make_household(rng, role, sizes[role], resolution, bool(with_comfort), bool(may_use_main)) for role in roles
    ]
    thin_out(rng, households)
    for household in households:
        household["strategies"] = [s for option in household.pop("options") for s in option]
    description = (
        f"{count} households, {side}, lambda {lam}, {'with' if with_comfort else 'without'} comfort, "
        f"{'main grid always possible' if may_use_main else 'arbitrary strategies'}"
    )
    return description, {"lambda": lam, "resolution_wh": resolution, "households": households}


def position_sizes(rng, side, resolution):
    """Returns the sizes in Wh from which the positions of sellers (key 1) and of buyers (key -1) are drawn."""
    grid = rng.choice((1, 10, 50, 250, 500, 1000))
    largest = rng.choice((1500, 4000, 9000))

    def some(most, count):
        return [grid * rng.randint(1, max(1, most // grid)) for _ in range(count)]

    if side == "balance":
        first, second = some(largest // 2, 2)
        common = [first, second, first + second, 2 * first, abs(first - second)]
        shift = rng.choice((0, rng.randint(1, 3 * resolution)))
        return {1: common, -1: [size + shift for size in common]}
    long, short = some(largest, 12), some(max(largest // 4, grid), 12)
    return {1: long, -1: short} if side == "surplus" else {1: short, -1: long}


def make_household(rng, role, sizes, resolution, with_comfort, may_use_main):
    model = rng.choice(COMFORTS) if with_comfort and rng.random() < 0.85 else None
    plans = [
        (position(rng, role, sizes, resolution), temperature(rng, model)) for _ in range(rng.randint(1, MAX_STRATEGIES))
    ]
    generation = max(0, *(x for x, _ in plans)) + rng.choice((0, rng.randint(1, 3000)))
    options = []
    for x, centi_c in plans:
        kinds = kinds_for(x, resolution)
        options.append(
            [
                {"kind": kind, "consumption_wh": generation - x, "temperature_centi_c": centi_c}
                for kind in (kinds if may_use_main else [rng.choice(kinds)])
            ]
        )
    while sum(len(option) for option in options) > MAX_STRATEGIES:
        options.pop()
    return {"generation_wh": generation, "comfort": model, "options": options}


def position(rng, role, sizes, resolution):
    chance = rng.random()
    if chance < 0.05:
        return 0
    if chance < 0.12:
        return role * rng.choice((1, max(1, resolution - 1), resolution, resolution + 1))
    if chance < 0.22:
        role = -role
    return role * rng.choice(sizes)


def temperature(rng, model):
    """Mostly inside the comfort range, sometimes at its ends or outside, where comfort is 0."""
    lowest, highest = (model["min_centi_c"], model["max_centi_c"]) if model else (1500, 2700)
    chance = rng.random()
    if chance < 0.04:
        return rng.choice((lowest, highest))
    if chance < 0.1:
        return rng.choice((lowest - 100, highest + 100))
    if chance < 0.5:
        return rng.randrange(lowest + 50, highest, 50)
    return rng.randint(lowest + 1, highest - 1)


def kinds_for(x, resolution):
    kinds = ["Neutral"] if abs(x) < resolution else []
    if x > 0:
        kinds += ["SellToCommunity", "SellToMain"]
    elif x < 0:
        kinds += ["BuyFromCommunity", "BuyFromMain"]
    return kinds


def thin_out(rng, households):
    """Removes options until the game has at most MAX_PROFILES profiles."""

    def strategies(household):
        return sum(len(option) for option in household["options"])

    while prod(strategies(household) for household in households) > MAX_PROFILES:
        household = rng.choice([h for h in households if len(h["options"]) > 1])
        household["options"].pop()
