"""The steps of a check, each timed, with a table and a JSON file of the results."""

import json
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

_COLORS = {'ok': 'green', 'wrong': 'red', 'error': 'red', 'skipped': 'yellow'}


@dataclass
class Finding:
    """One line of a step's result.

    Args:
        what: a description.
        value: a number or a text.
        unit: the unit of the number.
        right: whether the value is right; None if that is not known.
    """

    what: str
    value: float | str
    unit: str = ''
    right: bool | None = None


@dataclass
class Step:
    """The result of a step.

    Args:
        name: the name of the step.
        status: ``'ok'``, ``'wrong'`` (if a finding is), ``'error'`` or ``'skipped'``.
        seconds: the duration.
        findings: all findings; up to the error, if there was one.
        error: the traceback, or the reason why it was skipped.
    """

    name: str
    status: str = 'ok'
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    error: str = ''


class Skipped(Exception):
    """Raised by a step that cannot run here; the text says why."""


def run_steps(
    steps: dict[str, Callable[[], Iterator[Finding]]],
    seconds: float,
    needs: dict[str, float] | None = None,
    report: Path | None = None,
) -> list[Step]:
    """Run steps one after the other, and continue if one fails.

    Args:
        steps: functions that yield findings, by name.
        seconds: the time limit, after which no step begins, and the current one ends
            with its next finding.
        needs: the seconds that must be left for a step to begin, by name; 0 for others.
        report: a JSON file, written after every finding, in case the program is killed.

    Returns:
        The results of the steps, in their order.

    Example:
        >>> run_steps({'sum': lambda: iter([Finding('1 + 1', 2)])}, seconds=60)
    """
    end = time.monotonic() + seconds
    console = Console(stderr=True)
    done: list[Step] = []
    for name, find in steps.items():
        step = Step(name)
        start = time.monotonic()
        console.print(f'[bold]{name}[/] …')
        try:
            if start + (needs or {}).get(name, 0) > end:
                raise Skipped(f'too little was left of {seconds:.0f} seconds')
            for finding in find():
                step.findings.append(finding)
                if report is not None:
                    write_steps(report, [*done, step])
                console.print(f'  {finding.what}: {_text(finding)}', highlight=False)
                if time.monotonic() > end:
                    raise Skipped(f'the rest: the {seconds:.0f} seconds were over')
            if any(finding.right is False for finding in step.findings):
                step.status = 'wrong'
        except Skipped as reason:
            step.status, step.error = 'skipped', str(reason)
        except Exception:
            step.status, step.error = 'error', traceback.format_exc()
            console.print(step.error, highlight=False, markup=False)
        step.seconds = time.monotonic() - start
        done.append(step)
        if report is not None:
            write_steps(report, done)
    return done


def print_steps(steps: list[Step]) -> None:
    """Print a table of all findings.

    Args:
        steps: the steps that were run.
    """
    table = Table('step', 'status', 's', 'what', 'value')
    for step in steps:
        status = f'[{_COLORS[step.status]}]{step.status}[/]'
        first = [step.name, status, f'{step.seconds:.1f}']
        lines = [[finding.what, _text(finding)] for finding in step.findings]
        if step.error:
            lines.append([step.error.strip().splitlines()[-1].replace('[', r'\['), ''])
        for line in lines or [['', '']]:
            table.add_row(*first, *line)
            first = ['', '', '']
        table.add_section()
    Console(width=120).print(table)


def write_steps(path: Path, steps: list[Step]) -> None:
    """Write all results as JSON.

    Args:
        path: the path of the file; its folder is created.
        steps: the steps that were run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {'steps': [asdict(step) for step in steps]}
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def _text(finding: Finding) -> str:
    value = finding.value
    text = value if isinstance(value, str) else f'{value:.4g} {finding.unit}'.strip()
    return text + {None: '', True: ' ✓', False: ' ✗'}[finding.right]
