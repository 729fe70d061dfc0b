"""The study from the terminal: python -m mnist_study run, experiments, reader, …"""

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator

from digit_reader import streams
from mnist_study import machine, paths
from mnist_study.errors import StudyError


def run(given: argparse.Namespace) -> None:
    """execute the notebook in place: model, record, figures"""
    from mnist_study.notebook import execute

    execute.in_place(paths.NOTEBOOK)
    record = json.loads(paths.METRICS.read_text(encoding="utf-8"))
    data = record["dataset"]
    print(f"Done in {record['total_seconds']:.0f} s on the images of {data['name']}.")
    if data["name"] != "mnist":
        print(
            f"THIS WAS NOT THE FULL MNIST: {data['reason']}.\n"
            "docs/USING.md, 'Without network', helps."
        )


def experiments(given: argparse.Namespace) -> None:
    """train what results/ lacks"""
    from mnist_study import experiments, train_missing

    train_missing.run(experiments.matching(given.only), given.scheduler, dry=given.dry_run)


def trainings(given: argparse.Namespace) -> None:
    """list the trainings: recorded, missing, or stale and why; or compare two"""
    from mnist_study import experiments, listing

    if given.compare:
        print(listing.compared(*given.compare))
    else:
        print(listing.listed(experiments.matching(given.only), given.format, run=given.run))


def reader(given: argparse.Namespace) -> None:
    """train the digit recogniser's networks anew, record them, write their files, and measure it"""
    from mnist_study import experiments, saved_model, store, train_missing, worker
    from mnist_study.recogniser import export
    from mnist_study.recogniser import rates as measured

    measured.check()
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for line in (experiments.RECOGNISER, experiments.LINE_READER):
            expected = train_missing.expected_time_of(line.experiment)
            print(f"Training {line.title}: {expected}", flush=True)
            paths.append(f"{folder}/{line.experiment.name}.keras")
            description = store.describe(line.experiment)
            store.Store().keep(description, worker.train_in_child(description, paths[-1]))
        export.write_networks(*map(saved_model.load, paths))
    rates(given)


def rates(given: argparse.Namespace) -> None:
    """measure the digit recogniser on each kind of picture, set its thresholds, build its page"""
    from mnist_study import saved_model
    from mnist_study.recogniser import rates

    rates.check()
    machine.set_keras()
    print("Measuring it on each kind of picture takes some minutes", flush=True)
    rates.write(saved_model.load(paths.MODEL), given.real)


def mnist_c(given: argparse.Namespace) -> None:
    """evaluate the saved model on the published arrays of MNIST-C"""
    print(f"Evaluating the saved model on the arrays in {given.arrays}", flush=True)
    from mnist_study import saved_model
    from mnist_study.evaluate import published

    for line in published.report(saved_model.load(paths.MODEL), given.arrays):
        print(line, flush=True)


def reproduce(given: argparse.Namespace) -> None:
    """execute the notebook in a scratch folder, or train a record again, and compare"""
    from mnist_study import reproduce
    from mnist_study.notebook import execute

    if given.record:
        sys.exit(reproduce.retrain(given.record))
    parameters = reproduce.committed_parameters()
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute.with_parameters(parameters | {"output_folder": folder})
        sys.exit(reproduce.compare_runs(pathlib.Path(folder), notebook))


def report(given: argparse.Namespace) -> None:
    """write the recorded numbers into the texts: notebook, README, docs"""
    from mnist_study import text

    if given.check:
        stale = [path.name for path, _ in text.changed()]
        sys.exit(f"make report changes {', '.join(stale)}" if stale else None)
    print(f"written: {', '.join(text.write()) or 'nothing, all is as recorded'}")


def html(given: argparse.Namespace) -> None:
    """write the executed notebook to handout/ as HTML in one file"""
    from mnist_study import publish

    print(publish.write_page())


def pdf(given: argparse.Namespace) -> None:
    """write the executed notebook to handout/ as PDF"""
    from mnist_study import publish

    print(publish.write_pdf())


def folder(text: str) -> pathlib.Path:
    """Return the path of a folder; ~ is the home folder."""
    return pathlib.Path(os.path.expanduser(text))  # noqa: PTH111  (it never raises)


COMMANDS = (run, experiments, trainings, reader, rates, mnist_c, reproduce, report, html, pdf)
OPTIONS = {  # by the commands that take them
    "--only": ((experiments, trainings), {"help": "those whose names match, such as 'cnn*'"}),
    "--scheduler": ((experiments,), {"help": "a Dask scheduler, tcp://…"}),
    "--dry-run": ((experiments,), {"help": "only say what is missing", "action": "store_true"}),
    "--format": ((trainings,), {"choices": ("table", "json", "csv"), "default": "table"}),
    "--compare": ((trainings,), {"nargs": 2, "help": "two, such as cnn-seed1 cnn-seed2"}),
    "--run": (
        (trainings,),
        {"type": folder, "help": "the output folder of a run, to list it, too"},
    ),
    "--real": ((reader, rates), {"type": folder, "help": "the pictures in recogniser/real.csv"}),
    "--arrays": (
        (mnist_c,),
        {"type": folder, "help": "their folder, or an .npz file", "required": True},
    ),
    "--record": ((reproduce,), {"help": "a recorded training, such as cnn-seed4"}),
    "--check": ((report,), {"help": "only say what it would change", "action": "store_true"}),
}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the checked arguments of the command line; ends the program when they are wrong."""
    parser = argparse.ArgumentParser("python -m mnist_study", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        about = command.__doc__ or ""
        of_command = commands.add_parser(command.__name__, help=about, description=about)
        of_command.set_defaults(command=command)
        for name, (takers, settings) in OPTIONS.items():
            if command in takers:
                of_command.add_argument(name, **settings)
    return parser.parse_args(words)


@contextlib.contextmanager
def in_own_words() -> Iterator[None]:
    """End the program, with status 1, with what an error that a user can mend says of itself."""
    try:
        yield
    except StudyError as error:
        sys.exit(str(error))
    except BrokenPipeError:
        streams.discard_output()
        sys.exit("whoever read the output is gone")
    except OSError as error:  # a full disk's, say
        streams.discard_output()
        sys.exit(f"it cannot go on ({error})")
    except Exception as error:
        if "URL fetch failure" not in str(error):  # Keras's words
            raise
        sys.exit("MNIST cannot be downloaded: docs/USING.md, Without network, says how to bring it")


@in_own_words()
def main(words: list[str] | None = None) -> None:
    """Run a command; see in_own_words for what ends it."""
    streams.make_fit()
    given = arguments(words)
    if not paths.NOTEBOOK.exists():
        advice = "clone or download the whole repository, then make run"
        print(f"mnist_study works in its clone: {advice}", file=sys.stderr)
        sys.exit(2)
    machine.check_processor()
    given.command(given)
