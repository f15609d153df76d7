"""Draws a soak: `python -m tests.soak.picture run.json picture.svg`. Needs what is in requirements.txt."""
import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

_SHADES = {
    'rolling restart': '#cfe3f7',
    'workers renewed': '#d9efd2',
    'login flood': '#fce6c4',
    'database restart': '#f6d0d0',
}
_JUDGEMENTS = {'served': '#4c9a5b', 'told to retry': '#e8a33d', 'failed': '#c23b3b'}
_PARTS = {'API': '#2b5fa8', 'PostgreSQL': '#7a5aa6', 'Traefik': '#6f7680'}
_PLAIN = {'svg.fonttype': 'none', 'svg.hashsalt': 'soak', 'font.size': 9, 'font.family': 'sans-serif'}


def draw(document: Mapping[str, Any], picture: Path) -> None:
    matplotlib: Any = import_module('matplotlib')
    matplotlib.use('agg')
    pyplot: Any = import_module('matplotlib.pyplot')
    matplotlib.rcParams.update(_PLAIN)
    figure, panels = pyplot.subplots(
        4, 1, figsize=(9.5, 9.5), sharex=True, height_ratios=(3, 3, 3, 2), layout='constrained'
    )
    _requests(panels[0], document)
    _latencies(panels[1], document)
    _memory(panels[2], document)
    _held(panels[3], document)
    minutes = document['pace']['seconds'] / 60
    for panel in panels:
        panel.set_xlim(0, minutes)
        panel.grid(axis='y', color='#e3e3e3', linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[['top', 'right']].set_visible(False)
        panel.legend(loc='upper left', bbox_to_anchor=(1.0, 1.0), frameon=False)
        for phase in document['phases']:
            if phase['name'] in _SHADES:
                panel.axvspan(
                    phase['begin'] / 60,
                    phase['end'] / 60,
                    color=_SHADES[phase['name']],
                    linewidth=0,
                    zorder=0
                )
    _name_phases(panels[0], document)
    panels[-1].set_xlabel('minutes')
    metadata = {'Date': None} if picture.suffix == '.svg' else {}
    figure.savefig(picture, metadata=metadata, facecolor='white', dpi=110)


def _name_phases(panel: Any, document: Mapping[str, Any]) -> None:
    named = [phase for phase in document['phases'] if phase['name'] in _SHADES]
    for phase in named:
        middle = (phase['begin'] + phase['end']) / 120
        panel.annotate(
            phase['name'], (middle, 1.0),
            xytext=(0, 4),
            xycoords=panel.get_xaxis_transform(),
            textcoords='offset points',
            rotation=20,
            ha='left',
            va='bottom'
        )


def _requests(panel: Any, document: Mapping[str, Any]) -> None:
    # Each is drawn up to the next one.
    bins = [*document['bins'], document['bins'][-1]]
    minutes = [each['seconds'] / 60 for each in document['bins']] + [document['pace']['seconds'] / 60]
    rates = [[each[name] for each in bins] for name in _JUDGEMENTS]
    panel.stackplot(
        minutes,
        *rates,
        labels=list(_JUDGEMENTS),
        colors=list(_JUDGEMENTS.values()),
        step='post',
        linewidth=0
    )
    panel.set_ylabel('requests a second,\nwith the flood')


def _latencies(panel: Any, document: Mapping[str, Any]) -> None:
    bins = document['bins']
    minutes = [(each['seconds'] + each['width'] / 2) / 60 for each in bins]
    for name, color in (('p99', '#b3541e'), ('p50', '#2b5fa8')):
        panel.plot(
            minutes, [each[name] for each in bins],
            color=color,
            linewidth=1.2,
            label=f'{name} of all\nbut logins'
        )
    panel.set_yscale('log')
    panel.yaxis.set_major_formatter('{x:g}')
    panel.set_ylabel('time of an answer,\nmilliseconds')


def _memory(panel: Any, document: Mapping[str, Any]) -> None:
    for name, color in _PARTS.items():
        points = [(each['seconds'] / 60, each['memory'].get(name)) for each in document['samples']]
        panel.plot(*zip(*points), color=color, linewidth=1.2, label=name)
    panel.set_ylim(bottom=0)
    panel.set_ylabel('memory of all\nprocesses, MiB')


def _held(panel: Any, document: Mapping[str, Any]) -> None:
    samples = document['samples']
    minutes = [each['seconds'] / 60 for each in samples]
    panel.plot(
        minutes, [each['connections'] for each in samples],
        color='#2b5fa8',
        linewidth=1.2,
        label='connections to\nthe database'
    )
    for name, color in (('descriptors', '#6f7680'), ('threads', '#4c9a5b')):
        panel.plot(
            minutes, [max(each[name], default=None) for each in samples],
            color=color,
            linewidth=1.2,
            label=f'{name} of\na worker'
        )
    panel.set_ylim(bottom=0)
    panel.set_ylabel('number')


if __name__ == '__main__':
    draw(json.loads(Path(sys.argv[1]).read_text(encoding='utf-8')), Path(sys.argv[2]))
