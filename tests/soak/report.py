"""What a soak comes to: a document for programs, and lines for people."""
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from talelio_backend.bootstrap.adapters import CONNECTIONS
from talelio_backend.settings.server import THREADS
from tests.benchmarks.results import in_ms, percentile
from tests.soak.course import Pace, Story
from tests.soak.verdict import (
    FLOOD,
    LOGINS,
    MOST_GROWTH,
    Judgement,
    Outcome,
    growth_of,
    judge,
    not_returned,
    phase_at,
    summarize,
)
from tests.soak.world import WORKERS

# Of those that fail alike, not each is told.
_SHOWN = 40
# Beside those that serve: the accepting one, the relay, the watch of changes, …
_OTHER_THREADS = 12


def document_of(story: Story, pace: Pace, lost: Sequence[str], kept: Mapping[str, int]) -> dict[str, Any]:
    """Everything that the picture and the table are made of."""
    by_phase: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in story.outcomes:
        if outcome.kind == FLOOD:
            continue
        by_phase[phase_at(outcome.due, story.phases)].append(outcome)
    failed = [outcome for outcome in story.outcomes if judge(outcome) is Judgement.FAILED]
    growth = growth_of([(each['seconds'], each['memory']['API'])
                        for each in story.samples if each['servers'] == 1], pace.seconds)
    wrong = [*lost]
    wrong += not_returned(
        story.before,
        story.after,
        most_connections=WORKERS * CONNECTIONS,
        most_threads=THREADS + _OTHER_THREADS
    )
    if failed:
        wrong.append(f'{len(failed)} requests failed without a word when to come back')
    if not growth.is_flat:
        wrong.append(f'memory has grown by {growth.share:.0%}')
    return {
        'pace': asdict(pace),
        'cores': os.cpu_count(),
        'phases': [asdict(phase) for phase in story.phases],
        'summaries': {
            name: summarize(outcomes)
            for name, outcomes in by_phase.items()
        },
        'flood': dict(Counter(str(each.status) for each in story.outcomes if each.kind == FLOOD)),
        'bins': list(_bins(story.outcomes, pace.seconds)),
        'samples': story.samples,
        'growth': growth.as_json(),
        'before': asdict(story.before),
        'after': asdict(story.after),
        'kept': dict(kept),
        'failed': [asdict(each) | {
            'phase': phase_at(each.due, story.phases)
        } for each in failed],
        'wrong': wrong,
    }


def _bins(outcomes: Sequence[Outcome], seconds: float) -> Iterator[dict[str, Any]]:
    """Of a few seconds each: requests a second by judgement, and how long reads and writes took."""
    width = max(3.0, seconds / 180)
    binned: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        binned[int(outcome.due / width)].append(outcome)
    for number in range(int(seconds / width)):
        there = binned[number]
        judgements = Counter(judge(outcome) for outcome in there)
        took = [outcome.took for outcome in there if outcome.kind not in LOGINS]
        yield {
            'seconds': number * width,
            'width': width,
            **{
                judgement.value: judgements[judgement] / width
                for judgement in Judgement
            },
            'p50': in_ms(percentile(took, 50)),
            'p99': in_ms(percentile(took, 99)),
        }


def table(document: Mapping[str, Any]) -> list[str]:
    """As RELIABILITY.md has it."""
    pace, growth, kept = document['pace'], document['growth'], document['kept']
    minutes, rate = pace['seconds'] / 60, pace['rate']
    lines = [
        f'{minutes:g} minutes at {rate:g} requests a second, on {document["cores"]} cores. Times are '
        'milliseconds from when a request was due to the end of its answer.',
        '',
        '| | seconds | served | told to retry | failed | reads: p50, p99 | writes: p50, p99 '
        '| logins: p50, p99 |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for name, summary in document['summaries'].items():
        seconds = sum(phase['end'] - phase['begin'] for phase in document['phases'] if phase['name'] == name)
        counts = ' | '.join(f'{summary[judgement.value]:,}' for judgement in Judgement)
        times = ' | '.join(_times(summary[kinds]) for kinds in ('reads', 'writes', 'logins'))
        lines.append(f'| {name} | {seconds:,.0f} | {counts} | {times} |')
    before, after = document['before'], document['after']
    flood = ', '.join(f'{number:,} × {status}' for status, number in sorted(document['flood'].items()))
    lines += [
        '',
        f'- The flood: {flood}.',
        f'- Memory of the API (shares of all its processes): {growth["first"]:.0f} MiB in the first third '
        f'after the warm-up, {growth["last"]:.0f} in the last third, {growth["share"]:+.1%}; at most '
        f'{MOST_GROWTH:+.0%}.',
        f'- At rest, before and after: {before["connections"]} and {after["connections"]} connections to '
        f'the database, {before["in_use"]} and {after["in_use"]} of them in use; of the worker with most '
        f'{before["descriptors"]} and {after["descriptors"]} descriptors, {before["threads"]} and '
        f'{after["threads"]} threads.',
        f'- Looked for at the end, and there: {kept["project"]:,} projects, {kept["picture"]:,} pictures '
        f'with their {kept["file"]:,} files, {kept["account"]:,} new accounts with their mails.',
    ]
    return lines


def _times(quantiles: Mapping[str, float | None]) -> str:
    return ', '.join('–' if value is None else f'{value:,.0f}' for value in quantiles.values())


def failures(document: Mapping[str, Any]) -> list[str]:
    """What is wrong, and the first requests that failed."""
    lines = [f'WRONG: {each}' for each in document['wrong']]
    lines += [
        f'  {each["due"]:7.1f} s, {each["phase"]}: {each["kind"]}: {each["status"] or ""} {each["fault"]} '
        f'after {each["took"]:.2f} s: {each["said"].strip()}' for each in document['failed'][:_SHOWN]
    ]
    return lines
