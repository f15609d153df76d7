"""What the service is for, from one end to the other, as its user does it."""
from http import HTTPStatus
from pathlib import Path

from tests.support.answers import assert_account, ok
from tests.support.members import new_person
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in

ARTICLE = '''\
# A weather station that runs for a year

Grüße from the balcony \U0001f327\ufe0f. It measures *temperature*, **pressure** and ~~wind~~ rain[^sensor],
and it is built from [open parts](https://parts.example/list?a=1&b=2 "The list").

![The station in the rain](/images/station.jpg "After a month")

## What it costs

| Part        | Pieces |   Price |
|:------------|:------:|--------:|
| Sensor      |   2    |  3.80 € |
| `ESP32`     |   1    |  5.20 € |
| Solar panel |   1    | 12.00 € |

## The programme

```python
def read(sensor: Sensor) -> ReadSession:
    """Compare `a < b && c > d`."""
    return ReadSession(sensor.temperature / 100, when=now())
```

Without a language:

    for (;;) { sleep(); }

## What is left to do

- [x] Solder the sensor
- [ ] Calibrate it
    1. against ice water
    2. against steam
- [ ] Write part two

> It has rained for *three* days.
>
> > And it goes on.

---

Line one\\
line two, see <https://weather.example>.

[^sensor]: With a tipping bucket, from the **second** version on.
'''
LONG_ARTICLE = ARTICLE + '\n'.join(
    f'\n## Day {day}\n\nIt was *{day / 10} °C*, and `rain` fell for {day} minutes.\n' for day in range(400)
)


def test_a_person_registers_confirms_logs_in_publishes_and_finds_it_all_after_a_restart(
    tmp_path: Path, database_url: str, smtp_sink: SmtpSink
) -> None:
    person = new_person()
    environ = {'SMTP_URL': smtp_sink.url, 'WHITELISTED_EMAILS': person.email}
    with ServedApi(tmp_path, database_url, environ) as api:
        registered = ok(api.post('/v1/accounts/register', person.registration), HTTPStatus.CREATED)
        assert_account(registered, email=person.email, username=person.username, verified=False)

        mail, = smtp_sink.wait_for(to=person.email)
        assert person.username in str(mail.get_body(('plain', )))
        account = ok(api.get(link_in(mail).removeprefix('http://api.test')))
        assert_account(account, email=person.email, username=person.username, verified=True)

        token = ok(api.post('/v1/accounts/login', person.login))['access_token']
        bearer = {'Authorization': f'Bearer {token}'}
        projects = [
            ok(api.post('/v1/projects', body, headers=bearer), HTTPStatus.CREATED) for body in (
                {
                    'title': 'A weather station',
                    'body': LONG_ARTICLE
                },
                {
                    'title': 'Part two',
                    'body': 'Soon.'
                },
            )
        ]
        path = f'/v1/users/{person.username}/projects'
        listed = api.get(path)
        assert ok(listed) == projects[::-1]
        assert projects[0]['body'] == LONG_ARTICLE
        assert_rendered(projects[0]['html'])

        assert api.stop() == 0
        api.start()

        assert api.get(path).content == listed.content
        # The login outlives the restart, too.
        third = api.post('/v1/projects', {'title': 'Part three', 'body': ''}, headers=bearer)
        assert ok(api.get(path)) == [ok(third, HTTPStatus.CREATED), *projects[::-1]]
        assert len(smtp_sink.mails) == 1


def assert_rendered(html: str) -> None:
    """As the known client wants it: heading ids, fenced code and tables, ready to put into the page."""
    for expected in (
        '<h1 id="user-content-a-weather-station-that-runs-for-a-year">A weather station that runs',
        '<h2 id="user-content-what-it-costs">What it costs</h2>',
        '<h2 id="user-content-day-399">Day 399</h2>',
        'Grüße from the balcony \U0001f327',
        '<em>temperature</em>',
        '<strong>pressure</strong>',
        '<a href="https://parts.example/list?a=1&amp;b=2" title="The list" rel="noopener nofollow">',
        '<img src="/images/station.jpg" alt="The station in the rain" title="After a month"',
        '<table>',
        '<td align="right">12.00 €</td>',
        '<code>ESP32</code>',
        'language-python',
        '<span class="k">def</span>',
        '&lt;',
        'for (;;) { sleep(); }',
        'class="task-list-item"',
        '<input type="checkbox" disabled="" checked="',
        '<li>against steam</li>',
        '<blockquote>',
        '<hr>',
        '<a href="https://weather.example" rel="noopener nofollow">https://weather.example</a>',
        'href="#user-content-fn:sensor"',
        'id="user-content-fn:sensor"',
        'id="user-content-fnref:sensor"',
        'With a tipping bucket, from the <strong>second</strong> version on.',
    ):
        assert expected in html
    for unexpected in ('<script', 'style=', '```', '|:--', '[^sensor]', '- [x]'):
        assert unexpected not in html
