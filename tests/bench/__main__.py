"""`make bench`: what a completion costs, side by side in one run on one PostgreSQL, over HTTP: a floor, a naive application, Masar.

Every figure of Masar stands beside the floor's of the same minute: absolute times say little on a shared machine, ratios hold. Blocks alternate
(floor, naive, Masar, floor …) and the median of each is printed. Then what the ledger is of a completion, a case of a thousand tasks, the worklist, any instant of long
cases, and proof at a million entries; processor time beside the clock's where the machine's pace matters.
"""

import argparse
import statistics
import sys

from tests.bench import contenders, endurance, lists, proofs, replay, servers, share


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench")
    asked.add_argument("--cases", type=int, default=48, help="cases a block and client count")
    asked.add_argument("--blocks", type=int, default=5)
    asked.add_argument("--quick", action="store_true", help="one small block of each: does the bench itself still run?")
    given = asked.parse_args()
    number, blocks = (4, 1) if given.quick else (given.cases, given.blocks)
    server = servers.server_address()
    try:
        completions(server, number, blocks)
        share.print_figures(server, number)
        endurance.print_figures(server, 60 if given.quick else 1_000)
        lists.print_figures(server, (200, 2_000) if given.quick else (1_000, 100_000))
    finally:
        servers.stop_server()
    replay.print_figures([20, 50] if given.quick else [50, 1_000, 10_000])
    proofs.print_figures(20_000 if given.quick else 1_000_000)


def completions(server: str, number: int, blocks: int) -> None:
    """The table of completions: rate, p50, p95, CPU of the server process, bytes a case."""
    made = [contender(server) for contender in (contenders.Floor, contenders.Naive, contenders.Small, contenders.Real)]
    figures: dict[tuple[str, int], list[contenders.Block]] = {}
    try:
        for one in made:
            one.prepare()
        for _ in range(blocks):
            for one in made:
                for clients in (1, 8):
                    figures.setdefault((one.name, clients), []).append(one.block(number, clients))
        print(f"\nCompletions over HTTP, {blocks} blocks, medians ({number} cases a block)\n")
        print(f"{'':24}{'clients':>8}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'of floor':>10}{'statements':>12}{'bytes/case':>12}")
        for clients in (1, 8):
            floor = statistics.median(block.rate for block in figures["floor", clients])
            for one in made:
                found = figures[one.name, clients]
                shares = [block.rate / base.rate for block, base in zip(found, figures["floor", clients], strict=True)]
                print(f"{one.name:24}{clients:>8}{statistics.median(b.rate for b in found):>10.0f}{statistics.median(b.p50 for b in found):>9.2f}"
                      f"{statistics.median(b.p95 for b in found):>9.2f}{statistics.median(b.cpu for b in found):>9.2f}{statistics.median(shares):>10.2f}"
                      f"{one.statements():>12}{one.bytes_a_case():>12}")  # fmt: skip
            print(f"{'':24}{'(shares of the floor, least and most: ' + ', '.join(_range(one, figures, clients) for one in made[1:]) + ')'}")
            assert floor > 0
    finally:
        for one in made:
            one.close()


def _range(one: contenders.Contender, figures: dict, clients: int) -> str:
    shares = [block.rate / base.rate for block, base in zip(figures[one.name, clients], figures["floor", clients], strict=True)]
    return f"{one.name} {min(shares):.2f}–{max(shares):.2f}"


if __name__ == "__main__":
    sys.exit(main())
