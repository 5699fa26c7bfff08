"""The command `tinyhil`: one command a file."""


def main() -> None:
    """Entry point of the command."""
    from harness.cli.app import main as run

    run()
