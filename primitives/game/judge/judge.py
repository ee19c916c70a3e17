"""Checks `commonwatt-game solve` against pygambit, an independent solver for games.

    python3 -m venv VENV && VENV/bin/pip install -r requirements.txt
    VENV/bin/python judge.py --command target/release/commonwatt-game

`scripts/setup.sh` makes such an environment and `scripts/test.sh` runs this program.

For each of many small games (`games.py`), it does three things:

1. It computes every household's payoff u = log2 mu in every profile from the paper's eq. (1) and eq. (2) (`model.py`:
   exact fractions, logarithms of 80 digits). It shares nothing with the solver except the JSON format of
   `docs/game.md`.
2. It passes payoff tables to pygambit, whose `enumpure_solve` lists all pure equilibria.
3. It passes the game to `commonwatt-game solve` and checks the result:
   - If the status is `Equilibrium`, the profile is in pygambit's list, and the exit status is 0. Otherwise it is 1.
   - If the list is not empty, the status is `Equilibrium`.
   - If any equilibrium in the list trades, the result trades.
   - S, B and V are exact. Each payoff and the largest gain are correct to 1e-8. Whole-Wh energies are less than 1 Wh
     from the exact ones, add up to the household's position and, inside the community, to zero.
   It also reports, without a check, how often the result is the equilibrium (among those that trade, if any does) that
   exchanges the least energy with the main grid, and by how much it exceeds the least.

Tolerance: the solver calls a profile an equilibrium if nobody gains more than epsilon = 2^-16 in u. pygambit has no
tolerance, and rounding u would not help, because "equal within epsilon" is not transitive. So this program replaces
payoffs: for each household and each choice of the others, every strategy within epsilon of the best payoff gets 0 and
every other strategy -1. The exact equilibria of that game are the solver's equilibria. pygambit also solves the game
with the true payoffs (50 decimals; minus infinity becomes a number below all others, since only the order matters).
Each of these exact equilibria must be in the first list. Minus infinity against minus infinity is a tie, not a gain.

Before the games, the program checks its own payoff function against the eleven examples of the market's specification,
to ten decimals, both as a logarithm and as eq. (1) literally.

Exit status: 0 if every check passed, 1 if a check failed, 2 for invalid arguments. Each failed game is written to a
file.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pygambit

from games import make_game
from model import DECIMALS, NOTHING, Game, Table, gain, ln, split

EPSILON = Decimal(2) ** -16
# Largest accepted error of a printed logarithm. The command prints ten decimals and guarantees 2^-28.
PRINTED = Decimal("1e-8")
# Largest accepted difference between eq. (1), computed literally with 80 digits, and its logarithm with 50 decimals.
SAME = Decimal("1e-45")
REPLAY_PROFILES = 200_000
# For one solve. It takes milliseconds, but the machine may be busy.
TIMEOUT_S = 60

# The specification's examples for lambda 4, resolution 10 Wh and C = 1: kind, x in Wh, S in Wh, B in Wh, u.
EXAMPLES = (
    ("SellToCommunity", 2100, 2100, 2100, "10.8438561898"),
    ("BuyFromCommunity", -2100, 2100, 2100, "2.4438561898"),
    ("BuyFromCommunity", -1500, 1500, 1500, "3.6438561898"),
    ("BuyFromMain", -1500, 0, 0, "-0.5849625007"),
    ("BuyFromCommunity", -2000, 1000, 2000, "-2.0000000000"),
    ("BuyFromMain", -2000, 0, 0, "-1.0000000000"),
    ("BuyFromCommunity", -500, 250, 500, "1.5000000000"),
    ("BuyFromMain", -500, 0, 0, "1.0000000000"),
    ("BuyFromCommunity", -5000, 5000, 5000, "-3.3561438102"),
    ("BuyFromMain", -5000, 0, 0, "-2.3219280949"),
    ("Neutral", 0, 0, 0, "6.6438561898"),
)


def example_failures():
    """Checks this program's own payoff function. Returns one text for each example that it fails."""
    range_c = {"min_centi_c": 1500, "max_centi_c": 2700, "a": "1/36"}
    failures = []
    for kind, x, offered, requested, expected in EXAMPLES:
        home = {
            "generation_wh": max(x, 0),
            "comfort": range_c,
            "strategies": [{"kind": kind, "consumption_wh": max(-x, 0), "temperature_centi_c": 2100}],
        }
        game = Game({"lambda": "4", "resolution_wh": 10, "households": [home]})
        strategy = game.households[0][0]
        u = game.payoff(strategy, offered, requested)
        straight = game.mu(strategy, offered, requested).ln() / ln(2)
        if f"{u:.10f}" != expected or abs(straight - u) > SAME:
            failures.append(f"{kind} of {x} Wh: expected {expected}, log2 form {u:.10f}, eq. (1) {straight:.10f}")
    return failures


