"""`python -m benchmarks.tokens`: the estimator against o200k, text by text, as a table."""

from benchmarks.calibrating import foretold
from benchmarks.o200k import count
from benchmarks.texts import texts
from twelvefold.context.tokens import estimate


def main() -> None:
    print(
        "| text | tokens | chars/4 | estimate | calibrated |", "|---|---:|---:|---:|---:|", sep="\n"
    )
    for name, text in texts().items():
        true = count(text)
        by_chars, estimated = len(text) / 4 / true - 1, estimate(text) / true - 1
        calibrated = foretold(text).off_calibrated
        print(f"| {name} | {true:,} | {by_chars:+.0%} | {estimated:+.1%} | {calibrated:+.1%} |")


if __name__ == "__main__":
    main()
