"""The study from the terminal: python -m mnist_study run, experiments, reader, …"""

import argparse
import json
import pathlib
import sys
import tempfile

from mnist_study import paths
from mnist_study.errors import StudyError


def run(given: argparse.Namespace) -> None:
    """execute the notebook in place, and after the full study write the report"""
    from mnist_study.ship import execute

    execute.in_place(paths.NOTEBOOK)
    record = json.loads(paths.METRICS.read_text(encoding="utf-8"))
    data = record["dataset"]
    print(f"Done in {record['total_seconds']:.0f} s on the images of {data['name']}.")
    if data["name"] != "mnist":
        print(
            f"THIS WAS NOT THE FULL MNIST: {data['reason']}.\n"
            "docs/USING.md, 'Without network', helps."
        )
    elif record["profile"] == "full":
        report(given)


def experiments(given: argparse.Namespace) -> None:
    """train what results/ lacks"""
    from mnist_study.records import experiments

    chosen = experiments.named(experiments.study(), given.only)
    experiments.run(chosen, given.scheduler, dry=given.dry_run)


def trainings(given: argparse.Namespace) -> None:
    """list the trainings: kept, missing, or stale and why; or compare two"""
    from mnist_study.records import experiments, listing

    if given.compare:
        print(listing.compared(*given.compare))
    else:
        chosen = experiments.named(experiments.study(), given.only)
        print(listing.listed(chosen, given.format, run=given.run and pathlib.Path(given.run)))


def exercises(given: argparse.Namespace) -> None:
    """work the notebook's exercises out and keep their numbers"""
    from mnist_study.story import exercises

    exercises.write()


def reader(given: argparse.Namespace) -> None:
    """train the digit reader anew, keep its record, write its files, and measure it"""
    from mnist_study.reader import export
    from mnist_study.records import experiments, saved_model, store, worker

    print(f"Training the reader: {experiments.told_of(experiments.READER)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path, description = f"{folder}/model.keras", store.describe(experiments.READER)
        store.Store().keep(description, worker.train_in_child(description, path))
        export.write_network(saved_model.load(path))
    rates(given)


def rates(given: argparse.Namespace) -> None:
    """measure the digit reader on each kind of picture, set its levels of doubt, build its page"""
    from mnist_study.reader import rates
    from mnist_study.records import saved_model

    print("Measuring it on each kind of picture takes some minutes", flush=True)
    rates.write(saved_model.load(paths.MODEL), given.real and pathlib.Path(given.real))


def reproduce(given: argparse.Namespace) -> None:
    """execute the notebook in a scratch folder, or train a record again, and compare"""
    from mnist_study.ship import execute, reproduce

    if given.record:
        sys.exit(reproduce.retrain(given.record))
    parameters = json.loads(paths.METRICS.read_text(encoding="utf-8"))["parameters"]
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute.with_parameters(parameters | {"output_folder": folder})
        sys.exit(reproduce.compare_runs(pathlib.Path(folder), notebook))


def report(given: argparse.Namespace) -> None:
    """write README's table and docs/MODEL_CARD.md from results/"""
    from mnist_study.ship import report

    report.write()


def html(given: argparse.Namespace) -> None:
    """write the executed notebook to handout/ as HTML in one file"""
    from mnist_study.ship import handout

    print(handout.write_page())


def pdf(given: argparse.Namespace) -> None:
    """write the executed notebook to handout/ as PDF"""
    from mnist_study.ship import handout

    print(handout.write_pdf())


COMMANDS = (run, experiments, trainings, exercises, reader, rates, reproduce, report, html, pdf)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the checked arguments of the command line; ends the program when they are wrong."""
    parser = argparse.ArgumentParser("python -m mnist_study", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        said = command.__doc__ or ""
        of_command = commands.add_parser(command.__name__, help=said, description=said)
        of_command.set_defaults(command=command)
        if command in (experiments, trainings):
            of_command.add_argument("--only", help="those whose names fit, such as 'cnn*'")
        if command is experiments:
            of_command.add_argument("--scheduler", help="a Dask scheduler, tcp://…")
            of_command.add_argument(
                "--dry-run", action="store_true", help="only say what is missing"
            )
        if command is trainings:
            of_command.add_argument("--format", choices=("table", "json", "csv"), default="table")
            of_command.add_argument(
                "--compare", nargs=2, help="two of them, such as cnn-seed1 cnn-seed2"
            )
            of_command.add_argument("--run", help="the output folder of a run, to list it, too")
        if command in (reader, rates):
            of_command.add_argument("--real", help="a folder of the pictures in reader/real.csv")
        if command is reproduce:
            of_command.add_argument("--record", help="a kept training, such as cnn-seed4")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Run a command; what a caller could catch is told in its own words, with status 1."""
    given = arguments(words)
    if not paths.NOTEBOOK.exists():
        said = (
            "mnist_study works in its clone: clone or download the whole repository, then make run"
        )
        print(said, file=sys.stderr)
        sys.exit(2)
    try:
        given.command(given)
    except StudyError as error:
        sys.exit(str(error))
    except Exception as error:
        if "URL fetch failure" not in str(error):  # Keras's words
            raise
        sys.exit("MNIST cannot be downloaded: docs/USING.md, Without network, says how to bring it")


if __name__ == "__main__":
    main()