def pure_equilibria(sizes, payoffs):
    """Returns all pure equilibria found by pygambit, as a set of profiles.

    `payoffs[household][profile number]` are integers.
    """
    header = "".join(
        [
            'NFG 1 R "community" { ',
            " ".join(f'"{i}"' for i in range(len(sizes))),
            " } { ",
            " ".join(map(str, sizes)),
            " }\n\n",
        ]
    )
    cells = "\n".join(" ".join(map(str, cell)) for cell in zip(*payoffs, strict=True))
    game = pygambit.read_nfg(io.BytesIO((header + cells + "\n").encode()))
    found = set()
    for equilibrium in pygambit.nash.enumpure_solve(game).equilibria:
        profile = []
        for player in game.players:
            (index,) = [index for index, (_, chance) in enumerate(equilibrium[player]) if chance == 1]
            profile.append(index)
        found.add(tuple(profile))
    return found


def equilibria_to_epsilon(table):
    return pure_equilibria(table.sizes, [[0 if r <= EPSILON else -1 for r in regrets] for regrets in table.regrets])


def exact_equilibria(table):
    rows = []
    for payoffs in table.payoffs:
        units = [None if u == NOTHING else int(u.scaleb(DECIMALS)) for u in payoffs]
        below_all = min((u for u in units if u is not None), default=0) - 1
        rows.append([below_all if u is None else u for u in units])
    return pure_equilibria(table.sizes, rows)


class Verdict:
    """The result for one game: failures as (check, text), and figures for the summary."""

    def __init__(self):
        self.failures = []
        self.status = None
        self.equilibria = set()
        self.profiles = 0
        self.trades = False
        # Energy that the result exchanges with the main grid, in Wh; the equilibrium that exchanges the least; and its
        # energy. None if the result is not an equilibrium.
        self.exchange = self.best = self.least_exchange = None

    def expect(self, holds, check, text):
        if not holds:
            self.failures.append((check, text))


def some(profiles):
    """Returns the first few profiles as text."""
    shown = ", ".join(str(list(profile)) for profile in sorted(profiles)[:3])
    return shown + (", ..." if len(profiles) > 3 else "")


def close(printed, exact):
    """Returns whether a number in the command's output is correct to 1e-8. Infinities must be equal."""
    value = Decimal(printed)
    if not (value.is_finite() and exact.is_finite()):
        return value == exact
    return abs(value - exact) <= PRINTED


