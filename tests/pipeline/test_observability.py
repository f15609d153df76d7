"""The alerts and the dashboard, as far as they can be looked at without a server."""
import re

from tests.support.observability import FOLDER, alerts, dashboard, panels, run_promtool, tried_alerts


def headings() -> set[str]:
    text = (FOLDER / 'RUNBOOK.md').read_text('utf-8')
    return set(re.findall(r'^## (\w+)$', text, re.MULTILINE))


def test_each_alert_says_what_to_do_and_has_its_place_in_the_runbook() -> None:
    for rule in alerts():
        assert rule['labels']['severity'] in ('page', 'ticket')
        assert rule['annotations'].keys() == {'summary', 'action', 'runbook'}
        file, _, anchor = rule['annotations']['runbook'].partition('#')
        assert (FOLDER.parent.parent / file).samefile(FOLDER / 'RUNBOOK.md')
        assert anchor == rule['alert'].lower()
    assert headings() == {rule['alert'] for rule in alerts()}


def test_the_runbook_leads_nowhere_that_is_not_there() -> None:
    text = (FOLDER / 'RUNBOOK.md').read_text('utf-8')
    for target in re.findall(r'\]\(([^)]+)\)', text):
        if target.startswith('#'):
            assert target[1:] in {heading.lower() for heading in headings()}
        else:
            assert (FOLDER / target).exists(), target


def test_panels_have_ids_and_places_of_their_own() -> None:
    ids = [panel['id'] for panel in dashboard()['panels']]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()['panels']:
        place = panel['gridPos']
        cells = {(x, y)
                 for x in range(place['x'], place['x'] + place['w'])
                 for y in range(place['y'], place['y'] + place['h'])}
        assert place['x'] + place['w'] <= 24 and not cells & taken
        taken |= cells
    assert all(panel['targets'] for panel in panels())


def test_prometheus_takes_its_configuration_and_the_alerts() -> None:
    checked = run_promtool('check', 'config', str(FOLDER / 'prometheus.yml'))

    assert checked.returncode == 0, checked.stderr
    assert f'{len(alerts())} rules found' in checked.stdout


def test_each_alert_fires_when_it_should_and_rests_when_it_should() -> None:
    assert tried_alerts() == [(rule['alert'], word) for rule in alerts() for word in ('fires', 'rests')]

    tried = run_promtool('test', 'rules', str(FOLDER / 'alerts_test.yml'))

    assert tried.returncode == 0, tried.stderr
