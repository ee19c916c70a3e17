"""The game of one community in one era, written for the judge from the text of the paper.

Source: Ouyang, Yan and Zhu, "Research on new energy trading system based on blockchain", ACM TURC 2021, eq. (1) and
eq. (2). Where the paper leaves a choice, this follows the market's specification. It shares no code with the solver. A
game is the JSON document that `docs/game.md` describes under "The command".

Units: energies are integers in Wh in the JSON and exact fractions of Wh here; eq. (1) takes them in kWh. Temperatures
are hundredths of a degree Celsius in the JSON and degrees in eq. (2). Payoffs are compared as u = log2 mu, which orders
strategies as mu does. Minus infinity stands for mu = 0.

Position x = generation - consumption: positive for a surplus, negative for a deficit.

Pool: S is the sum of the sellers' x, B the sum of the buyers' |x|, V = min(S, B). The long side is rationed pro rata:
E_in = x V / S for a seller, E_in = x V / B for a buyer, 0 outside the pool. So a buyer's E_in is below zero ("a
negative value if energy is obtained from other participants"). E_main = x - E_in.

Eq. (2), comfort: C = -a (T - Tmin) (T - Tmax) for T inside (Tmin, Tmax), 0 outside. C = 1 without a comfort range.

Eq. (1), payoff: mu = lambda^E_in * C / |E_main| if |E_main| is at least the meter resolution (an exact comparison), and
mu = omega * lambda^E_in if it is below, with omega = 1 kWh / resolution. mu = 0 if C = 0.
"""

from dataclasses import dataclass
from decimal import Decimal, getcontext
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

WH_PER_KWH = 1000
CENTI = 100

# Logarithms have 80 digits and payoffs 50 decimals. The additional digits absorb rounding errors, so that two payoffs
# that are mathematically equal are equal here, even if they were computed in different ways.
getcontext().prec = 80
DECIMALS = 50
QUANTUM = Decimal(1).scaleb(-DECIMALS)

NOTHING = Decimal("-Infinity")


@dataclass(frozen=True)
class Strategy:
    kind: str
    position_wh: int
    comfort: Fraction

    @property
    def offered_wh(self):
        return self.position_wh if self.kind == "SellToCommunity" else 0

    @property
    def requested_wh(self):
        return -self.position_wh if self.kind == "BuyFromCommunity" else 0


class Game:
    """A game, made from its JSON document."""

    def __init__(self, document):
        self.lam = Fraction(document["lambda"])
        self.resolution_wh = document["resolution_wh"]
        self.omega = Fraction(WH_PER_KWH, self.resolution_wh)
        self.households = [
            [
                Strategy(
                    strategy["kind"],
                    household["generation_wh"] - strategy["consumption_wh"],
                    comfort(household["comfort"], strategy["temperature_centi_c"]),
                )
                for strategy in household["strategies"]
            ]
            for household in document["households"]
        ]
        self.sizes = [len(strategies) for strategies in self.households]

    @property
    def profile_count(self):
        return prod(self.sizes)

    def chosen(self, profile):
        return [strategies[index] for strategies, index in zip(self.households, profile, strict=True)]

    def totals(self, profile):
        """Returns S and B in Wh."""
        chosen = self.chosen(profile)
        return sum(s.offered_wh for s in chosen), sum(s.requested_wh for s in chosen)

    def main_exchange_wh(self, profile):
        """Returns the energy exchanged with the main grid: the exact sum of |E_main| over all households in Wh."""
        offered, requested = self.totals(profile)
        return sum(abs(split(s, offered, requested)[1]) for s in self.chosen(profile))

    def mu(self, strategy, offered, requested):
        """Eq. (1) literally. Slow; `payoff` computes its logarithm faster."""
        e_in, e_main = (energy / WH_PER_KWH for energy in split(strategy, offered, requested))
        if strategy.comfort == 0:
            return Decimal(0)
        incentive = decimal(self.lam) ** decimal(e_in)
        if abs(e_main) < Fraction(self.resolution_wh, WH_PER_KWH):
            return decimal(self.omega) * incentive
        return incentive * decimal(strategy.comfort) / decimal(abs(e_main))

    def payoff(self, strategy, offered, requested):
        """Returns u = log2 mu to 50 decimals. `offered` and `requested` are S and B in Wh, this strategy included."""
        if strategy.comfort == 0:
            return NOTHING
        e_in, e_main = split(strategy, offered, requested)
        incentive = decimal(e_in / WH_PER_KWH) * log2(self.lam)
        if abs(e_main) < self.resolution_wh:
            rest = log2(self.omega)
        else:
            rest = log2(strategy.comfort * WH_PER_KWH / abs(e_main))
        return (incentive + rest).quantize(QUANTUM)


def comfort(model, temperature_centi_c):
    """Eq. (2)."""
    if model is None:
        return Fraction(1)
    temperature, lowest, highest = (
        Fraction(centi, CENTI) for centi in (temperature_centi_c, model["min_centi_c"], model["max_centi_c"])
    )
    if not lowest < temperature < highest:
        return Fraction(0)
    return -Fraction(model["a"]) * (temperature - lowest) * (temperature - highest)


def split(strategy, offered, requested):
    """Returns the exact, signed E_in and E_main in Wh of a strategy in a pool with S = `offered`, B = `requested`."""
    x = Fraction(strategy.position_wh)
    traded = min(offered, requested)
    if strategy.kind == "SellToCommunity":
        e_in = x * traded / offered
    elif strategy.kind == "BuyFromCommunity":
        e_in = x * traded / requested
    else:
        e_in = Fraction(0)
    return e_in, x - e_in


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@cache
def ln(integer):
    return Decimal(integer).ln()


def log2(fraction):
    return (ln(fraction.numerator) - ln(fraction.denominator)) / ln(2)


def gain(better, present):
    """Returns how much u rises from `present` to `better`. Minus infinity to minus infinity is no gain."""
    return Decimal(0) if better == present else better - present


class Table:
    """Every household's payoff in every profile, and its regret: how much it could gain by changing alone.

    Profiles have the order of Gambit's strategic-form files, in which the first household's strategy changes fastest.
    `payoffs[i][p]` is u of household i in profile number p, and `regrets[i][p]` its regret.
    """

    def __init__(self, game):
        self.sizes = game.sizes
        self.strides = [prod(game.sizes[:i]) for i in range(len(game.sizes))]
        self.profiles = [tuple(reversed(p)) for p in product(*(range(k) for k in reversed(game.sizes)))]
        self.payoffs = [[] for _ in game.sizes]
        known = {}
        for profile in self.profiles:
            totals = game.totals(profile)
            for i, index in enumerate(profile):
                key = (i, index, totals)
                if key not in known:
                    known[key] = game.payoff(game.households[i][index], *totals)
                self.payoffs[i].append(known[key])
        self.regrets = [self._regrets(i) for i in range(len(self.sizes))]

    def _regrets(self, i):
        size, stride, payoffs = self.sizes[i], self.strides[i], self.payoffs[i]
        regrets = [None] * len(payoffs)
        for first, profile in enumerate(self.profiles):
            if profile[i] != 0:
                continue
            cells = range(first, first + size * stride, stride)
            best = max(payoffs[cell] for cell in cells)
            for cell in cells:
                regrets[cell] = gain(best, payoffs[cell])
        return regrets

    def number(self, profile):
        return sum(index * stride for index, stride in zip(profile, self.strides, strict=True))

    def max_gain(self, profile):
        number = self.number(profile)
        return max(regrets[number] for regrets in self.regrets)