def judge(document, command):
    verdict = Verdict()
    game = Game(document)
    table = Table(game)
    verdict.profiles = len(table.profiles)
    listed = verdict.equilibria = equilibria_to_epsilon(table)
    exact = exact_equilibria(table)
    by_regret = {p for n, p in enumerate(table.profiles) if all(regrets[n] <= EPSILON for regrets in table.regrets)}
    verdict.expect(
        listed == by_regret, "judge", f"pygambit lists {sorted(listed)}, the regrets give {sorted(by_regret)}"
    )
    verdict.expect(
        exact <= listed, "judge", f"exact equilibria that are not in the list with epsilon: {sorted(exact - listed)}"
    )

    try:
        run = subprocess.run(
            [command, "solve"], input=json.dumps(document), capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        verdict.failures.append(("command", f"no output within {TIMEOUT_S} s"))
        return verdict
    if run.returncode not in (0, 1):
        verdict.failures.append(("command", f"exit status {run.returncode}: {run.stderr.strip()}"))
        return verdict
    solution = json.loads(run.stdout)
    profile = tuple(solution["profile"])
    if profile not in table.profiles:
        verdict.failures.append(("command", f"{list(profile)} is not a profile of this game"))
        return verdict
    verdict.status = solution["status"]
    certified = verdict.status == "Equilibrium"
    verdict.expect(
        run.returncode == (0 if certified else 1), "command", f"exit status {run.returncode} for {verdict.status}"
    )
    regret = table.max_gain(profile)
    verdict.expect(
        not certified or profile in listed,
        "false certificate",
        f"{list(profile)} is called an equilibrium, but a household gains {regret:.10f} by changing alone",
    )
    verdict.expect(
        certified or not listed, "missed", f"status {verdict.status}, though equilibria exist: {some(exact or listed)}"
    )
    compare_choice(verdict, game, profile, certified)
    compare_figures(verdict, game, solution, profile, regret)
    return verdict


def compare_choice(verdict, game, profile, certified):
    """Checks that the result trades if an equilibrium trades, and records the energy exchanged with the main grid."""

    def trades(candidate):
        return min(game.totals(candidate)) > 0

    verdict.trades = trades(profile)
    if not (certified and profile in verdict.equilibria):
        return
    trading = sorted(p for p in verdict.equilibria if trades(p))
    verdict.expect(
        verdict.trades or not trading,
        "idle",
        f"{list(profile)} trades nothing, though equilibria that trade exist: {some(trading)}",
    )
    verdict.exchange = game.main_exchange_wh(profile)
    verdict.best = min(trading or sorted(verdict.equilibria), key=game.main_exchange_wh)
    verdict.least_exchange = game.main_exchange_wh(verdict.best)


def compare_figures(verdict, game, solution, profile, regret):
    """Checks every figure of the solution except sweeps, starts and evaluations."""
    offered, requested = game.totals(profile)
    own = {"offered_wh": offered, "requested_wh": requested, "traded_wh": min(offered, requested)}
    for name, value in own.items():
        verdict.expect(solution[name] == value, "totals", f"{name} is {solution[name]}, not {value}")
    verdict.expect(
        close(solution["max_gain_log2"], regret),
        "largest gain",
        f"max_gain_log2 is {solution['max_gain_log2']}, not {regret:.10f}",
    )
    for i, (strategy, shown) in enumerate(zip(game.chosen(profile), solution["households"], strict=True)):
        u = game.payoff(strategy, offered, requested)
        mu = game.mu(strategy, offered, requested)
        straight = mu.ln() / ln(2) if mu else NOTHING
        verdict.expect(
            abs(gain(straight, u)) <= SAME, "judge", f"household {i}: eq. (1) gives {straight}, its logarithm {u}"
        )
        verdict.expect(
            close(shown["payoff_log2"], u),
            "payoff",
            f"household {i}: payoff_log2 is {shown['payoff_log2']}, not {u:.10f}",
        )
        inside, outside = shown["community_wh"], shown["main_wh"]
        e_in, _ = split(strategy, offered, requested)
        verdict.expect(
            abs(inside - e_in) < 1 and inside + outside == strategy.position_wh,
            "energies",
            f"household {i}: community_wh {inside} and main_wh {outside} for a position of {strategy.position_wh} Wh "
            f"with E_in = {float(e_in):.3f} Wh",
        )
    inside = sum(shown["community_wh"] for shown in solution["households"])
    verdict.expect(inside == 0, "energies", f"community_wh of all households adds up to {inside} Wh, not 0")


def summary(verdicts, seconds):
    """Returns the lines of the summary over all games."""
    solved = [v for v in verdicts if v.exchange is not None]
    excesses = [Fraction(v.exchange - v.least_exchange, v.least_exchange) for v in solved if v.least_exchange]
    least = sum(v.exchange == v.least_exchange for v in solved)
    total, total_least = sum(v.exchange for v in solved), sum(v.least_exchange for v in solved)
    more_than_none = sum(v.exchange > 0 and v.least_exchange == 0 for v in solved)
    lines = [
        f"{len(verdicts)} games with {sum(v.profiles for v in verdicts)} profiles in {seconds:.1f} s, "
        f"with pygambit {pygambit.__version__}",
        f"pygambit lists {sum(len(v.equilibria) for v in verdicts)} pure equilibria; "
        f"{sum(not v.equilibria for v in verdicts)} games have none, "
        f"{sum(len(v.equilibria) > 1 for v in verdicts)} have several",
        f"status in the command's results: {dict(Counter(v.status for v in verdicts))}; "
        f"energy is traded in {sum(v.trades for v in verdicts)} of them",
        f"least energy exchanged with the main grid: {least} of {len(solved)} true certificates",
    ]
    if excesses:
        lines.append(
            f"excess over the least: mean {float(sum(excesses) / len(excesses)):.4%}, "
            f"largest {float(max(excesses)):.2%}, all games together {float(total / total_least - 1):.4%}; "
            f"{more_than_none} exchange energy although the least is zero"
        )
    checks = Counter(check for v in verdicts for check in {check for check, _ in v.failures})
    lines += [f"failed in {count} games: {check}" for check, count in checks.most_common()]
    return lines


def arguments():
    parser = argparse.ArgumentParser(
        description="Checks `commonwatt-game solve` against the pure equilibria that pygambit finds."
    )
    parser.add_argument(
        "--command",
        default=os.environ.get("COMMONWATT_GAME"),
        help="path of the program commonwatt-game (default: the environment variable COMMONWATT_GAME)",
    )
    parser.add_argument(
        "--games", type=int, default=480, help="number of games to make, at least 1 (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=2021, help="seed of the games (default: %(default)s)")
    parser.add_argument(
        "--failures", type=Path, help="folder for the JSON of failed games (default: a new temporary folder)"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="list the games whose result does not exchange the least energy with the main grid",
    )
    parser.add_argument(
        "--replay", type=Path, nargs="+", metavar="FILE", help="check these games instead of making games"
    )
    options = parser.parse_args()
    if not options.command:
        parser.error("missing program: set --command PATH or the environment variable COMMONWATT_GAME")
    if options.games < 1:
        parser.error("--games must be at least 1")
    return options


def all_games(options):
    """Yields (name, description, document) for every game."""
    if options.replay:
        for path in options.replay:
            document = json.loads(path.read_text())
            if Game(document).profile_count > REPLAY_PROFILES:
                sys.exit(f"judge.py: {path} has more than {REPLAY_PROFILES} profiles, too many to enumerate")
            yield path.stem, str(path), document
    else:
        for number in range(options.games):
            description, document = make_game(options.seed, number)
            yield f"game-{options.seed}-{number}", description, document


def report_failure(options, name, description, document, verdict):
    options.failures = options.failures or Path(tempfile.mkdtemp(prefix="commonwatt-judge-"))
    options.failures.mkdir(parents=True, exist_ok=True)
    path = options.failures / f"{name}.json"
    path.write_text(json.dumps(document) + "\n")
    print(f"FAILED {name} ({description}), replay with --replay {path}")
    for check, text in verdict.failures:
        print(f"  {check}: {text}")


def main():
    options = arguments()
    started = time.monotonic()
    missed = example_failures()
    for text in missed:
        print(f"FAILED example: {text}")
    verdicts = []
    for name, description, document in all_games(options):
        verdict = judge(document, options.command)
        verdicts.append(verdict)
        if options.verbose and verdict.exchange != verdict.least_exchange:
            print(
                f"{name} ({description}): the result exchanges {float(verdict.exchange):.1f} Wh with the main grid, "
                f"equilibrium {list(verdict.best)} only {float(verdict.least_exchange):.1f} Wh"
            )
        if verdict.failures:
            report_failure(options, name, description, document, verdict)
    for line in summary(verdicts, time.monotonic() - started):
        print(line)
    failed = len(missed) + sum(bool(v.failures) for v in verdicts)
    print(f"{len(EXAMPLES) + len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
