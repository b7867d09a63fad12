"""`masar`: what one types at a terminal. It does nothing yet but say so."""


def main() -> None:
    raise SystemExit("masar: nothing to run yet.")


if __name__ == "__main__":
    main()
